"""Seeded data and parameters for a case, and reference results in float64 NumPy.

All numbers are exact in float32, so that one reference serves both dtypes.  Nothing is imported
from the package, so that timed results are checked against independent code.  Samples are rows
here, (N, e) and (N, s), as most libraries expect them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from benchmarks.cases import Case

Array = np.ndarray
BLOCK = 1 << 14  # samples that the reference processes at a time
WAVES = 4  # sines in each target


class Blocks(NamedTuple):
    """Parameters, a gradient or an update: W_h (m, e), b_h (m,), W_y (s, m), b_y (s,)."""

    W_h: Array
    b_h: Array
    W_y: Array
    b_y: Array

    def astype(self, dtype: str) -> Blocks:
        return Blocks(*(block.astype(dtype) for block in self))


def _slices(n_samples: int) -> Iterator[slice]:
    for first in range(0, n_samples, BLOCK):
        yield slice(first, min(first + BLOCK, n_samples))


def samples(case: Case) -> tuple[Array, Array]:
    """Return inputs (N, e) of variance 1 and wavy, noisy targets (N, s), both float32."""
    rng = np.random.default_rng((case.e, case.s, case.n_samples))
    X = rng.standard_normal((case.n_samples, case.e), dtype=np.float32)
    T = rng.standard_normal((case.n_samples, case.s), dtype=np.float32)
    T *= np.float32(0.1)
    direction = rng.normal(size=(case.e, WAVES)) * 2 / np.sqrt(case.e)
    phase = rng.uniform(0, 2 * np.pi, WAVES)
    share = rng.normal(size=(WAVES, case.s)) / np.sqrt(WAVES)
    for some in _slices(case.n_samples):
        T[some] += np.sin(X[some] @ direction + phase) @ share
    return X, T


def parameters(case: Case) -> Blocks:
    """Draw initial parameters, uniform in ±1/√(fan in), as float64."""
    rng = np.random.default_rng((case.e, case.m, case.s))

    def drawn(fan_in: int, *shape: int) -> Array:
        bound = 1 / np.sqrt(fan_in)
        return rng.uniform(-bound, bound, shape).astype(np.float32).astype(np.float64)

    e, m, s = case.e, case.m, case.s
    return Blocks(drawn(e, m, e), drawn(e, m), drawn(m, s, m), drawn(m, s))


def _sigma(name: str, Z: Array) -> tuple[Array, Array]:
    """Return σ(Z) and σ′(Z)."""
    if name == "tanh":
        H = np.tanh(Z)
        return H, 1 - H * H
    if name == "relu":
        return np.maximum(Z, 0), (Z > 0).astype(np.float64)
    if name == "softplus":
        return np.logaddexp(0, Z), 0.5 + 0.5 * np.tanh(Z / 2)
    if name == "logistic":
        H = 0.5 + 0.5 * np.tanh(Z / 2)
        return H, H * (1 - H)
    raise ValueError(f"no reference for the activation {name!r}")


def gradient(case: Case, X: Array, T: Array, start: Blocks) -> tuple[float, Blocks]:
    """Return L and ∂L/∂θ in float64, computed in blocks of samples."""
    total, sums = 0.0, Blocks(*(np.zeros(block.shape) for block in start))
    for some in _slices(case.n_samples):
        x = X[some].astype(np.float64)
        H, slope = _sigma(case.activation, x @ start.W_h.T + start.b_h)
        residual = H @ start.W_y.T + start.b_y - T[some]
        total += float(np.sum(residual * residual))
        delta_y = 2 / case.n_samples * residual
        delta_h = slope * (delta_y @ start.W_y)
        parts = (delta_h.T @ x, delta_h.sum(axis=0), delta_y.T @ H, delta_y.sum(axis=0))
        for block, part in zip(sums, parts, strict=True):
            block += part
    return total / case.n_samples, sums


def loss(case: Case, X: Array, T: Array, point: Blocks) -> float:
    """Return L in float64."""
    total = 0.0
    for some in _slices(case.n_samples):
        H = _sigma(case.activation, X[some] @ point.W_h.T + point.b_h)[0]
        residual = H @ point.W_y.T + point.b_y - T[some]
        total += float(np.sum(residual * residual))
    return total / case.n_samples


def descent(
    case: Case, X: Array, T: Array, start: Blocks, rate: float, steps: int
) -> tuple[float, Blocks]:
    """Run plain gradient descent; return the last loss and parameters."""
    here = start
    for _ in range(steps):
        slope = gradient(case, X, T, here)[1]
        here = Blocks(*(block - rate * part for block, part in zip(here, slope, strict=True)))
    return gradient(case, X, T, here)[0], here


def block_errors(actual: Blocks, expected: Blocks) -> dict[str, float]:
    """Return ‖difference‖ / ‖expected‖ by block (‖difference‖ where the expected block is 0)."""
    errors = {}
    for name, block, right in zip(Blocks._fields, actual, expected, strict=True):
        size = float(np.linalg.norm(right)) or 1.0
        difference = np.asarray(block, np.float64).reshape(right.shape) - right
        errors[name] = float(np.linalg.norm(difference)) / size
    return errors
