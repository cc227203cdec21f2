"""A source of blocks over Zarr arrays and groups."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from batchprop.blocks.dataset_columns import Dataset
from batchprop.blocks.dataset_source import DatasetSource
from batchprop.blocks.file_names import EXTENSIONS, matching_files, shown
from batchprop.export.optional_package import optional_package
from batchprop.validation.error_text import message

_CALLER, _EXTRA = "Blocks.from_zarr", "batchprop[zarr]"
_ALONE = "array"  # the name of an array that is no member of a group


class ZarrSource(DatasetSource):
    """Blocks of Zarr stores; parameters as those of ``DatasetSource``, ``files`` as patterns."""

    def __init__(self, files: Any, *arguments: Any) -> None:
        paths = matching_files(files, EXTENSIONS["zarr"])
        optional_package("zarr", _CALLER, _EXTRA)
        super().__init__(paths, *arguments)

    def opened(self, path: Path) -> AbstractContextManager[Any]:
        """Open a store for reading."""
        return nullcontext(dict(_arrays(_open(path))))

    def datasets(self, path: Path) -> dict[str, Dataset]:
        """Return the arrays of a store and its groups, by path."""
        return {
            name: Dataset(array.shape, array.dtype, getattr(array, "shards", None) or array.chunks)
            for name, array in _arrays(_open(path))
            if 1 <= len(array.shape) <= 2
        }


def _open(path: Path) -> Any:
    zarr = optional_package("zarr", _CALLER, _EXTRA)
    try:
        return zarr.open(str(path), mode="r")
    except Exception as error:  # of many types, which depend on the version of zarr
        if isinstance(error, PermissionError):
            raise
        reason = " ".join(str(error).split())[:100]
        got = f"{shown(path)} ({type(error).__name__}: {reason})"
        remedy = "Check the name, or write it again."
        raise ValueError(message("files", "be Zarr arrays or groups", got, remedy)) from None


def _arrays(node: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the arrays of a group and the groups in it, by path."""
    if hasattr(node, "shape"):
        yield _ALONE, node
        return
    for name, array in node.arrays():
        yield prefix + name, array
    for name, group in node.groups():
        yield from _arrays(group, f"{prefix}{name}/")
