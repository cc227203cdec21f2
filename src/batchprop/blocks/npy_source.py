"""A source of blocks over .npy files, mapped into memory part by part."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from batchprop.blocks.array_axes import block_size, cut_lengths, samples_are_rows
from batchprop.blocks.file_names import EXTENSIONS, matching_files, shown
from batchprop.blocks.file_source import Cut, FileSource, FileTable
from batchprop.blocks.file_window import StoredArray, window
from batchprop.blocks.npy_header import stored_array
from batchprop.blocks.origin import Origin, origin_of_files
from batchprop.blocks.source import RawBlock
from batchprop.blocks.stacked_columns import Column
from batchprop.validation.error_text import message

_ROLES = ("files", "target_files", "weight_files")


class NpySource(FileSource):
    """Blocks of the arrays in .npy files.

    Parameters
    ----------
    files : str, path-like, or sequence of them
        Tables; or inputs, if ``target_files`` is given.
    target_files, weight_files : likewise, or None
        Files with the targets and the weights of the same samples.
    inputs, targets, sample_weight : columns, or None
        Which columns of the tables are what: indices, or names of fields of structured arrays.
    samples : "rows", "columns" or None
        What the samples are in the files.
    """

    def __init__(
        self,
        files: Any,
        target_files: Any,
        weight_files: Any,
        inputs: Any,
        targets: Any,
        sample_weight: Any,
        samples: Any,
    ) -> None:
        values = (files, target_files, weight_files)
        _check_roles(values, (inputs, targets, sample_weight))
        groups = [
            matching_files(value, EXTENSIONS["npy"], name)
            for name, value in zip(_ROLES, values, strict=True)
            if value is not None
        ]
        _check_numbers(groups)
        arrays = [[stored_array(path) for path in group] for group in groups]
        place = shown(groups[0][0])
        is_row = samples_are_rows(samples, [each.shape for each in arrays[0]], place)
        # a table lies in one file, or in a file of inputs, one of targets and one of weights
        self._arrays = [
            [_samples_as_columns(each, is_row) for each in table]
            for table in zip(*arrays, strict=True)
        ]
        if len(groups) > 1:
            e, s, *_ = (each.shape[0] for each in self._arrays[0])
            inputs, targets = range(e), range(e, e + s)
            sample_weight = e + s if len(groups) > 2 else None
        tables = [_table(each) for each in self._arrays]
        super().__init__(tables, inputs, targets, sample_weight)
        lengths = [table[0].shape[1] for table in self._arrays]
        self.cuts = [Cut(*cut) for cut in cut_lengths(lengths, block_size(self.bytes_per_sample))]
        self.sizes = [cut.stop - cut.start for cut in self.cuts]
        self._is_row = is_row
        self.check_blocks()

    def block(self, index: int) -> RawBlock:
        """Map the samples of a block; X and T are views where columns are equally spaced."""
        table, start, stop = self.cuts[index]
        arrays = [window(each.columns(start, stop)) for each in self._arrays[table]]
        columns: dict[Hashable, Column]
        if arrays[0].dtype.names is None:
            columns = {i: [row] for i, row in enumerate(row for array in arrays for row in array)}
        else:
            columns = {name: [arrays[0][0][name]] for name in arrays[0].dtype.names}
        return self.raw_block([columns[name] for name in self.choice.columns])

    def place(self, index: int) -> str:
        """Return the file of a block and its first sample."""
        return f"{super().place(index)} from sample {self.cuts[index].start} on"

    def origin(self) -> Origin | None:
        """Return all files, and which of their columns are read."""
        paths = [each.path for table in self._arrays for each in table]
        return origin_of_files(paths, ("npy", len(self._arrays[0]), self.choice, self._is_row))


def _check_roles(values: tuple[Any, Any, Any], columns: tuple[Any, Any, Any]) -> None:
    """Check that columns are chosen in one way: by separate files, or from tables."""
    if values[1] is None:
        if values[2] is not None:
            remedy = "Pass target_files as well, or name the column of weights in sample_weight."
            got = "weight_files alone"
            raise ValueError(message("weight_files", "come with target_files", got, remedy))
        return
    for name, value in zip(("inputs", "targets", "sample_weight"), columns, strict=True):
        if value is not None:
            expected = "be left out where target_files are given, whose columns are the targets"
            remedy = "Pass separate files, or choose the columns of one file."
            raise ValueError(message(name, expected, repr(value), remedy))


def _check_numbers(groups: Sequence[tuple[Path, ...]]) -> None:
    """Check that there are as many files of targets and of weights as of inputs."""
    for name, group in zip(_ROLES[1:], groups[1:], strict=False):
        if len(group) != len(groups[0]):
            expected = f"match {len(groups[0])} file{'s'[: len(groups[0]) != 1]}, as files does"
            remedy = "Pass one file of each for the same samples."
            raise ValueError(message(name, expected, f"{len(group)}", remedy))


def _samples_as_columns(stored: StoredArray, is_row: bool) -> StoredArray:
    """Return the stored array with samples as columns; flat arrays are one row."""
    return stored.transposed if is_row or stored.shape[1] == 1 else stored


def _table(arrays: Sequence[StoredArray]) -> FileTable:
    """Return the table of arrays that hold columns of the same samples."""
    first = arrays[0]
    n_samples = first.shape[1]
    for other in arrays[1:]:
        if other.shape[1] != n_samples:
            expected = f"have {n_samples} samples, like {shown(first.path)}"
            got = f"{other.shape[1]} in {shown(other.path)}"
            raise ValueError(message("arrays", expected, got, "Check how the files were saved."))
    dtypes: dict[Hashable, np.dtype[Any]]
    if first.dtype.names is not None:
        dtypes = {name: first.dtype[name] for name in first.dtype.names}
    else:
        dtypes = dict(enumerate(each.dtype for each in arrays for _ in range(each.shape[0])))
    return FileTable(first.path, dtypes)
