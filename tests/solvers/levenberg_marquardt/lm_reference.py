"""Levenberg–Marquardt written down again, with an explicit Jacobian, on a tanh network."""

from __future__ import annotations

import numpy as np

from batchprop.parameters import split


def outputs(theta, shape, X):
    """Y of a tanh network."""
    W_h, b_h, W_y, b_y = split(theta, shape)
    return W_y @ np.tanh(W_h @ X + b_h[:, None]) + b_y[:, None]


def jacobian(theta, shape, X):
    """∂y/∂θ (N·s, P), the outputs of a sample one after the other."""
    e, m, s = shape
    W_h, b_h, W_y, _ = split(theta, shape)
    H = np.tanh(W_h @ X + b_h[:, None])
    J = np.zeros((X.shape[1], s, shape.n_parameters))
    for i, (x, h) in enumerate(zip(X.T, H.T, strict=True)):
        for o in range(s):
            dW_h, db_h, dW_y, db_y = split(J[i, o], shape)
            db_h[:] = W_y[o] * (1 - h**2)
            dW_h[:] = np.outer(db_h, x)
            dW_y[o], db_y[o] = h, 1
    return J.reshape(-1, shape.n_parameters)


def lm(theta, shape, X, T, steps, weight=None, rate=0.0, damping=1e-3, acceleration=0.75):
    """Yield θ after each accepted step; F = Σ w r² / Σ w + rate (‖W_h‖² + ‖W_y‖²)."""
    weight = np.ones(X.shape[1]) if weight is None else weight
    share = np.repeat(weight / weight.sum(), shape.n_outputs)[:, None]
    penalised = np.ones(theta.size)
    _, b_h, _, b_y = split(penalised, shape)
    b_h[:], b_y[:] = 0, 0

    def y(point):
        return outputs(point, shape, X).T.ravel()

    def objective(point):
        residual = y(point) - T.T.ravel()
        return share[:, 0] @ residual**2 + rate * penalised @ point**2

    growth = 2.0
    for _ in range(steps):
        J = jacobian(theta, shape, X)
        A = J.T @ (share * J) + rate * np.diag(penalised)
        g = J.T @ (share[:, 0] * (y(theta) - T.T.ravel())) + rate * penalised * theta
        shift = np.trace(A) / theta.size * np.eye(theta.size)  # d I
        while True:
            matrix = A + damping * shift
            p = -np.linalg.solve(matrix, g)
            q = 0 * p
            if acceleration:
                curved = y(theta + p) - 2 * y(theta) + y(theta - p)
                q = -0.5 * np.linalg.solve(matrix, J.T @ (share[:, 0] * curved))
            trial = theta + p + q
            if 2 * np.linalg.norm(q) <= acceleration * np.linalg.norm(p):
                fall = objective(theta) - objective(trial)
                gain = fall / (p @ (damping * shift @ p - g))
                if gain > 0:
                    break
            damping, growth = damping * growth, 2 * growth
        damping, growth = damping * min(2, max(1 / 3, 1 - (2 * gain - 1) ** 3)), 2.0
        theta = trial
        yield theta
