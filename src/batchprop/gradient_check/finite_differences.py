"""Central differences of an engine's own loss, by SciPy, with an estimate of their error.

A small block is differenced entry by entry; of a large one, derivatives in seeded random directions
are taken, each of which sees every entry.
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

# Steps move z by so much (in units of σ's own scale 1), or y by so much of the residuals' size.
# L is quadratic in y, so that a large step is exact there.  The error of a smooth σ is then about
# step² / 10 = 1e-9 and rounding about 1e-16 / step = 1e-12 of the gradient.
_STEP_Z, _STEP_Y = 1e-4, 1e-2
# How far a step is shortened to end before a kink: relu's differences are exact up to there.
_LEAST_STEP_Z = {"relu": 1e-8, "elu": 1e-6, "softsign": 1e-6}
_WORK = 4e9  # multiplications a check may cost on a compiled engine …
_WORK_LOOPS = 8e6  # … and where Python loops must be expected


class Differences(NamedTuple):
    """Derivatives of J in K directions, and a bound of the error of each."""

    derivative: Array  # (K,)
    error: Array  # (K,)


def default_probes(shape: Shape, n_samples: int, loops: bool) -> int:
    """Return how many derivatives a block may cost: four losses each, for four blocks."""
    e, m, s = shape
    work = n_samples * m * (e + s + 10)
    return int(np.clip((_WORK_LOOPS if loops else _WORK) / (16 * work), 4, 512))


def directions(size: int, n_probes: int, rng: np.random.Generator) -> Array:
    """Return (K, size): the unit vectors if there are at most ``n_probes``, else random ones."""
    return np.eye(size) if size <= n_probes else rng.standard_normal((n_probes, size))


def central_differences(
    loss: Callable[[Array], float],
    problem: Problem,
    block: str,
    directions: Array,
    gradient: Array,
    loss_error: float,
) -> Differences:
    """Difference ``loss`` in K directions within one block of θ.

    Parameters
    ----------
    loss : callable
        J(θ), in float64.
    problem : Problem
        Where, and on which data: what the steps are chosen from.
    block : str
        Name of the block.
    directions : ndarray, shape (K, size)
        In which directions.
    gradient : ndarray, shape (P,)
        ∂J/∂θ, to estimate what the rounding of θ + step does.
    loss_error : float
        Rounding error of J.

    Returns
    -------
    Differences
        Central differences of step h/2.  Their error is bounded by twice the distance to those of
        step h (of a smooth function it is a third of that distance), by rounding, and by what
        samples can do that lie within a step of a kink.
    """
    part = problem.section(block)
    theta = problem.theta
    steps, kinks = _steps(problem, block, directions)

    def moved(t: Array) -> float:
        shifted = theta.copy()
        shifted[part] += t @ directions
        return loss(shifted)

    wide, narrow = (
        # SciPy's forward difference, forwards and backwards, is the central one
        (approx_fprime(origin, moved, h) + approx_fprime(origin, moved, -h)) / 2
        for origin in (np.zeros(len(directions)),)
        for h in (steps, steps / 2)
    )
    eps = float(np.finfo(np.float64).eps)
    placing = (directions != 0) @ np.abs(gradient[part] * theta[part]) * eps / (steps / 2)
    rounding = loss_error / (steps / 2)
    return Differences(narrow, 2 * np.abs(wide - narrow) + rounding + placing + kinks)


def _steps(problem: Problem, block: str, directions: Array) -> tuple[Array, Array]:
    """Return the steps (K,) and what kinks of relu within them can do to the differences (K,)."""
    sizes = np.zeros(len(directions))  # mean square of what a unit step moves
    residual = 0.0
    for X, T, share in problem.samples():
        H, R = forward(problem, X, T)[1:]
        residual += float((share * R * R).sum())
        for k, direction in enumerate(directions):
            moves = _moves(problem, block, direction, X, H)
            sizes[k] += float((share * moves * moves).sum(axis=1).max())
    sizes = np.sqrt(np.where(sizes > 0, sizes, 1.0))
    none = np.zeros(len(directions))
    if block.endswith("y"):
        return _STEP_Y * (np.sqrt(residual) or 1.0) / sizes, none
    if problem.activation not in _LEAST_STEP_Z:
        return _STEP_Z / sizes, none
    return _steps_up_to_kinks(problem, block, directions, sizes)


def _steps_up_to_kinks(
    problem: Problem, block: str, directions: Array, sizes: Array
) -> tuple[Array, Array]:
    """Shorten steps until no z crosses 0; bound what those do that are too close for that."""
    steps, least = _STEP_Z / sizes, _LEAST_STEP_Z[problem.activation] / sizes
    # σ′ of relu jumps by 1.  σ″ of the others jumps by at most 4: their slope over a step that
    # moves z by a is at most a off.
    order = 1 if problem.activation == "relu" else 2
    kinks = np.zeros(len(directions))
    for X, T, share in problem.samples():
        Z, H, R = forward(problem, X, T)
        terms = 2 * share * np.abs(problem.blocks.W_y.T @ R)
        for k, direction in enumerate(directions):
            moves = np.abs(_moves(problem, block, direction, X, H))
            distance = np.divide(np.abs(Z), moves, out=np.full_like(Z, np.inf), where=moves > 0)
            distance[:, share == 0] = np.inf
            close = distance <= 2 * least[k]
            kinks[k] += float((terms * moves**order)[close].sum())
            steps[k] = min(steps[k], float(distance[~close].min(initial=np.inf)) / 2)
    return steps, kinks * steps ** (order - 1)


def _moves(problem: Problem, block: str, direction: Array, X: Array, H: Array) -> Array:
    """Return what a unit step moves: Z (m, B) in the hidden layer, Y (s, B) in the output layer."""
    flat = np.zeros_like(problem.theta)
    flat[problem.section(block)] = direction
    W_h, b_h, W_y, b_y = split(flat, problem.shape)
    W, b, inputs = (W_h, b_h, X) if block.endswith("h") else (W_y, b_y, H)
    return W @ inputs + b[:, np.newaxis]
