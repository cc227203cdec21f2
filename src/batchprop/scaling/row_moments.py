"""Mean and sum of squares of each row, of samples that are added block by block.

A block is centred on its own mean and merged into what has been added before, with the update
formula of Chan, Golub and LeVeque (*Updating formulae and a pairwise algorithm for computing sample
variances*, 1979).  This takes one pass and is accurate for any offset of the data.  The same
formula merges segments of samples.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

# Variances outside this range lose digits in float64 or overflow.
_SMALLEST, _LARGEST = 2.0**-900, 2.0**900


class RowMoments:
    """Moments of the rows of a table, over the samples of positive weight that were added.

    Parameters
    ----------
    n_rows : int
        Number of rows, n.

    Attributes
    ----------
    total : float
        Σ w; 0 as long as no sample of positive weight has been added.
    mean, square_sum : ndarray, shape (n,)
        Σ w x / Σ w and Σ w (x − mean)², float64.
    first : ndarray, shape (n,)
        x of the first sample; undefined as long as ``total`` is 0.
    """

    __slots__ = ("first", "mean", "square_sum", "total")

    def __init__(self, n_rows: int) -> None:
        self.total = 0.0
        self.mean, self.square_sum = np.zeros(n_rows), np.zeros(n_rows)
        self.first = np.empty(n_rows)

    def add(self, block: Array, w: Array | None, exponent: Array | None = None) -> None:
        """Add samples.

        Parameters
        ----------
        block : ndarray, shape (n, samples)
            float64 numbers, C-contiguous; they are overwritten.
        w : ndarray, shape (samples,), or None
            Their weights, all positive.
        exponent : ndarray of int, shape (n,), or None
            Each row is divided by 2^exponent first; ``first`` is not.
        """
        if self.total == 0.0:
            self.first[:] = block[:, 0]
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
        self._merge(block_weight, centre + residual_mean, squares)

    def merged_with(self, later: RowMoments) -> RowMoments:
        """Return the moments of these samples and of those that follow; changes ``self``."""
        if later.total == 0.0:
            return self
        if self.total == 0.0:
            return later
        self._merge(later.total, later.mean, later.square_sum)
        return self

    @property
    def variance(self) -> Array:
        """Σ w (x − mean)² / Σ w of each row."""
        return np.maximum(self.square_sum, 0.0) / self.total

    def _merge(self, total: float, mean: Array, square_sum: Array) -> None:
        difference = mean - self.mean
        share = total / (self.total + total)
        self.square_sum += square_sum + difference * difference * (self.total * share)
        self.mean += difference * share
        self.total += total


def unreliable_rows(mean: Array, variance: Array) -> Array | None:
    """Return the rows whose moments need another pass, with numbers that are scaled first.

    Their squares overflow, or are so small that they lose digits.  None if there are none.
    """
    # NaN fails the comparisons.
    reliable = (variance >= _SMALLEST) & (variance <= _LARGEST)
    if np.count_nonzero(reliable) == reliable.size:
        return None
    # Next to a mean that is not tiny, so small a variance is rounding: scaling does not help.
    reliable |= (variance < _SMALLEST) & (np.abs(mean) > 2.0**-400)
    rows = np.flatnonzero(~reliable)
    return rows if rows.size else None


def exponents(smallest: Array, largest: Array) -> Array:
    """Return for each row the exponent by which its numbers become at most 1 in size."""
    return np.asarray(np.frexp(np.maximum(-smallest, largest))[1])
