"""Bounds of the rounding errors of the loss and of each entry of the gradient.

A running error analysis (Higham, *Accuracy and Stability of Numerical Algorithms*, section 3.3):
each intermediate value carries a bound of its rounding error, to first order in the unit roundoff
u, and the errors of samples are added in absolute value.  The bound is large where a gradient is a
small difference of large terms (at an optimum, or for huge N) and where rounding decides on which
side of a kink z lies.  It is zero where all terms are zero (a dead unit).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.gradient_check.complex_step import LossAndGradient, forward, sigma_and_slope
from batchprop.gradient_check.problem import Problem
from batchprop.parameters import split

Array = npt.NDArray[Any]

# u as a multiple of the machine epsilon: sums have many terms and round many times.  In float64 a
# generous multiple does no harm.
UNITS = {
    np.dtype(np.float32): 4 * float(np.finfo(np.float32).eps),
    np.dtype(np.float64): 32 * float(np.finfo(np.float64).eps),
}
# If h is computed as (1 + tanh(z/2))/2, its error may be u however small h is …
_H_MAY_CANCEL = ("logistic",)
# … and so may that of σ′, if it is computed as a difference such as 1 − h².
_SLOPE_MAY_CANCEL = ("logistic", "tanh", "softplus", "elu", "softsign")


def rounding(problem: Problem, dtype: np.dtype[Any], cancels: bool) -> LossAndGradient:
    """Return bounds of the rounding errors of F and ∂F/∂θ.

    Parameters
    ----------
    problem : Problem
        Parameters and data.
    dtype : dtype
        The dtype they are computed in.  Numbers near its smallest one may underflow; an exact zero
        is exact.
    cancels : bool
        True for an engine: it may compute σ′ from h = σ(z) and lose accuracy where h saturates.
        False for the reference, where h and σ′ are accurate to the last digits.
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
        H_error, slope_error = _error_from_z(Z_error, name, Z, H, slope)
        H_error += unit * np.abs(H) + tiny * (H != 0) + h_unit
        slope_error += unit * slope + slope_unit
        H = np.abs(H)
        R_error = W_y @ (H_error + unit * H) + unit * (b_y[:, np.newaxis] + Y + np.abs(T))

        # the terms of δ_y = 2 r and δ_h = σ′ ⊙ (W_yᵀ δ_y), and their errors
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
    return LossAndGradient(loss, gradient)


def _error_from_z(
    Z_error: Array, activation: str, Z: Array, H: Array, slope: Array
) -> tuple[Array, Array]:
    """Return the errors of h and σ′ that an error of z causes; across relu's kink σ′ is 1 off."""
    evaluations = [sigma_and_slope(activation, Z + side * Z_error) for side in (-1, 1)]
    return (
        np.maximum(*(np.abs(shifted_H - H) for shifted_H, _ in evaluations)),
        np.maximum(*(np.abs(shifted_slope - slope) for _, shifted_slope in evaluations)),
    )
