"""Mean and deviation of each row of a table, block by block.

Each block of samples is copied to float64 in one memory order, centred on its own mean and added
to what came before by the update of Chan, Golub and LeVeque (*Updating formulae and a pairwise
algorithm for computing sample variances*, 1979): one pass, exact to rounding for any offset, and
the same bits for every memory order and dtype that holds the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_BLOCK = 1 << 15  # numbers of a block: they stay in the processor's second cache
_LEAST = 256  # samples of a block at least, so that its rows are worth a call
# Squares of deviations below and above lose digits in float64, or overflow.
_SMALLEST, _LARGEST = 2.0**-900, 2.0**900


def moments(table: Array, weight: Array | None) -> tuple[Array, Array, Array]:
    """Return mean, deviation and first value of each row.

    Parameters
    ----------
    table : ndarray, shape (n, N)
        Finite float32 or float64 numbers, in any memory order.
    weight : ndarray, shape (N,), or None
        Non-negative weights with a positive sum; samples of weight 0 are not looked at.

    Returns
    -------
    mean, deviation, first : ndarray, shape (n,)
        float64: Σ w x / Σ w, the root of Σ w (x − mean)² / Σ w, and x of the first sample whose
        weight is positive.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # such rows are done again, scaled
        mean, variance, first = _moments(table, weight)
    deviation = np.sqrt(variance)
    # NaN fails the comparison, too.  A mean that is not small hides deviations as small as these.
    good = (variance >= _SMALLEST) & (variance <= _LARGEST)
    good |= (variance < _SMALLEST) & (np.abs(mean) > 2.0**-400)
    again = np.flatnonzero(~good)
    if again.size:
        least, largest = extremes(table, weight, again, np.zeros(again.size))
        exponent = np.frexp(np.maximum(-least, largest))[1]
        scaled_mean, scaled_variance, _ = _moments(table, weight, again, exponent)
        mean[again] = np.ldexp(scaled_mean, exponent)
        deviation[again] = np.ldexp(np.sqrt(scaled_variance), exponent)
    return mean, deviation, first


def _moments(
    table: Array, weight: Array | None, rows: Array | None = None, exponent: Array | None = None
) -> tuple[Array, Array, Array]:
    """Return mean, variance and first value of each row, or of some rows, over 2^exponent."""
    n = table.shape[0] if rows is None else rows.size
    total, mean, square_sum, first = 0.0, np.zeros(n), np.zeros(n), np.empty(n)
    for block, w in _blocks(table, weight, rows):
        if total == 0.0:
            first[:] = block[:, 0]
        if exponent is not None:
            np.ldexp(block, -exponent[:, np.newaxis], out=block)
        if w is None:
            added = float(block.shape[1])
            centre = block.sum(axis=1) / added
            block -= centre[:, np.newaxis]
            rest = block.sum(axis=1) / added
            squares = np.einsum("ij,ij->i", block, block)
        else:
            added = float(w.sum())
            centre = np.einsum("ij,j->i", block, w) / added
            block -= centre[:, np.newaxis]
            rest = np.einsum("ij,j->i", block, w) / added
            squares = np.einsum("ij,ij,j->i", block, block, w)
        squares -= rest * rest * added  # the centre was rounded: what is left is its error
        step = centre + rest - mean
        share = added / (total + added)
        square_sum += squares + step * step * (total * share)
        mean += step * share
        total += added
    return mean, np.maximum(square_sum, 0.0) / total, first


def extremes(table: Array, weight: Array | None, rows: Array, centre: Array) -> tuple[Array, Array]:
    """Return the least and the largest x − centre of samples with a positive weight, row by row."""
    least, largest = np.full(rows.size, np.inf), np.full(rows.size, -np.inf)
    for block, _ in _blocks(table, weight, rows):
        block -= centre[:, np.newaxis]
        np.minimum(least, block.min(axis=1), out=least)
        np.maximum(largest, block.max(axis=1), out=largest)
    return least, largest


def mean_squares(table: Array, weight: Array | None, rows: Array, centre: Array) -> Array:
    """Return Σ w (x − centre)² / Σ w for some rows of a table."""
    squares, total = np.zeros(rows.size), 0.0
    for block, w in _blocks(table, weight, rows):
        block -= centre[:, np.newaxis]
        w = np.ones(block.shape[1]) if w is None else w
        squares += np.einsum("ij,ij,j->i", block, block, w)
        total += float(w.sum())
    return squares / total


def _blocks(
    table: Array, weight: Array | None, rows: Array | None
) -> Iterator[tuple[Array, Array | None]]:
    """Yield float64 copies of neighbouring samples, which may be written to, and their weights."""
    n, n_samples = table.shape if rows is None else (rows.size, table.shape[1])
    size = min(max(_BLOCK // n, _LEAST), n_samples)
    memory = np.empty(n * size)
    for start in range(0, n_samples, size):
        part = table[:, start : start + size]
        block = memory[: n * part.shape[1]].reshape(n, -1)
        w = None if weight is None else weight[start : start + size]
        if w is not None and not w.any():
            continue
        block[:] = part if rows is None else part[rows]
        if w is not None and not w.all():
            yield np.compress(w > 0, block, axis=1), w[w > 0]
        else:
            yield block, w
