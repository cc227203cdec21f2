"""The numbers by which columns are standardised, and their use on whole arrays."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from batchprop.scaling.moments import extremes, mean_squares, moments

Array = npt.NDArray[Any]

# A row is constant if its largest and its smallest number are at most so many units in the last
# place (ulps) of the larger one apart.  float64 columns are often computed, and sums of a few terms
# are off by some ulps; float32 columns are mostly measured, and two ulps are a signal.
CONSTANT_ULPS = {np.dtype("f4"): 1.0, np.dtype("f8"): 16.0}


class Scaling(NamedTuple):
    """x̃ = (x − x_mean)·x_factor and t̃ = (t − t_mean)·t_factor, all in float64.

    Attributes
    ----------
    x_mean, x_factor : ndarray, shape (e,)
        Mean of each input and 1/σ; the factor of a constant input is 0.
    t_mean, t_factor, t_scale : ndarray, shape (s,)
        Mean of each target, 1/σ and σ; factor and scale of a constant target are 0.
    """

    x_mean: Array
    x_factor: Array
    t_mean: Array
    t_factor: Array
    t_scale: Array

    @classmethod
    def of(cls, X: Array, T: Array, sample_weight: Array | None = None) -> Self:
        """Return the scaling that gives every column mean 0 and deviation 1.

        Parameters
        ----------
        X : ndarray, shape (e, N)
            Checked inputs, float32 or float64, in any memory order.
        T : ndarray, shape (s, N)
            Checked targets.
        sample_weight : ndarray, shape (N,), or None
            Checked weights: 2 is a repeated sample, 0 a missing one.

        Notes
        -----
        σ is that of the population, σ² = Σ w (x − mean)² / Σ w.  One pass over each array, memory
        of one block of samples, the same bits for every memory order.
        """
        x_mean, x_scale = _mean_and_scale(X, sample_weight)
        t_mean, t_scale = _mean_and_scale(T, sample_weight)
        return cls(x_mean, _factor(x_scale), t_mean, _factor(t_scale), t_scale)

    @classmethod
    def identity(cls, n_inputs: int, n_outputs: int) -> Self:
        """Return the scaling that changes nothing."""
        e, s = n_inputs, n_outputs
        return cls(np.zeros(e), np.ones(e), np.zeros(s), np.ones(s), np.ones(s))

    @property
    def squared_units(self) -> Array:
        """What a squared residual of each t̃ is in squared units of T; inf beyond all numbers."""
        with np.errstate(over="ignore"):
            return np.square(self.t_scale)

    def apply(
        self, X: Array, T: Array, dtype: npt.DTypeLike, sample_weight: Array | None = None
    ) -> tuple[Array, Array]:
        """Return standardised copies of X and T, computed in float64 and rounded to ``dtype``.

        A sample of weight 0 becomes zeros: beyond the range of ``dtype`` it would otherwise turn
        sums into NaN.
        """
        missing = None if sample_weight is None else sample_weight == 0
        return (
            _standardised(X, self.x_mean, self.x_factor, dtype, missing),
            _standardised(T, self.t_mean, self.t_factor, dtype, missing),
        )

    def constant_loss(self, T: Array, sample_weight: Array | None = None) -> float:
        """Return the part of L, in units of T, that is due to constant targets.

        They are predicted by their number, ``t_mean``, whatever the other parameters are.  In
        training data all they leave is rounding, but later samples may differ.
        """
        rows = np.flatnonzero(self.t_factor == 0)
        if not rows.size:
            return 0.0
        return float(np.sum(mean_squares(T, sample_weight, rows, self.t_mean[rows])))


def _mean_and_scale(table: Array, weight: Array | None) -> tuple[Array, Array]:
    """Return mean and deviation of each row; the deviation of a constant row is 0."""
    mean, deviation, first = moments(table, weight)
    constant = deviation < np.finfo(np.float64).tiny  # 1/σ would be infinite
    # A row's deviation is at most half its range, and no number is twice the mean of a row that is
    # nearly constant: only rows like these can be constant, and their range is looked at.
    most = CONSTANT_ULPS[table.dtype]
    narrow = np.flatnonzero(~constant & (deviation <= most * _ulp(2.0 * mean, table.dtype)))
    if narrow.size:
        least, largest = extremes(table, weight, narrow, first[narrow])
        far = np.maximum(np.abs(first[narrow] + least), np.abs(first[narrow] + largest))
        constant[narrow] = largest - least <= most * _ulp(far, table.dtype)
    # The mean of equal numbers is rounded; the number itself is not.
    return np.where(constant, first, mean), np.where(constant, 0.0, deviation)


def _ulp(size: Array, dtype: np.dtype[Any]) -> Array:
    """Return the distance from a number to the next larger one of ``dtype``, as float64."""
    within = np.minimum(np.abs(size), np.finfo(dtype).max).astype(dtype)
    return np.asarray(np.spacing(within), np.float64)


def _factor(scale: Array) -> Array:
    """Return 1/σ, or 0 where σ is 0."""
    return np.divide(1.0, scale, out=np.zeros_like(scale), where=scale > 0)


def _standardised(
    table: Array, mean: Array, factor: Array, dtype: npt.DTypeLike, missing: Array | None
) -> Array:
    """Return (table − mean)·factor row by row."""
    out = np.empty(table.shape, dtype)
    for row, given in enumerate(table):
        values = given.astype(np.float64)
        values -= mean[row]
        values *= factor[row]
        if missing is not None:
            values[missing] = 0.0
        with np.errstate(over="ignore"):  # inf, as for any value beyond the dtype's range
            out[row] = values
    return out
