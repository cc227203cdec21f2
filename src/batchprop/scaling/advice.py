"""One warning about columns that carry nothing, or less than the network's dtype can tell."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.scaling.definition import Scaling

_NAMED = 8  # rows named at most
# Rounding of a row's raw values, over its deviation, from which the folded network is worse than
# the one that was trained by more than noise: a thousandth.
_TOO_COARSE = 2.0**-10


def warn(scaling: Scaling, dtype: npt.DTypeLike, stacklevel: int) -> None:
    """Say which columns are ignored, and which a network of ``dtype`` cannot resolve.

    Parameters
    ----------
    scaling : Scaling
        What the data are standardised by.
    dtype : dtype
        Of the network.
    stacklevel : int
        Of the user's call, seen from the caller of this function.
    """
    sentences = [
        *_constant("X", scaling.x_factor, "ignored (weight 0)"),
        *_constant("T", scaling.t_factor, "predicted as they are, by b_y alone"),
        *_coarse("X", scaling.x_mean, scaling.x_factor, np.dtype(dtype)),
        *_coarse("T", scaling.t_mean, scaling.t_factor, np.dtype(dtype)),
    ]
    if sentences:
        warnings.warn(" ".join(sentences), UserWarning, stacklevel=stacklevel + 1)


def _constant(name: str, factor: npt.NDArray[Any], treatment: str) -> list[str]:
    """Return a sentence about rows without variation, if there are any."""
    rows = np.flatnonzero(factor == 0)
    if not rows.size:
        return []
    return [f"Constant, or so to rounding, and therefore {treatment}: {_named(name, rows)}."]


def _coarse(
    name: str, mean: npt.NDArray[Any], factor: npt.NDArray[Any], dtype: np.dtype[Any]
) -> list[str]:
    """Return a sentence about rows whose mean takes up the digits of the folded network."""
    ratio = np.abs(mean) * factor
    rows = np.flatnonzero(ratio * (np.finfo(dtype).eps / 2) > _TOO_COARSE)
    if not rows.size:
        return []
    worst = rows[ratio[rows].argmax()]
    use = 'Use dtype="float64", or subtract' if dtype == np.float32 else "Subtract"
    return [
        f"The mean of {_named(name, rows)} is up to {ratio[worst]:.2g} times the deviation, so "
        f"that a {dtype} network on raw units loses digits. {use} an offset from "
        f"such data first."
    ]


def _named(name: str, rows: npt.NDArray[Any]) -> str:
    """Return "rows 1, 4 of X (columns 1, 4 of a table with samples as rows)"."""
    listed = ", ".join(str(row) for row in rows[:_NAMED])
    listed += f" and {rows.size - _NAMED} more" if rows.size > _NAMED else ""
    plural = "s" if rows.size > 1 else ""
    return (
        f"row{plural} {listed} of {name} (column{plural} {listed} of a table with samples as rows)"
    )
