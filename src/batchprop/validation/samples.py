"""Checks of the data: inputs X (e, N), targets T (s, N), one weight a sample."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.validation.arrays import finite, in_range, real_array
from batchprop.validation.messages import message

Array = npt.NDArray[Any]


def inputs(
    X: npt.ArrayLike,
    n_inputs: int | None = None,
    name: str = "X",
    dtype: npt.DTypeLike | None = None,
) -> Array:
    """Return X as a finite (e, N) array with e, N ≥ 1, within the range of ``dtype``."""
    array = real_array(name, X)
    e = "e" if n_inputs is None else n_inputs
    expected = f"have shape ({e}, N), one row an input and one column a sample"
    got = f"shape {array.shape}"
    if array.ndim != 2:
        remedy = (
            f"Pass {name}[np.newaxis, :] if it is one input of many samples, "
            f"{name}[:, np.newaxis] if it is one sample of many inputs."
            if array.ndim == 1
            else "Pass a table with two axes."
        )
        raise ValueError(message(name, expected, got, remedy))
    if array.size == 0:
        remedy = "There must be at least one input and one sample: check how it was selected."
        raise ValueError(message(name, expected, got, remedy))
    if n_inputs is not None and array.shape[0] != n_inputs:
        remedy = (
            f"If rows are samples in your table, pass {name}.T."
            if array.shape[1] == n_inputs
            else f"Pass the inputs that the network was made for, or make one with "
            f"{array.shape[0]} inputs."
        )
        raise ValueError(message(name, expected, got, remedy))
    finite(name, array)
    if dtype is not None:
        in_range(name, array, dtype)
    return array


def targets(
    T: npt.ArrayLike,
    X: Array,
    n_outputs: int | None = None,
    names: str = "X T",
    dtype: npt.DTypeLike | None = None,
) -> Array:
    """Return T as a finite (s, N) array that belongs to X (e, N), within the range of ``dtype``."""
    name_x, name = names.split()
    array = real_array(name, T)
    s = "s" if n_outputs is None else n_outputs
    expected = (
        f"have shape ({s}, {X.shape[1]}), one row an output and one column a sample, "
        f"like the {X.shape[1]} columns of {name_x} {X.shape}"
    )
    fits = array.ndim == 2 and array.shape[0] > 0 and array.shape[1] == X.shape[1]
    if not fits or (n_outputs is not None and array.shape[0] != n_outputs):
        remedy = _remedy(array.shape, X.shape, n_outputs, name_x, name)
        raise ValueError(message(name, expected, f"shape {array.shape}", remedy))
    finite(name, array)
    if dtype is not None:
        in_range(name, array, dtype)
    return array


def _remedy(
    given: tuple[int, ...], x: tuple[int, ...], n_outputs: int | None, name_x: str, name: str
) -> str:
    """Return what to do about targets whose shape does not fit, judging by the shapes."""
    rows_x, n_samples = x
    match given:
        case (length,) if length == n_samples:
            return f"Pass {name}[np.newaxis, :]."
        case (length,) if length == rows_x:
            return f"Rows seem to be samples: pass {name_x}.T and {name}[np.newaxis, :]."
        case (_, columns) if columns == n_samples and n_outputs is not None:
            return f"Pass one row an output, or make a network with {given[0]} outputs."
        case (rows, _) if rows == n_samples:
            return f"Rows seem to be samples: pass {name}.T."
        case (rows, _) if rows == rows_x:
            return f"Rows seem to be samples: pass {name_x}.T and {name}.T."
        case (_, columns) if columns == rows_x:
            return f"Samples are columns here: if they are rows of {name_x}, pass {name_x}.T."
    return f"Let {name_x} and {name} describe the same samples, as columns."


def sample_weight(weight: npt.ArrayLike | None, n_samples: int) -> Array | None:
    """Return finite, non-negative weights (N,) with a positive sum, as float64, or None."""
    if weight is None:
        return None
    name = "sample_weight"
    array = real_array(name, weight)
    if array.shape != (n_samples,):
        remedy = (
            f"Pass {name}.ravel()."
            if array.size == n_samples
            else "Pass a flat array as long as X has columns."
        )
        expected = f"have shape ({n_samples},), one weight a sample"
        raise ValueError(message(name, expected, f"shape {array.shape}", remedy))
    finite(name, array)
    if array.min() < 0:
        got = f"{array.min()} at {name}[{int(array.argmin())}]"
        remedy = "Use 0 to leave a sample out."
        raise ValueError(message(name, "be non-negative", got, remedy))
    largest = float(array.max())
    if largest == 0:
        remedy = "Give at least one sample a positive weight."
        raise ValueError(message(name, "have a positive sum", "zeros only", remedy))
    array = np.ascontiguousarray(array, np.float64)
    # Only ratios count.  A power of two changes no digit and keeps sums and float32 copies of
    # extreme weights from overflowing or vanishing.
    exponent = int(np.frexp(largest)[1])
    return np.ldexp(array, -exponent) if abs(exponent) > 60 else array
