"""What one pass over a table collects to standardise it: moments, extremes, the dtype."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop.scaling.moments import present
from batchprop.scaling.row_moments import RowMoments, exponents, unreliable_rows

Array = npt.NDArray[Any]


class Rescaling(NamedTuple):
    """Rows whose moments are computed again, from numbers that are divided by 2^exponent.

    Attributes
    ----------
    rows, exponent : ndarray of int, shape (rows,)
        Which rows, and the exponent of each.
    """

    rows: Array
    exponent: Array


class RowStatistics:
    """Statistics of the rows of a table, over the samples of positive weight.

    Parameters
    ----------
    n_rows : int
        Number of rows, n.
    dtype : dtype
        float32 or float64, that of the table.

    Attributes
    ----------
    moments : RowMoments
        Mean, sum of squares and first value.
    smallest, largest : ndarray, shape (n,)
        The extreme values.
    dtype : dtype
        That of the table.
    """

    def __init__(self, n_rows: int, dtype: np.dtype[Any]) -> None:
        self.moments, self.dtype = RowMoments(n_rows), dtype
        self.smallest, self.largest = np.full(n_rows, np.inf), np.full(n_rows, -np.inf)

    def add(self, block: Array, w: Array | None) -> None:
        """Add a block of ``BlockBuffer``; it is overwritten."""
        if w is not None:
            if not w.any():
                return
            block, w = present(block, w)
        np.minimum(self.smallest, block.min(axis=1), out=self.smallest)
        np.maximum(self.largest, block.max(axis=1), out=self.largest)
        with np.errstate(over="ignore", invalid="ignore"):  # see ``rescaling``
            self.moments.add(block, w)

    def merged_with(self, later: RowStatistics) -> RowStatistics:
        """Return the statistics of these samples and of those that follow; changes ``self``."""
        with np.errstate(over="ignore", invalid="ignore"):
            self.moments = self.moments.merged_with(later.moments)
        np.minimum(self.smallest, later.smallest, out=self.smallest)
        np.maximum(self.largest, later.largest, out=self.largest)
        self.dtype = np.promote_types(self.dtype, later.dtype)
        return self

    @property
    def rescaling(self) -> Rescaling | None:
        """What a second pass has to do where squares overflow or lose digits; None if nothing."""
        with np.errstate(over="ignore", invalid="ignore"):
            rows = unreliable_rows(self.moments.mean, self.moments.variance)
        if rows is None:
            return None
        return Rescaling(rows, exponents(self.smallest[rows], self.largest[rows]))

    def mean_and_std(self, rescaled: RowMoments | None = None) -> tuple[Array, Array]:
        """Return mean and standard deviation of each row.

        Parameters
        ----------
        rescaled : RowMoments or None
            The moments that the second pass has collected, if there was one.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            mean, std = self.moments.mean.copy(), np.sqrt(self.moments.variance)
        rescaling = self.rescaling
        if rescaling is not None and rescaled is not None:
            rows, exponent = rescaling
            mean[rows] = np.ldexp(rescaled.mean, exponent)
            std[rows] = np.ldexp(np.sqrt(rescaled.variance), exponent)
        return mean, std
