"""The header of a .npy file: where its array is, and what it looks like."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from batchprop.blocks.file_names import shown
from batchprop.blocks.file_window import StoredArray
from batchprop.validation.error_text import message

_REMEDY = "Save it again with numpy.save."


def stored_array(path: Path) -> StoredArray:
    """Return the array of a .npy file, not read yet.

    Returns
    -------
    StoredArray
        Its first axis has the rows of the array in the file; a flat array is one column.

    Raises
    ------
    ValueError
        The file is no .npy file or incomplete, or its array has too many axes.
    OSError
        The file cannot be read.
    """
    shape, fortran_order, dtype, offset = _header(path)
    n_axes = 1 if dtype.names else 2
    if not 1 <= len(shape) <= n_axes:
        expected = f"have {'one axis' if dtype.names else 'one or two axes'}"
        got = f"shape {shape} in {shown(path)}"
        raise ValueError(message("array", expected, got, "Reshape it before it is saved."))
    if len(shape) == 1:
        shape = (*shape, 1)
    first = (dtype.itemsize, dtype.itemsize * shape[0])
    strides = first if fortran_order else (dtype.itemsize * shape[1], dtype.itemsize)
    stored = StoredArray(path, offset, (shape[0], shape[1]), strides, dtype)
    size = path.stat().st_size
    if stored.end > size:
        got = f"{size} bytes instead of {stored.end} in {shown(path)}"
        raise ValueError(message("array", "be complete", got, _REMEDY))
    return stored


def _header(path: Path) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Return the shape, whether columns are contiguous, the dtype, and where the array begins."""
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    with open(path, "rb") as file:
        try:
            version = np.lib.format.read_magic(file)
            if version not in readers:
                raise ValueError(f"version {version[0]}.{version[1]}")
            shape, fortran_order, dtype = readers[version](file)
        except ValueError as error:
            reason = " ".join(str(error).split())[:100]
            got = f"{shown(path)} ({reason})"
            raise ValueError(message("files", "be .npy files", got, _REMEDY)) from None
        return shape, fortran_order, dtype, file.tell()
