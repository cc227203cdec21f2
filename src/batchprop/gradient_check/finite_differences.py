"""Central differences of an engine's loss, computed with SciPy, with a bound of their error.

A small block is differenced entry by entry.  Of a large block, directional derivatives along seeded
random directions are taken; each of them depends on every entry.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import approx_fprime

from batchprop.gradient_check.complex_step import forward
from batchprop.gradient_check.problem import Problem
from batchprop.parameters import Shape, split

Array = npt.NDArray[Any]

# A step changes z by this much (σ has scale 1), or y by this fraction of the residuals' size.  L is
# quadratic in y, so that large steps are exact there.  For a smooth σ the truncation error is then
# about step² / 10 = 1e-9, and rounding about 1e-16 / step = 1e-12, of the gradient.
_STEP_Z, _STEP_Y = 1e-4, 1e-2
# Smallest step when steps are shortened to avoid a kink: relu's differences are exact before it.
_MIN_STEP_Z = {"relu": 1e-8, "elu": 1e-6, "softsign": 1e-6}
_WORK = 4e9  # multiplications that a check may take on a compiled engine …
_WORK_LOOPS = 8e6  # … and on one that may run Python loops


class Differences(NamedTuple):
    """Derivatives of F along n directions, and a bound of the error of each."""

    derivative: Array  # (n,)
    error: Array  # (n,)


def default_probes(shape: Shape, n_samples: int, loops: bool) -> int:
    """Return how many derivatives to take per block; each costs four losses, for four blocks."""
    e, m, s = shape
    work = n_samples * m * (e + s + 10)
    return int(np.clip((_WORK_LOOPS if loops else _WORK) / (16 * work), 4, 512))


def directions(size: int, n_probes: int, rng: np.random.Generator) -> Array:
    """Return directions (n, size): unit vectors if ``n_probes`` suffices, else random ones."""
    return np.eye(size) if size <= n_probes else rng.standard_normal((n_probes, size))


def central_differences(
    loss: Callable[[Array], float],
    problem: Problem,
    block: str,
    directions: Array,
    gradient: Array,
    loss_error: float,
) -> Differences:
    """Difference ``loss`` along n directions within one block of θ.

    Parameters
    ----------
    loss : callable
        F(θ), in float64.
    problem : Problem
        Parameters and data, which determine the steps.
    block : str
        Name of the block.
    directions : ndarray, shape (n, size)
        Directions within the block.
    gradient : ndarray, shape (P,)
        ∂F/∂θ, to estimate the effect of rounding θ + step.
    loss_error : float
        Rounding error of F.

    Returns
    -------
    Differences
        Central differences with step h/2.  The bound of their error is the sum of twice the
        distance to the differences with step h (for a smooth function the error is a third of that
        distance), of rounding, and of the effect of samples within a step of a kink.
    """
    part = problem.section(block)
    theta = problem.theta
    steps, kinks = _steps(problem, block, directions)

    def moved(t: Array) -> float:
        shifted = theta.copy()
        shifted[part] += t @ directions
        return loss(shifted)

    coarse, fine = (
        # the mean of SciPy's forward and backward difference is the central difference
        (approx_fprime(origin, moved, h) + approx_fprime(origin, moved, -h)) / 2
        for origin in (np.zeros(len(directions)),)
        for h in (steps, steps / 2)
    )
    eps = float(np.finfo(np.float64).eps)
    theta_rounding = (directions != 0) @ np.abs(gradient[part] * theta[part]) * eps / (steps / 2)
    rounding = loss_error / (steps / 2)
    return Differences(fine, 2 * np.abs(coarse - fine) + rounding + theta_rounding + kinks)


def _steps(problem: Problem, block: str, directions: Array) -> tuple[Array, Array]:
    """Return the steps (n,) and a bound of the error (n,) that kinks within them cause."""
    rms_change = np.zeros(len(directions))  # first the mean square of what a unit step changes
    residual = 0.0
    for X, T, share in problem.samples():
        H, R = forward(problem, X, T)[1:]
        residual += float((share * R * R).sum())
        for k, direction in enumerate(directions):
            change = _change_per_step(problem, block, direction, X, H)
            rms_change[k] += float((share * change * change).sum(axis=1).max())
    rms_change = np.sqrt(np.where(rms_change > 0, rms_change, 1.0))
    no_kinks = np.zeros(len(directions))
    if block.endswith("y"):
        return _STEP_Y * (np.sqrt(residual) or 1.0) / rms_change, no_kinks
    if problem.activation not in _MIN_STEP_Z:
        return _STEP_Z / rms_change, no_kinks
    return _steps_up_to_kinks(problem, block, directions, rms_change)


def _steps_up_to_kinks(
    problem: Problem, block: str, directions: Array, rms_change: Array
) -> tuple[Array, Array]:
    """Shorten steps so that no z crosses 0; bound the error of samples too close for that."""
    steps, min_steps = _STEP_Z / rms_change, _MIN_STEP_Z[problem.activation] / rms_change
    # σ′ of relu jumps by 1.  σ″ of the others jumps by at most 4, so that their slope is off by at
    # most a over a step that changes z by a.
    order = 1 if problem.activation == "relu" else 2
    kinks = np.zeros(len(directions))
    for X, T, share in problem.samples():
        Z, H, R = forward(problem, X, T)
        terms = 2 * share * np.abs(problem.blocks.W_y.T @ R)
        for k, direction in enumerate(directions):
            change = np.abs(_change_per_step(problem, block, direction, X, H))
            distance = np.divide(np.abs(Z), change, out=np.full_like(Z, np.inf), where=change > 0)
            distance[:, share == 0] = np.inf
            too_close = distance <= 2 * min_steps[k]
            kinks[k] += float((terms * change**order)[too_close].sum())
            steps[k] = min(steps[k], float(distance[~too_close].min(initial=np.inf)) / 2)
    return steps, kinks * steps ** (order - 1)


def _change_per_step(problem: Problem, block: str, direction: Array, X: Array, H: Array) -> Array:
    """Return the change per unit step: of Z (m, B) for hidden blocks, of Y (s, B) for output."""
    flat = np.zeros_like(problem.theta)
    flat[problem.section(block)] = direction
    W_h, b_h, W_y, b_y = split(flat, problem.shape)
    W, b, inputs = (W_h, b_h, X) if block.endswith("h") else (W_y, b_y, H)
    return W @ inputs + b[:, np.newaxis]
