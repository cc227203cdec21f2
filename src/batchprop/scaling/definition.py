"""The numbers by which columns are standardised, and their use on whole arrays."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from batchprop.scaling.moments import farthest, moments

Array = npt.NDArray[Any]

# Deviation over |mean| up to which a row may count as constant.  In float64 that is 2^10 times the
# rounding of one number: computed columns carry such errors, and a row that varied less would be
# lost in the rounding of the folded network.  In float32 it is twice that rounding: what varies
# more has been measured.
_CONSTANT = {np.dtype("f4"): 2.0**-22, np.dtype("f8"): 2.0**-42}
_RARE = 16.0  # deviations: a sample farther off than this is no rounding, however rare it is


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


def _mean_and_scale(table: Array, weight: Array | None) -> tuple[Array, Array]:
    """Return mean and deviation of each row; the deviation of a constant row is 0."""
    mean, deviation, first = moments(table, weight)
    noise = _CONSTANT[table.dtype] * np.abs(mean)
    constant = deviation <= noise
    doubtful = np.flatnonzero(constant & (deviation > 0))
    if doubtful.size:
        distance = farthest(table, weight, doubtful, mean[doubtful])
        constant[doubtful] = distance <= _RARE * noise[doubtful]
    constant |= deviation < np.finfo(np.float64).tiny  # 1/σ would be infinite
    # The mean of equal numbers is rounded; the number itself is not.
    return np.where(constant, first, mean), np.where(constant, 0.0, deviation)


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
