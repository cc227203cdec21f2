"""A part of a file as an array: mapped into memory, or read if it cannot be mapped.

Only the part is mapped, not the file, and the mapping ends with the array: neither the address
space nor the resident memory of a process grows with the file.
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop.blocks.file_names import shown
from batchprop.validation.error_text import message

Array = npt.NDArray[Any]

_WILL_NEED = getattr(mmap, "MADV_WILLNEED", None)
_FAR = 1 << 20  # bytes between rows from which on the system is told of each row


class StoredArray(NamedTuple):
    """A two-dimensional array in a file.

    Attributes
    ----------
    path : Path
        The file.
    offset : int
        Byte at which entry [0, 0] begins.
    shape, strides : tuple of two int
        As of an ndarray, the strides in bytes and positive.
    dtype : dtype
        Of the entries.
    """

    path: Path
    offset: int
    shape: tuple[int, int]
    strides: tuple[int, int]
    dtype: np.dtype[Any]

    @property
    def end(self) -> int:
        """The byte after the last entry."""
        if 0 in self.shape:
            return self.offset
        steps = sum((n - 1) * step for n, step in zip(self.shape, self.strides, strict=True))
        return self.offset + steps + self.dtype.itemsize

    @property
    def transposed(self) -> StoredArray:
        """The same entries with the axes exchanged."""
        return self._replace(shape=self.shape[::-1], strides=self.strides[::-1])

    def columns(self, start: int, stop: int) -> StoredArray:
        """Return columns ``start`` to ``stop`` as an array in the same file."""
        offset = self.offset + start * self.strides[1]
        return self._replace(offset=offset, shape=(self.shape[0], stop - start))


def window(stored: StoredArray) -> Array:
    """Return an array of a file, read-only; the system begins to read it in the background.

    Raises
    ------
    OSError
        The file cannot be read.
    ValueError
        It is shorter than the array.
    """
    if 0 in stored.shape:
        return np.empty(stored.shape, stored.dtype)
    with open(stored.path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if stored.end > size:
            got = f"{size} bytes instead of {stored.end} in {shown(stored.path)}"
            remedy = "Write it again, and leave files as they are while they are in use."
            raise ValueError(message("files", "be complete", got, remedy))
        start = stored.offset // mmap.ALLOCATIONGRANULARITY * mmap.ALLOCATIONGRANULARITY
        length = stored.end - start
        try:
            mapping = mmap.mmap(file.fileno(), length, access=mmap.ACCESS_READ, offset=start)
        except (OSError, ValueError, OverflowError):  # no file of a disk, or a limit of memory
            return _read(file, stored)
    _announce(mapping, stored, start)
    at = stored.offset - start
    return np.ndarray(stored.shape, stored.dtype, mapping, at, stored.strides)


def _announce(mapping: mmap.mmap, stored: StoredArray, start: int) -> None:
    """Let the system read the mapped rows from the disk before they are used."""
    if _WILL_NEED is None:
        return
    rows, step = stored.shape[0], stored.strides[0]
    if step < _FAR or stored.strides[1] > step:
        mapping.madvise(_WILL_NEED)
        return
    width = (stored.shape[1] - 1) * stored.strides[1] + stored.dtype.itemsize
    for row in range(rows):
        first = stored.offset + row * step - start
        page = first // mmap.PAGESIZE * mmap.PAGESIZE
        mapping.madvise(_WILL_NEED, page, first + width - page)


def _read(file: Any, stored: StoredArray) -> Array:
    """Read the array, with what lies between its entries if that is little."""
    outer, inner = sorted((0, 1), key=lambda axis: -stored.strides[axis])
    n_runs, step = stored.shape[outer], stored.strides[outer]
    run = stored._replace(shape=(1, stored.shape[inner]), strides=(0, stored.strides[inner]))
    if run.end - run.offset > step // 2:  # at once
        file.seek(stored.offset)
        content = file.read(stored.end - stored.offset)
        return np.ndarray(stored.shape, stored.dtype, content, 0, stored.strides)
    array = np.empty((n_runs, stored.shape[inner]), stored.dtype)
    for i in range(n_runs):
        file.seek(stored.offset + i * step)
        content = file.read(run.end - run.offset)
        array[i] = np.ndarray(run.shape[1:], stored.dtype, content, 0, run.strides[1:])
    return array if outer == 0 else array.T
