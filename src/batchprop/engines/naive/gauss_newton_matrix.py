"""The Gauss–Newton matrix by its definition: one Jacobian row per sample and output."""

from __future__ import annotations

from collections.abc import Iterable

from batchprop.engines.naive.matrix import Blocks, Sample, add_outer, delta_h, forward, zeros_like
from batchprop.engines.naive.theta_layout import flatten


def jacobian_row(parameters: Blocks, x: list[float], o: int, activation: str) -> list[float]:
    """Return ∂y_o/∂θ (P,) for one sample: backpropagation from y_o instead of L."""
    W_h, b_h, W_y, b_y = parameters
    z, h, y = forward(W_h, b_h, W_y, b_y, x, activation)
    dy_dy = [0.0] * len(y)
    dy_dy[o] = 1.0
    row = zeros_like(parameters)
    add_outer(row.W_y, row.b_y, dy_dy, h)
    add_outer(row.W_h, row.b_h, delta_h(W_y, z, dy_dy, activation), x)
    return flatten(row)


def curvature(
    parameters: Blocks,
    theta_plus: Blocks,
    theta_minus: Blocks,
    samples: Iterable[Sample],
    N: float,
    activation: str,
) -> list[float]:
    """Return (1/N) Σ_i w_i J_iᵀ y″_i (P,), y″ = y(θ + p) − 2 y(θ) + y(θ − p)."""
    total = [0.0] * len(flatten(parameters))
    for x, t, weight in samples:
        y, y_plus, y_minus = (
            forward(*point, x, activation)[2] for point in (parameters, theta_plus, theta_minus)
        )
        for o in range(len(t)):
            J_o = jacobian_row(parameters, x, o, activation)
            for q, derivative in enumerate(J_o):
                total[q] += weight * derivative * (y_plus[o] - 2 * y[o] + y_minus[o])
    return [value / N for value in total]


def gauss_newton_matrix(
    parameters: Blocks, samples: Iterable[Sample], N: float, activation: str
) -> list[list[float]]:
    """Return (1/N) Σ_i w_i J_iᵀ J_i (P, P), J_i = ∂y_i/∂θ."""
    n_parameters = len(flatten(parameters))
    total = [[0.0] * n_parameters for _ in range(n_parameters)]
    for x, t, weight in samples:
        for o in range(len(t)):
            J_o = jacobian_row(parameters, x, o, activation)
            for row, J_op in zip(total, J_o, strict=True):
                for q, J_oq in enumerate(J_o):
                    row[q] += weight * J_op * J_oq
    return [[value / N for value in row] for row in total]
