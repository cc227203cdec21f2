"""Checks of the data: inputs X (e, N), targets T (s, N), one weight per sample."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.validation.arrays import finite, in_range, real_array
from batchprop.validation.error_text import message
from batchprop.validation.orientation import inputs_remedy, tables_remedy

Array = npt.NDArray[Any]

MAX_EXPONENT = 60  # of the largest weight, as a power of 2; weights beyond are rescaled


def inputs(
    X: npt.ArrayLike,
    n_inputs: int | None = None,
    name: str = "X",
    dtype: npt.DTypeLike | None = None,
) -> Array:
    """Return X as a finite (e, N) array with e, N ≥ 1, within the range of ``dtype``."""
    array = real_array(name, X)
    if not _is_table(array, n_inputs):
        transpose_advice = inputs_remedy(array.shape, name, n_inputs)
        raise _inputs_error(array, n_inputs, name, transpose_advice)
    finite(name, array)
    if dtype is not None:
        in_range(name, array, dtype)
    return array


def tables(
    X: npt.ArrayLike,
    T: npt.ArrayLike,
    n_inputs: int | None = None,
    n_outputs: int | None = None,
    names: tuple[str, str] = ("X", "T"),
    dtype: npt.DTypeLike | None = None,
    check_finite: bool = True,
) -> tuple[Array, Array]:
    """Return X and T as finite (e, N) and (s, N) arrays, within the range of ``dtype``.

    ``dtype`` None means that of X.  Both shapes are used to recognise transposed tables.  With
    ``check_finite=False`` NaN and inf are left to the caller.
    """
    x, t = real_array(names[0], X), real_array(names[1], T)
    targets_fit = _is_table(t, n_outputs) and t.shape[1:] == x.shape[1:]
    if not (_is_table(x, n_inputs) and targets_fit):
        transpose_advice = tables_remedy(x.shape, t.shape, names, n_inputs, n_outputs)
        if not _is_table(x, n_inputs):
            transpose_advice = transpose_advice or inputs_remedy(x.shape, names[0], n_inputs)
            raise _inputs_error(x, n_inputs, names[0], transpose_advice)
        raise _targets_error(t, x, n_outputs, names, transpose_advice)
    dtype = x.dtype if dtype is None else dtype
    for name, table in zip(names, (x, t), strict=True):
        if check_finite:
            finite(name, table)
        in_range(name, table, dtype)
    return x, t


def _is_table(array: Array, n_rows: int | None) -> bool:
    return array.ndim == 2 and array.size > 0 and n_rows in (None, array.shape[0])


def _inputs_error(
    array: Array, n_inputs: int | None, name: str, transpose_advice: str | None
) -> ValueError:
    """Return the error for inputs whose shape does not fit."""
    e = "e" if n_inputs is None else n_inputs
    expected = f"have shape ({e}, N), one row an input and one column a sample"
    if transpose_advice is not None:
        remedy = transpose_advice
    elif array.size == 0:
        remedy = "There must be at least one input and one sample: check how it was selected."
    elif array.ndim == 1 and n_inputs is None:
        remedy = f"Pass {name}[np.newaxis, :] if it is one input of many samples."
    elif array.ndim != 2:
        remedy = f"Pass a table with two axes: {e} rows, one an input."
    else:
        remedy = f"Pass {e} row{'s'[: e != 1]}, one an input."
    return ValueError(message(name, expected, f"shape {array.shape}", remedy))


def _targets_error(
    array: Array,
    X: Array,
    n_outputs: int | None,
    names: tuple[str, str],
    transpose_advice: str | None,
) -> ValueError:
    """Return the error for targets whose shape does not fit the inputs."""
    name_x, name = names
    s, n_samples = "s" if n_outputs is None else n_outputs, X.shape[1]
    expected = (
        f"have shape ({s}, {n_samples}), one row an output and one column a sample, "
        f"like the {n_samples} column{'s'[: n_samples != 1]} of {name_x} {X.shape}"
    )
    if transpose_advice is not None:
        remedy = transpose_advice
    elif array.shape[-1:] == (n_samples,) and n_outputs is not None:
        remedy = f"Pass {n_outputs} row{'s'[: n_outputs > 1]}, one an output."
    else:
        remedy = f"Let {name_x} and {name} describe the same samples, as columns."
    return ValueError(message(name, expected, f"shape {array.shape}", remedy))


def sample_weight(
    weight: npt.ArrayLike | None,
    n_samples: int,
    n_rows: int | None = None,
    name: str = "sample_weight",
    table: str = "X",
) -> Array | None:
    """Return finite, non-negative weights (N,) with a positive sum, as float64, or None.

    ``n_rows`` is the number of rows of the tables; as many weights suggest that rows are samples.
    ``name`` and ``table`` are the names of the weights and of the inputs.
    """
    if weight is None:
        return None
    array = real_array(name, weight)
    if array.shape != (n_samples,):
        remedy = f"Pass a flat array as long as {table} has columns."
        if array.size == n_samples:
            remedy = f"Pass {name}.ravel()."
        elif array.size == n_rows:
            remedy = f"Rows of {table} seem to be samples: pass X.T, and T.T. {remedy}"
        expected = f"have shape ({n_samples},), one weight a sample"
        raise ValueError(message(name, expected, f"shape {array.shape}", remedy))
    part_of_weights(name, array)
    largest = float(array.max())
    if largest == 0:
        raise no_positive_weight(name)
    array = np.ascontiguousarray(array, np.float64)
    # Only ratios matter.  Dividing by a power of two is exact and keeps sums and float32 copies of
    # extreme weights from overflowing or underflowing.
    exponent = int(np.frexp(largest)[1])
    return np.ldexp(array, -exponent) if abs(exponent) > MAX_EXPONENT else array


def part_of_weights(name: str, weights: Array, first_sample: int = 0) -> None:
    """Reject weights that are NaN, infinite or negative.

    ``first_sample`` is the index of their first sample, where they are a part of all weights.
    """
    finite(name, weights, first_sample=first_sample)
    if weights.size and weights.min() < 0:
        got = f"{weights.min()} at {name}[{first_sample + int(weights.argmin())}]"
        remedy = "Use 0 to leave a sample out."
        raise ValueError(message(name, "be non-negative", got, remedy))


def largest_of_unscaled_weights(name: str, largest: float) -> None:
    """Reject the largest of weights that are not in memory, if they would have to be rescaled.

    ``sample_weight`` rescales such weights.
    """
    if largest == 0:
        raise no_positive_weight(name)
    if abs(int(np.frexp(largest)[1])) > MAX_EXPONENT:
        expected = f"have a largest value between 2^-{MAX_EXPONENT} and 2^{MAX_EXPONENT}"
        remedy = "Divide all weights by their mean: only their ratios matter."
        raise ValueError(message(name, expected, f"{largest:.3g}", remedy))


def no_positive_weight(name: str) -> ValueError:
    """Return the error for weights that are all 0."""
    remedy = "Give at least one sample a positive weight."
    return ValueError(message(name, "have a positive sum", "zeros only", remedy))
