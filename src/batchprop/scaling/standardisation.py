"""The standardisation of columns: its means and factors, and their application to arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from batchprop.scaling.moments import extremes, moments
from batchprop.scaling.row_moments import RowMoments
from batchprop.scaling.row_statistics import RowStatistics

Array = npt.NDArray[Any]

# A row is constant if its largest and smallest numbers are at most this many units in the last
# place (ulps) of the larger one apart.  float64 columns are often computed, and sums of a few terms
# are off by some ulps; float32 columns are mostly measured, and a difference of two ulps is a
# signal.
CONSTANT_ULPS = {np.dtype("f4"): 1.0, np.dtype("f8"): 16.0}


class Scaling(NamedTuple):
    """Means and factors: x̃ = (x − x_mean)·x_factor and t̃ = (t − t_mean)·t_factor, in float64.

    Attributes
    ----------
    x_mean, x_factor : ndarray, shape (e,)
        Mean and 1/std of each input; the factor of a constant input is 0.
    t_mean, t_factor, t_scale : ndarray, shape (s,)
        Mean, 1/std and std of each target; factor and scale of a constant target are 0.
    """

    x_mean: Array
    x_factor: Array
    t_mean: Array
    t_factor: Array
    t_scale: Array

    @classmethod
    def of(cls, X: Array, T: Array, sample_weight: Array | None = None) -> Self:
        """Return the scaling that gives every column mean 0 and standard deviation 1.

        Parameters
        ----------
        X : ndarray, shape (e, N)
            Checked inputs, float32 or float64, in any memory order.
        T : ndarray, shape (s, N)
            Checked targets.
        sample_weight : ndarray, shape (N,), or None
            Checked weights: a weight of 2 equals a repeated sample, 0 a missing one.

        Notes
        -----
        std is that of the population, std² = Σ w (x − mean)² / Σ w.  The computation takes one pass
        over each array and the memory of one block of samples, and gives the same bits for every
        memory order.
        """
        x_mean, x_scale = _mean_and_scale(X, sample_weight)
        t_mean, t_scale = _mean_and_scale(T, sample_weight)
        return cls(x_mean, _factor(x_scale), t_mean, _factor(t_scale), t_scale)

    @classmethod
    def of_statistics(
        cls,
        x: RowStatistics,
        t: RowStatistics,
        x_rescaled: RowMoments | None = None,
        t_rescaled: RowMoments | None = None,
    ) -> Self:
        """Return the scaling of tables that were read once; the same bits as from ``of``.

        Parameters
        ----------
        x, t : RowStatistics
            Those of X and T.
        x_rescaled, t_rescaled : RowMoments or None
            The moments of the second pass that ``RowStatistics.rescaling`` has asked for.
        """
        x_mean, x_scale = _mean_and_scale_of(x, x_rescaled)
        t_mean, t_scale = _mean_and_scale_of(t, t_rescaled)
        return cls(x_mean, _factor(x_scale), t_mean, _factor(t_scale), t_scale)

    @classmethod
    def identity(cls, n_inputs: int, n_outputs: int) -> Self:
        """Return the scaling that leaves data unchanged."""
        e, s = n_inputs, n_outputs
        return cls(np.zeros(e), np.ones(e), np.zeros(s), np.ones(s), np.ones(s))

    @property
    def has_constant_targets(self) -> bool:
        """Whether a target is constant."""
        return bool(np.count_nonzero(self.t_factor) < self.t_factor.size)

    @property
    def squared_units(self) -> Array:
        """Factor from squared residuals of t̃ to squared units of T; inf on overflow."""
        with np.errstate(over="ignore"):
            return np.square(self.t_scale)

    def apply(
        self, X: Array, T: Array, dtype: npt.DTypeLike, sample_weight: Array | None = None
    ) -> tuple[Array, Array]:
        """Return standardised copies of X and T, computed in float64 and rounded to ``dtype``.

        A sample of weight 0 becomes zeros: a value beyond the range of ``dtype`` would otherwise
        turn sums into NaN.
        """
        missing = None if sample_weight is None else sample_weight == 0
        return (
            _standardised(X, self.x_mean, self.x_factor, dtype, missing),
            _standardised(T, self.t_mean, self.t_factor, dtype, missing),
        )

    def constant_loss(self, T: Array, sample_weight: Array | None = None) -> float:
        """Return the contribution of constant targets to L, in squared units of T.

        Constant targets are predicted by ``t_mean`` whatever the parameters are.  In training data
        only rounding errors remain, but later samples may differ.
        """
        if not self.has_constant_targets:
            return 0.0
        rows = np.flatnonzero(self.t_factor == 0)
        mean, std, _ = moments(T, sample_weight)
        smallest, largest = extremes(T, sample_weight, rows, np.zeros(rows.size))
        return self._loss_of_constants(mean[rows], std[rows], smallest, largest)

    def constant_loss_of(self, t: RowStatistics, rescaled: RowMoments | None = None) -> float:
        """Return the same of targets that were read once, with the same bits."""
        if not self.has_constant_targets:
            return 0.0
        rows = np.flatnonzero(self.t_factor == 0)
        mean, std = t.mean_and_std(rescaled)
        return self._loss_of_constants(mean[rows], std[rows], t.smallest[rows], t.largest[rows])

    def _loss_of_constants(self, mean: Array, std: Array, smallest: Array, largest: Array) -> float:
        """Return Σ w (t − t_mean)² / Σ w, summed over constant targets, from their moments."""
        predicted = self.t_mean[self.t_factor == 0]
        is_exact = (smallest == predicted) & (largest == predicted)  # else mean is rounded
        with np.errstate(over="ignore"):
            losses = np.square(std) + np.square(mean - predicted)
        return float(np.sum(losses[~is_exact]))


def standard_deviations_of(statistics: RowStatistics, rescaled: RowMoments | None = None) -> Array:
    """Return the same as ``standard_deviations``, of a table that was read once."""
    return _mean_and_scale_of(statistics, rescaled)[1]


def standard_deviations(table: Array, sample_weight: Array | None = None) -> Array:
    """Return the standard deviation of each row of a checked table; 0 for a constant row."""
    return _mean_and_scale(table, sample_weight)[1]


def _mean_and_scale(table: Array, weight: Array | None) -> tuple[Array, Array]:
    """Return the mean and standard deviation of each row; the latter is 0 for a constant row."""
    mean, std, first = moments(table, weight)

    def extremes_from_first(rows: Array) -> tuple[Array, Array]:
        return extremes(table, weight, rows, first[rows])

    return _without_constants(mean, std, first, table.dtype, extremes_from_first)


def _mean_and_scale_of(
    statistics: RowStatistics, rescaled: RowMoments | None
) -> tuple[Array, Array]:
    """Return the same of a table that was read once."""
    mean, std = statistics.mean_and_std(rescaled)
    first = statistics.moments.first

    def extremes_from_first(rows: Array) -> tuple[Array, Array]:
        # x − first is rounded, and rounding is monotone: the extremes stay the extremes
        return statistics.smallest[rows] - first[rows], statistics.largest[rows] - first[rows]

    return _without_constants(mean, std, first, statistics.dtype, extremes_from_first)


def _without_constants(
    mean: Array,
    std: Array,
    first: Array,
    dtype: np.dtype[Any],
    extremes_from_first: Callable[[Array], tuple[Array, Array]],
) -> tuple[Array, Array]:
    """Return mean and standard deviation with the value itself and 0 for constant rows.

    ``extremes_from_first(rows)`` returns the smallest and largest x − first of some rows.
    """
    constant = std < np.finfo(np.float64).tiny  # 1/std would overflow
    # A row's standard deviation is at most half its range, and in a nearly constant row no number
    # is twice the mean.  Only rows that pass this test can be constant; their range is computed.
    max_ulps = CONSTANT_ULPS[dtype]
    is_candidate = ~constant & (std <= max_ulps * _ulp(2.0 * mean, dtype))
    if np.count_nonzero(is_candidate):
        candidates = np.flatnonzero(is_candidate)
        smallest, largest = extremes_from_first(candidates)
        largest_size = np.maximum(
            np.abs(first[candidates] + smallest), np.abs(first[candidates] + largest)
        )
        constant[candidates] = largest - smallest <= max_ulps * _ulp(largest_size, dtype)
    if not np.count_nonzero(constant):
        return mean, std
    # the mean of equal numbers has a rounding error; their common value has none
    return np.where(constant, first, mean), np.where(constant, 0.0, std)


def _ulp(size: Array, dtype: np.dtype[Any]) -> Array:
    """Return the distance from a number to the next larger one of ``dtype``, as float64."""
    clipped = np.minimum(np.abs(size), np.finfo(dtype).max).astype(dtype)
    return np.asarray(np.spacing(clipped), np.float64)


def _factor(scale: Array) -> Array:
    """Return 1/std, or 0 where std is 0."""
    return np.divide(1.0, scale, out=np.zeros_like(scale), where=scale > 0)


def _standardised(
    table: Array, mean: Array, factor: Array, dtype: npt.DTypeLike, missing: Array | None
) -> Array:
    """Return (table − mean)·factor for each row."""
    out = np.empty(table.shape, dtype)
    for row, row_values in enumerate(table):
        values = row_values.astype(np.float64)
        values -= mean[row]
        values *= factor[row]
        if missing is not None:
            values[missing] = 0.0
        with np.errstate(over="ignore"):  # values beyond the dtype's range become inf
            out[row] = values
    return out
