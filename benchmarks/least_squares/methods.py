"""Levenberg–Marquardt for any model, with the damping rules and scalings under comparison."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import lapack

from benchmarks.data import Array


class Method(NamedTuple):
    """A variant of the method.

    Attributes
    ----------
    rule : str
        Damping rule.  "nielsen": by the gain ratio, with doubling ν.  "10" or "4": divide λ by 10
        (5) after a success, multiply it by 10 (4) after a failure.
    scaling : str
        The matrix that λ multiplies: the "mean" of the diagonal of JᵀJ, the "identity", the
        "diagonal" (Marquardt), or the "largest" diagonal so far (MINPACK).
    bend : float
        Largest second-order correction (geodesic acceleration) relative to the step; 0 for none.
    projected : bool
        Whether the output layer is solved for (variable projection).
    ridge : float
        Ridge parameter of the output layer in that case.
    """

    rule: str = "nielsen"
    scaling: str = "mean"
    bend: float = 0.75
    projected: bool = False
    ridge: float = 1e-12


def _solve(A: Array, added: Array, *sides: Array) -> list[Array] | None:
    damped = A + np.diag(added)
    factor, failed = lapack.dpotrf(damped, lower=1)
    if failed:
        return None
    return [lapack.dpotrs(factor, side, lower=1)[0] for side in sides]


def minimise(model: Any, theta: Array, method: Method, iterations: int) -> list[float]:
    """Return the loss after each iteration; the list ends early if no step is accepted."""
    mu, growth = 1e-3, 2.0
    largest = np.zeros(theta.size)
    losses = [model.loss(theta)]
    for _ in range(iterations):
        r, J = model.residual(theta), model.jacobian(theta)
        A, g = J.T @ J, J.T @ r
        largest = np.maximum(largest, np.diag(A))
        D = _scaling(method.scaling, np.diag(A), largest)
        while True:
            trial, gain = _trial(model, theta, method, r, J, A, g, mu * D)
            if gain > 0:
                break
            mu *= growth if method.rule == "nielsen" else float(method.rule)
            growth *= 2
            if mu > 1e15:
                return losses
        if method.rule == "nielsen":
            mu *= min(2.0, max(1 / 3, 1 - (2 * gain - 1) ** 3))
        else:
            mu /= {"10": 10.0, "4": 5.0}[method.rule]
        mu, growth = max(mu, 1e-20), 2.0
        theta = trial
        losses.append(model.loss(theta))
    return losses


def _scaling(name: str, diagonal: Array, largest: Array) -> Array:
    if name == "identity":
        return np.ones_like(diagonal)
    if name == "mean":
        return np.full_like(diagonal, diagonal.mean())
    chosen = diagonal if name == "diagonal" else largest
    return np.maximum(chosen, 1e-12 * chosen.max())


def _trial(
    model: Any, theta: Array, method: Method, r: Array, J: Array, A: Array, g: Array, added: Array
) -> tuple[Array, float]:
    """Return a trial point and its gain ratio, which is negative if the point is rejected."""
    solved = _solve(A, added, -g)
    if solved is None:
        return theta, -1.0
    p = solved[0]
    trial = theta + p
    if method.bend:
        curved = model.residual(trial) - 2 * r + model.residual(theta - p)
        bent = _solve(A, added, -0.5 * (J.T @ curved))
        if bent is None or not 2 * np.linalg.norm(bent[0]) <= method.bend * np.linalg.norm(p):
            return theta, -1.0
        trial = trial + bent[0]
    there = model.residual(trial)
    gain = (r @ r - there @ there) / (p @ (added * p - g))
    return trial, float(gain) if np.isfinite(gain) else -1.0
