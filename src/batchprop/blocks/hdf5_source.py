"""A source of blocks over HDF5 files, with h5py."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np

from batchprop.blocks.dataset_columns import Array, Dataset
from batchprop.blocks.dataset_source import DatasetSource
from batchprop.blocks.file_names import EXTENSIONS, matching_files, shown
from batchprop.blocks.file_window import StoredArray
from batchprop.export.optional_package import optional_package
from batchprop.validation.error_text import message

_CALLER, _EXTRA = "Blocks.from_hdf5", "batchprop[hdf5]"


class Hdf5Source(DatasetSource):
    """Blocks of HDF5 files; parameters as those of ``DatasetSource``, ``files`` as patterns."""

    def __init__(self, files: Any, *arguments: Any) -> None:
        paths = matching_files(files, EXTENSIONS["hdf5"])
        optional_package("h5py", _CALLER, _EXTRA)
        super().__init__(paths, *arguments)

    def opened(self, path: Path) -> AbstractContextManager[Any]:
        """Open a file for reading."""
        file: AbstractContextManager[Any] = _open(path)
        return file

    def fill(self, array: Any, start: int, stop: int, row: Array) -> None:
        """Read without a copy in between."""
        array.read_direct(row, np.s_[start:stop])

    def datasets(self, path: Path) -> dict[str, Dataset]:
        """Return the arrays of a file and its groups, by path."""
        with _open(path) as file:
            return {
                name: Dataset(
                    node.shape,
                    node.dtype,
                    node.chunks or (1,) * len(node.shape),
                    _stored(node, path) if node.file.filename == file.filename else None,
                )
                for name, node in _arrays(file)
                if node.shape and len(node.shape) <= 2
            }


def _open(path: Path) -> Any:
    h5py = optional_package("h5py", _CALLER, _EXTRA)
    try:
        return h5py.File(path, "r")
    except OSError as error:
        if error.errno is not None and not path.is_file():
            raise
        reason = " ".join(str(error).split())[:100]
        got = f"{shown(path)} ({reason})"
        remedy = "Close the program that writes it, or write it again."
        raise ValueError(message("files", "be HDF5 files", got, remedy)) from None


def _arrays(group: Any, prefix: str = "", above: tuple[Any, ...] = ()) -> Iterator[Any]:
    """Yield (path, array) of a group and the groups in it; links are followed, not in circles."""
    for name in group:
        node = group.get(name)  # None if it is a link that leads nowhere
        if hasattr(node, "shape"):
            yield prefix + name, node
        elif hasattr(node, "keys") and node not in (*above, group):
            yield from _arrays(node, f"{prefix}{name}/", (*above, group))


def _stored(dataset: Any, path: Path) -> StoredArray | None:
    """Return where the entries of a dataset are, if they are in one piece and not compressed."""
    offset = dataset.id.get_offset() if dataset.dtype.kind in "fiu" else None
    if offset is None or dataset.is_virtual or dataset.external:
        return None
    n_rows, n_columns = (*dataset.shape, 1)[:2]
    size = dataset.dtype.itemsize
    strides = (n_columns * size, size)
    return StoredArray(path, offset, (n_rows, n_columns), strides, dataset.dtype)
