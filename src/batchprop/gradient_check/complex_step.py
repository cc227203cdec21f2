"""The reference: the loss by its definition, and its gradient by the complex-step method.

Nothing here is shared with an engine, and no formula of σ′ appears.  A function that is real on
the real axis and analytic around x satisfies

    f(x + iε) = f(x) + iε f′(x) − ε² f″(x)/2 − …,    so    f′(x) = Im f(x + iε) / ε

There is no subtraction of nearly equal numbers, so that ε can be so small that f′ is exact to
rounding (Squire and Trapp, *Using complex variables to estimate derivatives of real functions*,
SIAM Review 40, 1998).  relu, elu and softsign are analytic except at z = 0.  They are continued
piecewise, by the sign of Re z; at the kink the piece of z < 0 is used (so relu′(0) = 0).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop.gradient_check.problem import Problem
from batchprop.parameters import split

Array = npt.NDArray[Any]

STEP = 2.0**-100  # ε; ε² is far below the rounding error of anything it is added to


class LossAndGradient(NamedTuple):
    """F = L + (1/Σw) (α_h ‖W_h‖² + α_y ‖W_y‖²) and ∂F/∂θ (P,); L and its gradient if α = 0."""

    loss: float
    gradient: Array


def _log1p(w: Array) -> Array:
    """Return log(1 + w), whose real part is accurate also for small |w|."""
    squared = 2 * w.real + w.real * w.real + w.imag * w.imag  # |1 + w|² − 1
    result: Array = 0.5 * np.log1p(squared) + 1j * np.arctan2(w.imag, 1 + w.real)
    return result


def _identity(z: Array) -> Array:
    return z


def _logistic(z: Array) -> Array:
    decay = np.exp(-_modulus(z))  # never overflows
    h: Array = np.where(z.real > 0, 1, decay) / (1 + decay)
    return h


def _tanh(z: Array) -> Array:
    decay = np.expm1(-2 * _modulus(z))
    h: Array = np.where(z.real > 0, -decay, decay) / (2 + decay)
    return h


def _relu(z: Array) -> Array:
    return np.where(z.real > 0, z, 0)


def _softplus(z: Array) -> Array:
    return np.where(z.real > 0, z, 0) + _log1p(np.exp(-_modulus(z)))


def _elu(z: Array) -> Array:
    return np.where(z.real > 0, z, np.expm1(np.where(z.real > 0, 0, z)))


def _softsign(z: Array) -> Array:
    modulus = _modulus(z)
    saturated = 1 - 1 / (1 + modulus)  # the slope of this form does not cancel for large |z|
    h: Array = np.where(
        modulus.real < 1, z / (1 + modulus), np.where(z.real > 0, 1, -1) * saturated
    )
    return h


def _modulus(z: Array) -> Array:
    """Return z or −z, whichever has a non-negative real part: the analytic continuation of |z|."""
    return np.where(z.real > 0, z, -z)


SIGMA: dict[str, Callable[[Array], Array]] = {
    "identity": _identity,
    "logistic": _logistic,
    "tanh": _tanh,
    "relu": _relu,
    "softplus": _softplus,
    "elu": _elu,
    "softsign": _softsign,
}


def sigma_and_slope(activation: str, Z: Array) -> tuple[Array, Array]:
    """Return σ(Z) and σ′(Z), the latter by the complex step."""
    sigma = SIGMA[activation]
    return sigma(Z).real, sigma(Z + 1j * STEP).imag / STEP


def forward(problem: Problem, X: Array, T: Array) -> tuple[Array, Array, Array]:
    """Return Z, H and R = Y − T."""
    W_h, b_h, W_y, b_y = problem.blocks
    Z = W_h @ X + b_h[:, np.newaxis]
    H = SIGMA[problem.activation](Z).real
    return Z, H, W_y @ H + b_y[:, np.newaxis] - T


def complex_step(problem: Problem) -> LossAndGradient:
    """Return F and all entries of ∂F/∂θ, at the cost of a few forward passes.

    L is a mean over samples that do not interact.  So the z of one hidden unit can be shifted in
    all samples at once: the imaginary part of sample i's loss is ∂L_i/∂z.  Since z = W_h x + b_h
    is linear in W_h and b_h, ∂L_i/∂W_h is that times x_i; likewise for y.  The penalty is a sum
    over weights that do not interact either.
    """
    W_y = problem.blocks.W_y
    loss = 0.0
    gradient = np.zeros_like(problem.theta)
    dW_h, db_h, dW_y, db_y = split(gradient, problem.shape)
    for X, T, share in problem.samples():
        Z, H, R = forward(problem, X, T)
        H_shifted = SIGMA[problem.activation](Z + 1j * STEP)

        # axis 1: the hidden unit whose z was shifted; all others are unchanged
        R_shifted = R[:, np.newaxis] + W_y[:, :, np.newaxis] * (H_shifted - H)
        dZ = share * np.imag((R_shifted * R_shifted).sum(axis=0)) / STEP  # (m, B)
        dY = share * np.imag((R + 1j * STEP) ** 2) / STEP  # (s, B)

        loss += float((share * (R * R).sum(axis=0)).sum())
        dW_h += dZ @ X.T
        db_h += dZ.sum(axis=1)
        dW_y += dY @ H.T
        db_y += dY.sum(axis=1)
    if any(problem.rates):
        penalty = problem.rate * (problem.theta + 1j * STEP) ** 2  # the rate of a bias is 0
        loss += float(penalty.real.sum())
        gradient += penalty.imag / STEP
    return LossAndGradient(loss, gradient)
