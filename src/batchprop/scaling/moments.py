"""Mean and standard deviation of each row of a table in memory, computed block by block.

Samples are cut into segments, and each segment into blocks.  A block is copied to float64 in one
memory order.  So the moments have the same bits for every memory order, for every dtype that holds
the same numbers, and for tables that are not in memory (``block_buffer``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop import segments
from batchprop.scaling.row_moments import RowMoments, exponents, unreliable_rows

Array = npt.NDArray[Any]

_BLOCK = 1 << 15  # numbers per block, which fit into the processor's L2 cache
_MIN_SAMPLES = 256  # per block, so that each NumPy call has enough work


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
        of_rows = _moments(table, weight)
        mean, variance = of_rows.mean, of_rows.variance
        std = np.sqrt(variance)
    unreliable = unreliable_rows(mean, variance)
    if unreliable is not None:
        with np.errstate(invalid="ignore"):  # NaN and inf stay
            exponent = exponents(*extremes(table, weight, unreliable, np.zeros(unreliable.size)))
            scaled = _moments(table, weight, unreliable, exponent)
            mean[unreliable] = np.ldexp(scaled.mean, exponent)
            std[unreliable] = np.ldexp(np.sqrt(scaled.variance), exponent)
    return mean, std, of_rows.first


def _moments(
    table: Array, weight: Array | None, rows: Array | None = None, exponent: Array | None = None
) -> RowMoments:
    """Return the moments of all rows or some, divided by 2^exponent if it is given."""
    n = table.shape[0] if rows is None else rows.size

    def of_range(samples: slice) -> RowMoments:
        of_rows = RowMoments(n)
        for block, w in _blocks(table, weight, rows, samples):
            of_rows.add(block, w, exponent)
        return of_rows

    return segments.tree_sum(table.shape[1], of_range, RowMoments.merged_with)


def extremes(table: Array, weight: Array | None, rows: Array, centre: Array) -> tuple[Array, Array]:
    """Return the smallest and largest x − centre over samples of positive weight, for some rows."""
    smallest, largest = np.full(rows.size, np.inf), np.full(rows.size, -np.inf)
    for block, _ in _blocks(table, weight, rows, slice(0, table.shape[1])):
        block -= centre[:, np.newaxis]
        np.minimum(smallest, block.min(axis=1), out=smallest)
        np.maximum(largest, block.max(axis=1), out=largest)
    return smallest, largest


def block_size(n_rows: int) -> int:
    """Return the number of samples of a block; the last one of a segment is shorter."""
    return max(_BLOCK // n_rows, _MIN_SAMPLES)


def present(block: Array, w: Array) -> tuple[Array, Array]:
    """Return the samples of a block that have a positive weight."""
    return (block, w) if w.all() else (np.compress(w > 0, block, axis=1), w[w > 0])


def _blocks(
    table: Array, weight: Array | None, rows: Array | None, samples: slice
) -> Iterator[tuple[Array, Array | None]]:
    """Yield float64 copies of successive blocks of a range of samples, and their weights."""
    n = table.shape[0] if rows is None else rows.size
    size = min(block_size(n), samples.stop - samples.start)
    buffer = np.empty(n * size)
    for start in range(samples.start, samples.stop, size):
        stop = min(start + size, samples.stop)
        columns = table[:, start:stop]
        block = buffer[: n * (stop - start)].reshape(n, -1)
        w = None if weight is None else weight[start:stop]
        if w is not None and not w.any():
            continue
        block[:] = columns if rows is None else columns[rows]
        yield (block, w) if w is None else present(block, w)
