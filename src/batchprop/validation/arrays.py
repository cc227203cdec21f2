"""Checks of arrays: convertible to real numbers, rectangular, finite, within a dtype's range."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.validation.conversion import not_numbers
from batchprop.validation.error_text import message

Array = npt.NDArray[Any]

_BLOCK = 1 << 20  # elements that are searched for NaN and inf at a time
_HALF, _SINGLE, _DOUBLE = np.dtype("f2"), np.dtype("f4"), np.dtype("f8")
_NATIVE = (_SINGLE, _DOUBLE)


def real_array(name: str, value: npt.ArrayLike) -> Array:
    """Return an aligned float32 or float64 array in native byte order, copied only if needed."""
    if type(value) is np.ndarray and value.dtype in _NATIVE and value.flags.aligned:
        return value
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise TypeError(
            message(
                name,
                "be an array of real numbers",
                "a masked array with masked entries",
                "Fill them, or drop those samples (a sample_weight of 0 leaves a sample out).",
            )
        )
    if hasattr(value, "tocsr"):
        got, remedy = f"the sparse {type(value).__name__}", f"Pass {name}.toarray()."
        raise TypeError(message(name, "be a dense array of real numbers", got, remedy))
    try:
        array = np.asarray(value)
    except ValueError:
        got, remedy = "rows of different lengths", "Make all rows equally long."
        expected = "be a rectangular array of real numbers"
        raise ValueError(message(name, expected, got, remedy)) from None
    except Exception as error:  # whatever an object's own conversion raises
        reason = " ".join(str(error).split())[:100]
        got = f"{type(value).__name__}, which NumPy cannot read: {reason}"
        remedy = "Convert it to a NumPy array first."
        raise TypeError(message(name, "be an array of real numbers", got, remedy)) from None
    if array.dtype.kind not in "fiub":
        raise not_numbers(name, value, array)
    native = array.dtype.newbyteorder("=")
    if native not in _NATIVE:
        native = _SINGLE if native == _HALF else _DOUBLE
    with np.errstate(over="ignore"):  # a long double beyond float64 becomes inf, rejected later
        # require() copies only arrays that are misaligned, byte-swapped or of another dtype
        return np.require(array, dtype=native, requirements="A")


REMEDY = "Remove or impute such samples first."


def finite(name: str, array: Array, remedy: str = REMEDY, first_sample: int = 0) -> None:
    """Reject NaN and inf, and name the position of the first.

    ``first_sample`` is the index of the array's first sample, where it is a part of a table.
    The sum of an array with NaN or inf is never finite; computing it takes one pass and no memory.
    Only if it is not finite (overflow can also cause that) are the elements searched.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(array.sum()):
            return
    rows = array.reshape(1, -1) if array.ndim == 1 else array
    block_size = max(1, _BLOCK // rows.shape[0])
    for start in range(0, rows.shape[1], block_size):
        bad = np.argwhere(~np.isfinite(rows[:, start : start + block_size]))
        if bad.size:
            # the first column with such an entry: the first sample with one
            row, column = (int(position) for position in bad[bad[:, 1].argmin()])
            column += start
            sample = first_sample + column
            index = f"{sample}" if array.ndim == 1 else f"{row}, {sample}"
            got = f"{rows[row, column]} at {name}[{index}]"
            raise ValueError(message(name, "be finite", got, remedy))


def in_range(name: str, array: Array, dtype: npt.DTypeLike, remedy: str | None = None) -> None:
    """Reject finite values that would overflow in ``dtype``."""
    if array.dtype.itemsize <= np.dtype(dtype).itemsize:
        return
    largest = np.finfo(np.dtype(dtype)).max
    extreme = max(array.max(), -array.min())
    if extreme > largest:
        expected = f"stay within ±{largest:.3g}, the range of a {np.dtype(dtype)} network"
        remedy = remedy or f"Scale {name} down, or make the network float64."
        raise ValueError(message(name, expected, f"{extreme:.3g}", remedy))
