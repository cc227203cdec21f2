"""What all sources over files share: their tables, the chosen columns, the layout of blocks."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from batchprop.blocks.column_choice import ColumnChoice, column_choice
from batchprop.blocks.file_names import shown
from batchprop.blocks.origin import Origin, origin_of_files
from batchprop.blocks.source import Layout, RawBlock
from batchprop.blocks.stacked_columns import Column, real_dtype, stacked
from batchprop.validation.error_text import message

_SHOWN = 5  # columns that a message lists


class FileTable(NamedTuple):
    """A table in a file, or in several files with columns of the same samples.

    Attributes
    ----------
    path : Path
        The file, or the first one.
    dtypes : mapping
        The dtype of each column as it will be read, by name, or by index where there are no names.
    """

    path: Path
    dtypes: Mapping[Hashable, np.dtype[Any]]


class Cut(NamedTuple):
    """A block: samples ``start`` to ``stop`` of a table, or part ``start`` of a file."""

    table: int
    start: int
    stop: int


class FileSource:
    """Base class of the sources over files.

    Parameters
    ----------
    tables : sequence of FileTable
        At least one.
    inputs, targets, sample_weight : columns, or None
        As the user passed them.
    index : sequence of str
        Columns that label rows: they are inputs only if ``inputs`` names them.

    Attributes
    ----------
    choice : ColumnChoice
        The checked columns.
    layout : Layout
        Of all blocks: float32 only if the columns are float32 in all files.
    cuts : sequence of Cut
        The blocks.
    sizes : sequence of int, or None
        Samples in each; None if that is not known before they are read.
    """

    cuts: Sequence[Cut] = ()
    sizes: Sequence[int] | None = None

    def __init__(
        self,
        tables: Sequence[FileTable],
        inputs: Any,
        targets: Any,
        sample_weight: Any,
        index: Sequence[str] = (),
    ) -> None:
        self.tables = tables
        first = tables[0].dtypes
        is_named = list(first) != list(range(len(first)))
        available = list(first) if is_named else range(len(first))
        place = shown(tables[0].path)
        choice = column_choice(available, inputs, targets, sample_weight, place, index)
        _check_columns(tables, choice, is_named)
        self.choice = choice
        self.input_names = tuple(map(str, choice.inputs)) if is_named else None
        self.target_names = tuple(map(str, choice.targets)) if is_named else None
        for table in tables:
            _check_real(table, choice)
        x_dtype, t_dtype = (
            real_dtype([table.dtypes[name] for table in tables for name in names])
            for names in (choice.inputs, choice.targets)
        )
        has_weights = choice.sample_weight is not None
        self.layout: Layout = Layout(
            len(choice.inputs), len(choice.targets), has_weights, x_dtype, t_dtype
        )

    def __len__(self) -> int:
        return len(self.cuts)

    @property
    def bytes_per_sample(self) -> int:
        """Bytes of a sample in X and T."""
        e, s, _, x_dtype, t_dtype = self.layout
        return e * x_dtype.itemsize + s * t_dtype.itemsize

    def check_blocks(self) -> None:
        """Reject files that have no samples at all."""
        if not self.cuts or (self.sizes is not None and sum(self.sizes) == 0):
            files = "1 file" if len(self.tables) == 1 else f"{len(self.tables)} files"
            got = f"none in {files}, the first {shown(self.tables[0].path)}"
            remedy = "Check how they were written."
            raise ValueError(message("files", "have at least one sample", got, remedy))

    def raw_block(self, columns: Sequence[Column]) -> RawBlock:
        """Return a block from its columns, which come in the order of ``choice.columns``."""
        return chosen_rows(columns, self.choice, self.layout.x_dtype, self.layout.t_dtype)

    def place(self, index: int) -> str:
        """Return the file of a block, for messages."""
        return shown(self.tables[self.cuts[index].table].path)

    def origin(self) -> Origin | None:
        """Return the files, and which of their columns are read."""
        paths = [table.path for table in self.tables]
        return origin_of_files(paths, (type(self).__name__, self.choice))


def chosen_rows(
    columns: Sequence[Column],
    choice: ColumnChoice,
    x_dtype: np.dtype[Any] | None = None,
    t_dtype: np.dtype[Any] | None = None,
) -> RawBlock:
    """Return a block from its columns.

    Parameters
    ----------
    columns : sequence of Column
        In the order of ``choice.columns``.
    choice : ColumnChoice
        What they are.
    x_dtype, t_dtype : dtype, optional
        Of X and T; None means float32 or float64, as the columns are.
    """
    e, s = len(choice.inputs), len(choice.targets)
    weights = None if choice.sample_weight is None else stacked(columns[e + s :])[0]
    return RawBlock(stacked(columns[:e], x_dtype), stacked(columns[e : e + s], t_dtype), weights)


def _check_real(table: FileTable, choice: ColumnChoice) -> None:
    """Check that the chosen columns are real numbers."""
    bad = [name for name in choice.columns if table.dtypes[name].kind not in "fiub"]
    if bad:
        listed = ", ".join(f"{name!r} ({table.dtypes[name]})" for name in bad[:_SHOWN])
        more = f" and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
        got = f"{listed}{more} in {shown(table.path)}"
        remedy = "Encode them as numbers first, or leave them out of inputs."
        raise TypeError(message("columns", "hold real numbers", got, remedy))


def _check_columns(tables: Sequence[FileTable], choice: ColumnChoice, is_named: bool) -> None:
    """Check that every file has the chosen columns, or as many columns as the first one."""
    n_columns = len(tables[0].dtypes)
    for table in tables[1:]:
        if not is_named and len(table.dtypes) != n_columns:
            expected = f"have {n_columns} columns, like {shown(tables[0].path)}"
            got = f"{len(table.dtypes)} in {shown(table.path)}"
            remedy = "Let all files have the same columns."
            raise ValueError(message("tables", expected, got, remedy))
        missing = [name for name in choice.columns if name not in table.dtypes]
        if missing:
            listed = ", ".join(map(repr, missing[:_SHOWN]))
            more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
            got = f"{shown(table.path)} without {listed}{more}"
            remedy = f"Leave this file out, or these columns; {shown(tables[0].path)} has them."
            raise ValueError(message("files", "have all chosen columns", got, remedy))
