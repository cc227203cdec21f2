"""How far rounding alone can move the loss and each entry of the gradient.

A running error analysis (Higham, *Accuracy and Stability of Numerical Algorithms*, section 3.3):
beside every intermediate value goes a bound of its rounding error, to first order in the unit u,
and errors of samples add up in absolute value.  Where a gradient is a small difference of large
terms (at an optimum, for huge N) or where a rounding error decides on which side of a kink z lies,
the bound is large; where all terms are zero (a dead unit) it is zero.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.gradient_check.complex_step import Defined, forward, sigma_and_slope
from batchprop.gradient_check.problem import Problem
from batchprop.parameters import split

Array = npt.NDArray[Any]

# Multiples of the machine epsilon taken as u: sums have many terms and round many times.  Float64
# has digits to spare.
UNITS = {
    np.dtype(np.float32): 4 * float(np.finfo(np.float32).eps),
    np.dtype(np.float64): 32 * float(np.finfo(np.float64).eps),
}
# Where h is written as (1 + tanh(z/2))/2 it may be u off, however small it is …
_H_MAY_CANCEL = ("logistic",)
# … and so may σ′ where it is written as a difference such as 1 − h².
_SLOPE_MAY_CANCEL = ("logistic", "tanh", "softplus", "elu", "softsign")


def rounding(problem: Problem, dtype: np.dtype[Any], cancels: bool) -> Defined:
    """Return bounds of the rounding errors of J and of ∂J/∂θ.

    Parameters
    ----------
    problem : Problem
        Parameters and data.
    dtype : dtype
        What they are computed in.  A number near its smallest may be lost; an exact zero stays.
    cancels : bool
        True for an engine, which may get σ′ from h = σ(z) and then loses what is left of it where
        h has saturated; False for the definition, where h and σ′ are right to their last digits.
    """
    unit, tiny = UNITS[dtype], 4 * float(np.finfo(dtype).tiny)
    name = problem.activation
    h_unit = unit if cancels and name in _H_MAY_CANCEL else 0.0
    slope_unit = unit if cancels and name in _SLOPE_MAY_CANCEL else 0.0
    W_h, b_h, W_y, b_y = map(np.abs, problem.blocks)
    signed_W_y = problem.blocks.W_y
    loss = 0.0
    gradient = np.zeros_like(problem.theta)
    dW_h, db_h, dW_y, db_y = split(gradient, problem.shape)
    for X, T, share in problem.samples():
        Z, H, R = forward(problem, X, T)
        X, Y = np.abs(X), np.abs(R + T)
        Z_error = unit * (W_h @ X + b_h[:, np.newaxis])

        slope = sigma_and_slope(name, Z)[1]
        H_error, slope_error = _moved_by(Z_error, name, Z, H, slope)
        H_error += unit * np.abs(H) + tiny * (H != 0) + h_unit
        slope_error += unit * slope + slope_unit
        H = np.abs(H)
        R_error = W_y @ (H_error + unit * H) + unit * (b_y[:, np.newaxis] + Y + np.abs(T))

        # δ_y = 2 r and δ_h = σ′ ⊙ (W_yᵀ δ_y), the terms and their errors
        back = np.abs(signed_W_y.T @ R)
        back_error = W_y.T @ (R_error + unit * np.abs(R))
        delta = 2 * share * slope * back
        delta_error = 2 * share * (slope * back_error + slope_error * (back + back_error))
        delta_error += unit * delta
        R_error += unit * np.abs(R)

        loss += float((share * (2 * np.abs(R) * R_error + R_error * R_error).sum(axis=0)).sum())
        dW_h += delta_error @ X.T
        db_h += delta_error.sum(axis=1)
        dW_y += (2 * share * R_error) @ H.T + (2 * share * np.abs(R)) @ H_error.T
        db_y += (2 * share * R_error).sum(axis=1)
    gradient[gradient > 0] += problem.n_samples * tiny
    if any(problem.rates):
        weights, rate = np.abs(problem.theta), problem.rate
        loss += unit * float((rate * weights * weights).sum())
        gradient += 2 * unit * rate * weights
    return Defined(loss, gradient)


def _moved_by(
    Z_error: Array, activation: str, Z: Array, H: Array, slope: Array
) -> tuple[Array, Array]:
    """Return how far h and σ′ are off if z is: across a kink of relu, σ′ is 1 off."""
    moved = [sigma_and_slope(activation, Z + side * Z_error) for side in (-1, 1)]
    return (
        np.maximum(*(np.abs(moved_H - H) for moved_H, _ in moved)),
        np.maximum(*(np.abs(moved_slope - slope) for _, moved_slope in moved)),
    )
