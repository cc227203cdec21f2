"""What the sources over HDF5 and Zarr have in common: files with named, chunked arrays."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.blocks.array_axes import block_size, cut_lengths
from batchprop.blocks.dataset_columns import (
    Columns,
    Dataset,
    DatasetColumn,
    check_dataset,
    columns_of_dataset,
    columns_of_file,
    expanded,
    n_samples,
    rows_hold_samples,
)
from batchprop.blocks.file_names import shown
from batchprop.blocks.file_source import Cut, FileSource, FileTable
from batchprop.blocks.file_window import window
from batchprop.blocks.origin import Origin, origin_of_files
from batchprop.blocks.source import RawBlock
from batchprop.validation.error_text import message

Array = npt.NDArray[Any]


class DatasetSource(FileSource, ABC):
    """Base class of the sources over HDF5 and Zarr.

    Parameters
    ----------
    paths : sequence of Path
        The files.
    dataset : str or None
        The array whose columns are chosen, by index or by field.  None: columns are arrays; an
        array of two axes is several columns.
    inputs, targets, sample_weight : columns, or None
        As the user passed them.
    samples : "rows", "columns" or None
        What the samples are in arrays of two axes.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        dataset: Any,
        inputs: Any,
        targets: Any,
        sample_weight: Any,
        samples: Any,
    ) -> None:
        self._files = [self.datasets(path) for path in paths]
        for path, file in zip(paths, self._files, strict=True):
            if not file:
                got, remedy = f"none in {shown(path)}", "Check the name of the file."
                expected = "have arrays with one or two axes"
                raise ValueError(message("files", expected, got, remedy))
        first = self._files[0]
        if dataset is None and len(first) == 1:
            (dataset,) = first
        names = list(first) if inputs is None else [*_listed(inputs), *_listed(targets)]
        if dataset is not None:
            names = [check_dataset(dataset, self._files, paths)]
        self._is_row = is_row = rows_hold_samples(samples, self._files, names, paths[0])
        self._columns: list[Columns] = [
            columns_of_file(file, is_row)
            if dataset is None
            else columns_of_dataset(dataset, file[dataset], is_row)
            for file in self._files
        ]
        if dataset is None:
            inputs = expanded("inputs", inputs, self._columns[0], paths[0])
            targets = expanded("targets", targets, self._columns[0], paths[0])
        tables = [
            FileTable(path, {key: column.dtype for key, column in columns.items()})
            for path, columns in zip(paths, self._columns, strict=True)
        ]
        super().__init__(tables, inputs, targets, sample_weight)
        lengths = [
            n_samples(self._chosen(table), file, is_row, tables[table].path)
            for table, file in enumerate(self._files)
        ]
        axis = 0 if is_row else -1
        chunk = max(first[column.dataset].chunks[axis] for column in self._chosen(0))
        size = block_size(self.bytes_per_sample, chunk)
        self.cuts = [Cut(*cut) for cut in cut_lengths(lengths, size)]
        self.sizes = [cut.stop - cut.start for cut in self.cuts]
        self.check_blocks()

    @abstractmethod
    def datasets(self, path: Path) -> dict[str, Dataset]:
        """Return the arrays of a file that have one or two axes."""

    @abstractmethod
    def opened(self, path: Path) -> AbstractContextManager[Any]:
        """Open a file: a mapping of names to arrays that can be sliced."""

    def fill(self, array: Any, start: int, stop: int, row: Array) -> None:
        """Read entries of a flat array into ``row``, which has its dtype."""
        row[:] = array[start:stop]

    def block(self, index: int) -> RawBlock:
        """Read the samples of a block; arrays in one piece are mapped into memory instead."""
        table, start, stop = self.cuts[index]
        file, columns = self._files[table], self._chosen(table)
        parts: dict[DatasetColumn, Array] = {}
        unmapped = []
        for name in dict.fromkeys(column.dataset for column in columns):
            stored = file[name].stored
            if stored is None:
                unmapped.append(name)
                continue
            if self._is_row or len(file[name].shape) == 1:
                stored = stored.transposed
            samples = window(stored.columns(start, stop))
            parts |= {c: _row(samples, c.part) for c in columns if c.dataset == name}
        if unmapped:
            with self.opened(self.tables[table].path) as arrays:
                for name in unmapped:
                    members = [column for column in columns if column.dataset == name]
                    if members[0].part is not None:
                        parts |= self._wide(arrays[name], members, start, stop)
                parts |= self._flat(arrays, [c for c in columns if c not in parts], start, stop)
        return self.raw_block([[parts[column]] for column in columns])

    def place(self, index: int) -> str:
        """Return the file of a block and its first sample."""
        return f"{super().place(index)} from sample {self.cuts[index].start} on"

    def origin(self) -> Origin | None:
        """Return the files, and which of their columns are read."""
        paths = [table.path for table in self.tables]
        chosen = [self._chosen(table) for table in range(len(self.tables))]
        return origin_of_files(paths, (type(self).__name__, self.choice, chosen, self._is_row))

    def _chosen(self, table: int) -> list[DatasetColumn]:
        """Return the chosen columns of a file."""
        return [self._columns[table][key] for key in self.choice.columns]

    def _wide(
        self, array: Any, columns: Sequence[DatasetColumn], start: int, stop: int
    ) -> Mapping[DatasetColumn, Array]:
        """Read columns of an array with two axes or with fields, and those that lie between."""
        if isinstance(columns[0].part, str):
            samples = array[start:stop][np.newaxis]
            return {column: _row(samples, column.part) for column in columns}
        indices = [int(column.part or 0) for column in columns]
        low, high = min(indices), max(indices) + 1
        samples = array[start:stop, low:high].T if self._is_row else array[low:high, start:stop]
        return {column: samples[j - low] for column, j in zip(columns, indices, strict=True)}

    def _flat(
        self, arrays: Any, columns: Sequence[DatasetColumn], start: int, stop: int
    ) -> Mapping[DatasetColumn, Array]:
        """Read flat arrays, those of one dtype into the rows of one array."""
        parts: dict[DatasetColumn, Array] = {}
        for dtype in dict.fromkeys(column.dtype for column in columns):
            alike = [column for column in columns if column.dtype == dtype]
            rows = np.empty((len(alike), stop - start), dtype)
            for row, column in zip(rows, alike, strict=True):
                self.fill(arrays[column.dataset], start, stop, row)
                parts[column] = row
        return parts


def _listed(names: Any) -> list[Hashable]:
    """Return the user's columns as a list, whatever they are; they are checked later."""
    if isinstance(names, str) or not isinstance(names, Sequence):
        return [] if names is None else [names]
    return list(names)


def _row(samples: Array, part: int | str | None) -> Array:
    """Return a column of an array whose samples are columns."""
    row: Array = samples[0][part] if isinstance(part, str) else samples[part or 0]
    return row
