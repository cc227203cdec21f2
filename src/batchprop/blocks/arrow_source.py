"""A source of blocks over files of Arrow's IPC format (Feather), mapped into memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from batchprop.blocks import arrow_columns
from batchprop.blocks.array_axes import block_size, cut_lengths
from batchprop.blocks.arrow_file_source import ArrowFileSource
from batchprop.blocks.file_names import EXTENSIONS, matching_files, shown
from batchprop.blocks.file_source import Cut
from batchprop.blocks.source import RawBlock
from batchprop.export.optional_package import optional_package
from batchprop.validation.error_text import message

_CALLER, _EXTRA = "Blocks.from_arrow", "batchprop[parquet]"
_LARGE = 1 << 18  # samples of a record batch from which on it is cut


class ArrowSource(ArrowFileSource):
    """Blocks of Arrow files, a block a record batch or a part of a large one.

    Columns that are not compressed are not copied: if they have one dtype and no nulls, they lie
    at equal distances in a record batch.

    Parameters
    ----------
    files : str, path-like, or sequence of them
        The files.
    inputs, targets, sample_weight : str, sequence of str, or None
        Columns.
    """

    def __init__(self, files: Any, inputs: Any, targets: Any, sample_weight: Any) -> None:
        paths = matching_files(files, EXTENSIONS["arrow"])
        schemas, lengths = zip(*(_contents(path) for path in paths), strict=True)
        super().__init__(paths, schemas, inputs, targets, sample_weight)
        size = block_size(self.bytes_per_sample)
        # a block is (file, record batch) and the rows start to stop of the batch; stop None: all
        self._batches: list[tuple[int, int, int | None]] = []
        self.cuts = []
        sizes: list[Any] = []
        for table, rows in enumerate(lengths):
            for batch, n in enumerate(rows):
                parts = [(0, None)] if n is None or n <= _LARGE else _parts(n, size)
                self._batches += [(batch, *part) for part in parts]
                self.cuts += [Cut(table, batch, batch + 1)] * len(parts)
                sizes += [n if stop is None else stop - start for start, stop in parts]
        if None not in sizes:
            self.sizes = sizes
        self.check_blocks()

    def block(self, index: int) -> RawBlock:
        """Map the columns of a block."""
        path = self.tables[self.cuts[index].table].path
        batch, start, stop = self._batches[index]
        names = list(self.choice.columns)
        with _file(path) as file:  # what is mapped lives as long as the arrays
            reader = _reader(path, file, names)
            rows = reader.get_batch(batch)
        place = f"{shown(path)}, record batch {batch}"
        if stop is not None:
            rows = rows.slice(start, stop - start)
        return self.raw_block(arrow_columns.columns_of(rows, names, place, start))

    def place(self, index: int) -> str:
        """Return the file of a block, its record batch and the first row."""
        batch, start, stop = self._batches[index]
        part = "" if stop is None else f" from row {start} on"
        return f"{super().place(index)}, record batch {batch}{part}"


def _parts(n_samples: int, size: int) -> list[tuple[int, int]]:
    return [(start, stop) for _, start, stop in cut_lengths([n_samples], size)]


def _file(path: Path) -> Any:
    """Open a file, mapped into memory if the address space allows it."""
    pyarrow = optional_package("pyarrow", _CALLER, _EXTRA)
    try:
        return pyarrow.memory_map(str(path))
    except (OSError, MemoryError):
        return pyarrow.OSFile(str(path))


def _reader(path: Path, file: Any, names: list[str] | None = None) -> Any:
    """Return a reader of record batches; with ``names`` other columns are not decompressed."""
    pyarrow = optional_package("pyarrow", _CALLER, _EXTRA)
    ipc = optional_package("pyarrow.ipc", _CALLER, _EXTRA)
    try:
        reader = ipc.open_file(file)
        if names is None or len(names) == len(reader.schema):
            return reader
        fields = [reader.schema.get_field_index(name) for name in names]
        # included_fields keeps the order of the schema
        return ipc.open_file(file, options=ipc.IpcReadOptions(included_fields=sorted(fields)))
    except pyarrow.ArrowInvalid as error:
        reason = " ".join(str(error).split())[:100]
        got = f"{shown(path)} ({reason})"
        remedy = "Write them with pyarrow.ipc.new_file or pyarrow.feather.write_feather."
        expected = "be files of Arrow's IPC format, not streams"
        raise ValueError(message("files", expected, got, remedy)) from None


def _contents(path: Path) -> tuple[Any, list[int | None]]:
    """Return the schema, and the rows of each record batch, or None if they are compressed."""
    with _file(path) as file:
        reader = _reader(path, file)
        n_batches = reader.num_record_batches
        if n_batches == 0:
            return reader.schema, []
        first = reader.get_batch(0)
        if not _is_mapped(first, file):
            return reader.schema, [None] * n_batches  # counting rows would decompress them
        return reader.schema, [reader.get_batch(batch).num_rows for batch in range(n_batches)]


def _is_mapped(batch: Any, file: Any) -> bool:
    """Return whether a record batch consists of memory of the mapped file."""
    buffers = [buffer for column in batch.columns for buffer in column.buffers() if buffer]
    if not buffers or type(file).__name__ != "MemoryMappedFile":
        return False
    file.seek(0)
    start = file.read_buffer(1).address
    return all(start <= buffer.address < start + file.size() for buffer in buffers if buffer.size)
