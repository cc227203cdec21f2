"""A warning about columns that are constant, or that the network's dtype cannot resolve."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.scaling.standardisation import Scaling
from batchprop.vocabulary import COLUMNS, Words

# From this ratio of rounding error to standard deviation on, a column's rounding makes the folded
# network noticeably worse than the one that was trained: a thousandth.
_TOO_COARSE = 2.0**-10

# Networks for standardised data may have weights of this size, which must not overflow when
# they are converted to raw units.
_LARGEST_WEIGHT = 2.0**5


def warn(
    scaling: Scaling,
    dtype: npt.DTypeLike,
    words: Words = COLUMNS,
    *,
    stacklevel: int,
    X: npt.NDArray[Any] | None = None,
    sample_weight: npt.NDArray[Any] | None = None,
) -> None:
    """Warn about columns that are ignored, and about columns too coarse or too wide for ``dtype``.

    Parameters
    ----------
    scaling : Scaling
        The standardisation of the data.
    dtype : dtype
        The network's dtype.
    words : Words
        What the user calls the tables.
    stacklevel : int
        Level of the user's call, counted from the caller of this function.
    X, sample_weight : ndarray, shapes (e, N) and (N,), or None
        The inputs that were standardised.  Only with ``words.constant_inputs_are_usual``, and only
        to distinguish rows of equal values from those that are constant to rounding.
    """
    x_factor = scaling.x_factor
    if words.constant_inputs_are_usual and X is not None:
        x_factor = np.where(_has_one_value(X, sample_weight, x_factor == 0), 1.0, x_factor)
    sentences = [
        *_constant(words, "X", x_factor, "ignored (weight 0)"),
        *_constant(words, "T", scaling.t_factor, "predicted as they are, by b_y alone"),
        *_coarse(words, "X", scaling.x_mean, scaling.x_factor, np.dtype(dtype)),
        *_coarse(words, "T", scaling.t_mean, scaling.t_factor, np.dtype(dtype)),
        *_beyond(words, "X", scaling.x_factor, "small", "scale such data up", np.dtype(dtype)),
        *_beyond(words, "T", scaling.t_scale, "large", "scale such data down", np.dtype(dtype)),
    ]
    if sentences:
        warnings.warn(" ".join(sentences), UserWarning, stacklevel=stacklevel + 1)


def _has_one_value(
    X: npt.NDArray[Any],
    sample_weight: npt.NDArray[Any] | None,
    examined: npt.NDArray[np.bool],
) -> npt.NDArray[np.bool]:
    """Return which of the examined rows have the same value in all samples that count."""
    equal = np.zeros(X.shape[0], np.bool)
    counts = np.s_[:] if sample_weight is None else sample_weight > 0
    for row in np.flatnonzero(examined):
        values = X[row, counts]
        equal[row] = (values == values[0]).all()
    return equal


def _constant(words: Words, name: str, factor: npt.NDArray[Any], treatment: str) -> list[str]:
    """Return a sentence about rows that are constant, or nothing."""
    if np.count_nonzero(factor) == factor.size:
        return []
    rows = np.flatnonzero(factor == 0)
    return [f"Constant, or so to rounding, and therefore {treatment}: {words.lines(name, rows)}."]


def _coarse(
    words: Words,
    name: str,
    mean: npt.NDArray[Any],
    factor: npt.NDArray[Any],
    dtype: np.dtype[Any],
) -> list[str]:
    """Return a sentence about rows whose mean uses up the digits of the folded network."""
    ratio = np.abs(mean) * factor
    too_coarse = ratio * (np.finfo(dtype).eps / 2) > _TOO_COARSE
    if not np.count_nonzero(too_coarse):
        return []
    rows = np.flatnonzero(too_coarse)
    worst = rows[ratio[rows].argmax()]
    return [
        f"The mean of {words.lines(name, rows)} is up to {ratio[worst]:.2g} times the deviation, "
        f"so that a {dtype} network on raw units loses digits. "
        f"{_remedy(words, dtype, 'subtract an offset from such data')} first."
    ]


def _beyond(
    words: Words,
    name: str,
    factor: npt.NDArray[Any],
    size: str,
    remedy: str,
    dtype: np.dtype[Any],
) -> list[str]:
    """Return a sentence about rows whose weights, times ``factor``, would overflow ``dtype``."""
    too_large = factor > np.finfo(dtype).max / _LARGEST_WEIGHT
    if not np.count_nonzero(too_large):
        return []
    rows = np.flatnonzero(too_large)
    return [
        f"The deviation of {words.lines(name, rows)} is so {size} that a {dtype} network on raw "
        f"units cannot hold weights for it. {_remedy(words, dtype, remedy)} first."
    ]


def _remedy(words: Words, dtype: np.dtype[Any], change: str) -> str:
    """Return what to do about data that a network of ``dtype`` cannot represent."""
    if dtype != np.float32:
        return change.capitalize()
    double = "Pass X as float64" if words.rows_are_samples else 'Use dtype="float64"'
    return f"{double}, or {change}"
