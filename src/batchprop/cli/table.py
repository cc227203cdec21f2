"""Reading a table: from a file of text or Parquet to one array of numbers."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop.cli import columns as column_types
from batchprop.cli import delimited_text, parquet_reader
from batchprop.cli.columns import Column
from batchprop.cli.errors import CommandError
from batchprop.cli.parquet_reader import Content

Array = npt.NDArray[np.float64]
Chooser = Callable[[list[str]], Sequence[Column]]

PARQUET = (".parquet", ".pq")


class TableFormat(NamedTuple):
    """How a table is written.

    Attributes
    ----------
    separator : str or None
        Of delimited text; None detects it.
    header : bool
        Whether the first row has the names of the columns.
    encoding : str
        Of text.
    """

    separator: str | None = None
    header: bool = True
    encoding: str = "utf-8"


class Table(NamedTuple):
    """The columns of a table that a command asked for.

    Attributes
    ----------
    label : str
        What messages call the table.
    columns : tuple of Column
        Those asked for; columns of categories have their levels.
    values : ndarray, shape (N, columns)
        Numbers, or the positions of levels; NaN where a cell is missing.
    n_columns : int
        Number of all columns of the table.
    """

    label: str
    columns: tuple[Column, ...]
    values: Array
    n_columns: int

    def of(self, role: str) -> Array:
        """Return the columns of a role, (N, number)."""
        return self.values[:, self._slice(role)]

    def columns_of(self, role: str) -> tuple[Column, ...]:
        """Return the columns of a role."""
        return self.columns[self._slice(role)]

    def _slice(self, role: str) -> slice:
        """Return where the columns of a role are: they are neighbours."""
        positions = [k for k, column in enumerate(self.columns) if column.role == role]
        return slice(positions[0], positions[-1] + 1) if positions else slice(0, 0)


def read(path: str, form: TableFormat, choose: Chooser) -> Table:
    """Read columns of a table.

    Parameters
    ----------
    path : str
        A file of delimited text, "-" for standard input, or a Parquet file by its suffix.
    form : TableFormat
        How the table is written.
    choose : callable
        Gets the names of all columns, and returns those to read; columns of one role are
        neighbours.

    Raises
    ------
    CommandError
        The table cannot be read, or a cell is not what it should be.
    OSError
        The file cannot be opened.
    """
    if PurePath(path).suffix.lower() in PARQUET:
        return _in_natural_order(path, parquet_reader.read(path, choose))
    label = label_of(path)
    return _in_natural_order(label, _read_text(path, label, form, choose))


def label_of(path: str) -> str:
    """Return what messages call a table."""
    return "standard input" if path == delimited_text.STANDARD_INPUT else path


def _read_text(path: str, label: str, form: TableFormat, choose: Chooser) -> Content:
    """Read columns of a table of text, block by block."""
    with delimited_text.opened(path, form.encoding) as file:
        text = delimited_text.DelimitedText(file, label, form.separator, form.header)
        chosen = choose(text.names)
        converters = [column_types.converter(column, label) for column in chosen]
        buffer = array("d")  # grows in place
        for lines, rows in text.blocks():
            cells = list(zip(*rows, strict=True))
            block = np.empty((len(rows), len(chosen)))
            for k, each in enumerate(converters):
                block[:, k] = each.values(cells[each.column.position], lines)
            buffer.frombytes(block.tobytes())
        column_types.check(converters, label)
    if not buffer:
        raise CommandError(f"{label} has no rows{' below its header' if form.header else ''}.")
    values = np.frombuffer(buffer, np.float64).reshape(-1, len(chosen))
    return Content(chosen, values, [each.levels for each in converters], len(text.names))


def _in_natural_order(label: str, content: Content) -> Table:
    """Return the table with the levels of new columns of categories sorted."""
    columns, values = list(content.columns), content.values
    for k, levels in enumerate(content.levels):
        if levels is not None and columns[k].levels is None:
            ordered = column_types.sorted_levels(levels)
            ranks = np.array([ordered.index(level) for level in levels], np.float64)
            known = ~np.isnan(values[:, k])
            values[known, k] = ranks[values[known, k].astype(np.intp)]
            columns[k] = columns[k]._replace(levels=tuple(ordered))
    return Table(label, tuple(columns), values, content.n_columns)


def complete_rows(table: Table) -> npt.NDArray[np.bool_]:
    """Return for each row whether no cell is missing."""
    complete = np.ones(len(table.values), np.bool_)
    for k in range(table.values.shape[1]):  # column by column: no mask of the table's size
        complete &= ~np.isnan(table.values[:, k])
    return complete


def missing_text(table: Table, complete: npt.NDArray[np.bool_]) -> str:
    """Say how many rows are incomplete, and which columns have missing cells."""
    counts = {
        column.name: int(np.count_nonzero(np.isnan(table.values[:, k])))
        for k, column in enumerate(table.columns)
    }
    worst = sorted((name for name in counts if counts[name]), key=lambda name: -counts[name])
    text = ", ".join(f"{counts[name]:,} in {name!r}" for name in worst[:8])
    more = f" and {len(worst) - 8} more columns" if len(worst) > 8 else ""
    n_incomplete = complete.size - int(np.count_nonzero(complete))
    verb = "is" if n_incomplete == 1 else "are"
    rows = f"{n_incomplete:,} of {complete.size:,} rows {verb} incomplete"
    return f"{rows} (missing cells: {text}{more})"
