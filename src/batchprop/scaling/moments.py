"""Mean and standard deviation of each row of a table, computed block by block.

Each block of samples is copied to float64 in one memory order, centred on its own mean and merged
into the running moments with the update formula of Chan, Golub and LeVeque (*Updating formulae and
a pairwise algorithm for computing sample variances*, 1979).  This takes one pass, is accurate for
any offset of the data, and gives the same bits for every memory order and every dtype that holds
the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_BLOCK = 1 << 15  # numbers per block, which fit into the processor's L2 cache
_MIN_SAMPLES = 256  # per block, so that each NumPy call has enough work
# Variances outside this range lose digits in float64 or overflow.
_SMALLEST, _LARGEST = 2.0**-900, 2.0**900


def moments(table: Array, weight: Array | None) -> tuple[Array, Array, Array]:
    """Return mean, standard deviation and first value of each row.

    Parameters
    ----------
    table : ndarray, shape (n, N)
        float32 or float64 numbers, in any memory order.  Mean and standard deviation of a row are
        NaN or infinite if, and only if, one of its numbers is (of positive weight).
    weight : ndarray, shape (N,), or None
        Non-negative weights with a positive sum; samples of weight 0 are skipped.

    Returns
    -------
    mean, std, first : ndarray, shape (n,)
        float64: Σ w x / Σ w, the square root of Σ w (x − mean)² / Σ w, and x of the first sample
        with a positive weight.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # such rows are repeated below, scaled
        mean, variance, first = _moments(table, weight)
        std = np.sqrt(variance)
    # NaN fails the comparisons.  Next to a mean that is not tiny, so small a variance is rounding,
    # which scaling cannot improve.
    reliable = (variance >= _SMALLEST) & (variance <= _LARGEST)
    if np.count_nonzero(reliable) == reliable.size:
        return mean, std, first
    reliable |= (variance < _SMALLEST) & (np.abs(mean) > 2.0**-400)
    unreliable = np.flatnonzero(~reliable)
    if unreliable.size:
        with np.errstate(invalid="ignore"):  # NaN and inf stay
            smallest, largest = extremes(table, weight, unreliable, np.zeros(unreliable.size))
            exponent = np.frexp(np.maximum(-smallest, largest))[1]
            scaled_mean, scaled_variance, _ = _moments(table, weight, unreliable, exponent)
            mean[unreliable] = np.ldexp(scaled_mean, exponent)
            std[unreliable] = np.ldexp(np.sqrt(scaled_variance), exponent)
    return mean, std, first


def _moments(
    table: Array, weight: Array | None, rows: Array | None = None, exponent: Array | None = None
) -> tuple[Array, Array, Array]:
    """Return mean, variance and first value of all rows or some, divided by 2^exponent if given."""
    n = table.shape[0] if rows is None else rows.size
    total, mean, square_sum, first = 0.0, np.zeros(n), np.zeros(n), np.empty(n)
    for block, w in _blocks(table, weight, rows):
        if total == 0.0:
            first[:] = block[:, 0]
        if exponent is not None:
            np.ldexp(block, -exponent[:, np.newaxis], out=block)
        if w is None:
            block_weight = float(block.shape[1])
            centre = block.sum(axis=1) / block_weight
            block -= centre[:, np.newaxis]
            residual_mean = block.sum(axis=1) / block_weight
            squares = np.einsum("ij,ij->i", block, block)
        else:
            block_weight = float(w.sum())
            centre = np.einsum("ij,j->i", block, w) / block_weight
            block -= centre[:, np.newaxis]
            residual_mean = np.einsum("ij,j->i", block, w) / block_weight
            squares = np.einsum("ij,ij,j->i", block, block, w)
        squares -= residual_mean * residual_mean * block_weight  # the centre was rounded
        difference = centre + residual_mean - mean
        share = block_weight / (total + block_weight)
        square_sum += squares + difference * difference * (total * share)
        mean += difference * share
        total += block_weight
    return mean, np.maximum(square_sum, 0.0) / total, first


def extremes(table: Array, weight: Array | None, rows: Array, centre: Array) -> tuple[Array, Array]:
    """Return the smallest and largest x − centre over samples of positive weight, for some rows."""
    smallest, largest = np.full(rows.size, np.inf), np.full(rows.size, -np.inf)
    for block, _ in _blocks(table, weight, rows):
        block -= centre[:, np.newaxis]
        np.minimum(smallest, block.min(axis=1), out=smallest)
        np.maximum(largest, block.max(axis=1), out=largest)
    return smallest, largest


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
    """Yield float64 copies of successive blocks of samples, and their weights."""
    n, n_samples = table.shape if rows is None else (rows.size, table.shape[1])
    size = min(max(_BLOCK // n, _MIN_SAMPLES), n_samples)
    buffer = np.empty(n * size)
    for start in range(0, n_samples, size):
        columns = table[:, start : start + size]
        block = buffer[: n * columns.shape[1]].reshape(n, -1)
        w = None if weight is None else weight[start : start + size]
        if w is not None and not w.any():
            continue
        block[:] = columns if rows is None else columns[rows]
        if w is not None and not w.all():
            yield np.compress(w > 0, block, axis=1), w[w > 0]
        else:
            yield block, w
