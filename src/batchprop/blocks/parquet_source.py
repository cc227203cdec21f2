"""A source of blocks over Parquet files, with pyarrow: a block is one or several row groups."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from batchprop.blocks import arrow_columns
from batchprop.blocks.array_axes import block_size
from batchprop.blocks.arrow_file_source import ArrowFileSource
from batchprop.blocks.file_names import EXTENSIONS, matching_files, shown
from batchprop.blocks.file_source import Cut
from batchprop.blocks.source import RawBlock
from batchprop.export.optional_package import optional_package
from batchprop.validation.error_text import message

_CALLER, _EXTRA = "Blocks.from_parquet", "batchprop[parquet]"


class ParquetSource(ArrowFileSource):
    """Blocks of Parquet files, whose columns may have another order and type in each file.

    Parameters
    ----------
    files : str, path-like, or sequence of them
        The files.
    inputs, targets, sample_weight : str, sequence of str, or None
        Columns.
    """

    def __init__(self, files: Any, inputs: Any, targets: Any, sample_weight: Any) -> None:
        paths = matching_files(files, EXTENSIONS["parquet"])
        parquet = optional_package("pyarrow.parquet", _CALLER, _EXTRA)
        # the metadata are kept, so that reading a row group does not parse them again
        self._metadata = [_metadata(parquet, path) for path in paths]
        self._bytes = [path.stat().st_size for path in paths]
        schemas = [metadata.schema.to_arrow_schema() for metadata in self._metadata]
        super().__init__(paths, schemas, inputs, targets, sample_weight)
        size = block_size(self.bytes_per_sample)
        self.cuts: list[Cut] = []
        self.sizes: list[int] = []
        self._first_rows: list[int] = []  # of each block in its file
        for table, metadata in enumerate(self._metadata):
            rows = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
            for start, stop in joined(rows, size):
                self.cuts.append(Cut(table, start, stop))
                self._first_rows.append(sum(rows[:start]))
                self.sizes.append(sum(rows[start:stop]))
        self.check_blocks()

    def block(self, index: int) -> RawBlock:
        """Decode the chosen columns in this thread, and copy them once."""
        table, start, stop = self.cuts[index]
        path = self.tables[table].path
        parquet = optional_package("pyarrow.parquet", _CALLER, _EXTRA)
        size = path.stat().st_size
        if size != self._bytes[table]:
            got = f"{size} bytes instead of {self._bytes[table]} in {shown(path)}"
            remedy = "Open the files again, and leave them as they are while they are in use."
            raise ValueError(message("files", "stay as they are", got, remedy))
        names = list(self.choice.columns)
        pyarrow = optional_package("pyarrow", _CALLER, _EXTRA)
        with parquet.ParquetFile(path, metadata=self._metadata[table]) as file:
            # other threads compute meanwhile: more threads here would only compete with them
            groups = range(start, stop)
            try:
                rows = file.read_row_groups(groups, columns=names, use_threads=False)
            except (OSError, pyarrow.ArrowInvalid) as error:
                remedy = "Write it again, or leave it out."
                got = f"{self.place(index)} ({_reason(error)})"
                raise ValueError(message("files", "be readable", got, remedy)) from error
        columns = arrow_columns.columns_of(rows, names, shown(path), self._first_rows[index])
        return self.raw_block(columns)

    def place(self, index: int) -> str:
        """Return the file of a block and its first row group."""
        return f"{super().place(index)} from row group {self.cuts[index].start} on"


def joined(sizes: Sequence[int], size: int) -> list[tuple[int, int]]:
    """Join neighbours as long as they have at most ``size`` samples together.

    Returns
    -------
    list of tuple of two int
        The first of each group of neighbours, and the one after its last.
    """
    starts: list[int] = []
    total = 0
    for k, n_samples in enumerate(sizes):
        if not starts or total + n_samples > size:
            starts.append(k)
            total = 0
        total += n_samples
    return list(itertools.pairwise([*starts, len(sizes)]))


def _metadata(parquet: Any, path: Path) -> Any:
    """Return the metadata of a file."""
    pyarrow = optional_package("pyarrow", _CALLER, _EXTRA)
    try:
        return parquet.read_metadata(path)
    except pyarrow.ArrowInvalid as error:
        got = f"{shown(path)} ({_reason(error)})"
        remedy = "Write it again, or leave it out."
        raise ValueError(message("files", "be Parquet files", got, remedy)) from None


def _reason(error: Exception) -> str:
    """Return the beginning of a message of pyarrow, in one line."""
    return " ".join(str(error).split())[:100]
