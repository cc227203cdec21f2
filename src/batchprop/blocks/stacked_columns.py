"""Columns as the rows of one (e, n) array: a view where memory allows it, otherwise one copy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Column = Sequence[Array]
"""A column of a table as consecutive pieces, arrays of shape (n_1,), (n_2,), … of real numbers."""

_HALF, _SINGLE, _DOUBLE = np.dtype("f2"), np.dtype("f4"), np.dtype("f8")


def real_dtype(dtypes: Sequence[np.dtype[Any]]) -> np.dtype[Any]:
    """Return float32 if every dtype is float16 or float32, otherwise float64."""
    narrow = all(dtype.newbyteorder("=") in (_HALF, _SINGLE) for dtype in dtypes)
    return _SINGLE if narrow else _DOUBLE


def stacked(columns: Sequence[Column], dtype: np.dtype[Any] | None = None) -> Array:
    """Return columns as the rows of an array.

    Parameters
    ----------
    columns : sequence of Column
        At least one; all have the same number of entries.
    dtype : dtype, optional
        Of the result; None means float32 if all columns are float16 or float32, otherwise float64.

    Returns
    -------
    ndarray, shape (e, n)
        A read-only view if the columns have this dtype and begin at equal distances in memory, as
        in an array, in a record batch of Arrow and in most tables of pandas; otherwise a new array.
    """
    if dtype is None:
        dtype = real_dtype([piece.dtype for column in columns for piece in column])
    view = _view(columns, dtype)
    if view is not None:
        return view
    n = sum(piece.size for piece in columns[0])
    array = np.empty((len(columns), n), dtype)
    for row, column in zip(array, columns, strict=True):
        start = 0
        for piece in column:
            row[start : start + piece.size] = piece
            start += piece.size
    return array


class _Rows:
    """Describes memory of several arrays as one, and keeps these arrays."""

    def __init__(self, rows: list[Array], step: int) -> None:
        self.rows = rows
        first = rows[0]
        self.__array_interface__ = {
            "version": 3,
            "typestr": first.dtype.str,
            "shape": (len(rows), first.size),
            "strides": (step, first.strides[0]),
            "data": (first.ctypes.data, True),
        }


def _view(columns: Sequence[Column], dtype: np.dtype[Any]) -> Array | None:
    """Return the columns as a view, or None if their places in memory do not allow it."""
    if any(len(column) != 1 for column in columns):
        return None
    rows = [column[0] for column in columns]
    first = rows[0]
    if first.size == 0 or not dtype.isnative:
        return None
    for row in rows:
        alike = row.dtype == dtype and row.flags.aligned and row.strides == first.strides
        if not alike or row.shape != first.shape:
            return None
    starts = [row.ctypes.data for row in rows]
    steps = {after - before for before, after in zip(starts, starts[1:], strict=False)}
    if len(steps) > 1:
        return None
    return np.asarray(_Rows(rows, steps.pop() if steps else first.nbytes))
