"""Residuals and Jacobian of a network, with all weights free or the output layer projected out.

Both are divided by √N, so that the sum of squared residuals is the loss L.
"""

from __future__ import annotations

import numpy as np

from batchprop.parameters import Shape, split
from benchmarks.data import Array
from benchmarks.least_squares.problems import Problem, standardised


class Network:
    """All of θ is optimised."""

    def __init__(self, problem: Problem, seed: int) -> None:
        X, T = problem.make(problem.n, 100 + seed)
        self.X, self.T = standardised(X), standardised(T)
        self.shape = Shape(self.X.shape[0], problem.m, self.T.shape[0])
        self.activation = problem.activation
        self.root = np.sqrt(self.X.shape[1])

    def hidden(self, W_h: Array, b_h: Array) -> tuple[Array, Array]:
        """Return H and σ′ (m, N)."""
        Z = W_h @ self.X + b_h[:, None]
        if self.activation == "relu":
            return np.maximum(Z, 0), (Z > 0).astype(float)
        if self.activation == "logistic":
            H = 1 / (1 + np.exp(-Z))
            return H, H * (1 - H)
        H = np.tanh(Z)
        return H, 1 - H**2

    def residual(self, theta: Array) -> Array:
        W_h, b_h, W_y, b_y = split(theta, self.shape)
        H, _ = self.hidden(W_h, b_h)
        return np.asarray((W_y @ H + b_y[:, None] - self.T).ravel() / self.root)

    def loss(self, theta: Array) -> float:
        residual = self.residual(theta)
        return float(residual @ residual)

    def jacobian(self, theta: Array) -> Array:
        """Return ∂r/∂θ (s·N, P)."""
        W_h, b_h, W_y, _ = split(theta, self.shape)
        H, slope = self.hidden(W_h, b_h)
        e, m, s = self.shape
        n = self.X.shape[1]
        J = np.zeros((s, n, self.shape.n_parameters))
        W_y_at = m * e + m
        for o in range(s):
            J[o, :, :W_y_at] = self.of_hidden(slope, W_y[o])
            J[o, :, W_y_at + o * m : W_y_at + (o + 1) * m] = H.T
            J[o, :, W_y_at + s * m + o] = 1
        return J.reshape(s * n, -1) / self.root

    def of_hidden(self, slope: Array, weights: Array) -> Array:
        """Return the derivatives of one output with respect to W_h and b_h, (N, m·e + m)."""
        db_h = weights[:, None] * slope
        dW_h = db_h[:, None] * self.X[None]
        return np.concatenate((dW_h.reshape(-1, self.X.shape[1]), db_h)).T


class Projected:
    """W_h and b_h are optimised; the output layer is their ridge solution (VarPro).

    With Φ = [Hᵀ 1]/√N stacked on √λ I, the residuals are −P⊥ T with P⊥ = I − Q Qᵀ, and Kaufman's
    Jacobian is P⊥ ∂Φ/∂α C (Kaufman, A variable projection method for solving separable nonlinear
    least squares problems, 1975).
    """

    def __init__(self, network: Network, ridge: float) -> None:
        self.network = network
        self.ridge = np.sqrt(ridge)
        zeros = np.zeros((network.shape.n_hidden + 1, network.shape.n_outputs))
        self.T = np.vstack((network.T.T / network.root, zeros))

    def _solved(self, alpha: Array) -> tuple[Array, Array, Array]:
        """Return Q, the output layer (m + 1, s) and σ′."""
        network = self.network
        e, m, _ = network.shape
        H, slope = network.hidden(alpha[: m * e].reshape(m, e), alpha[m * e :])
        Phi = np.vstack((H, np.ones(H.shape[1]))).T / network.root
        Q, R = np.linalg.qr(np.vstack((Phi, self.ridge * np.eye(m + 1))))
        return Q, np.linalg.solve(R, Q.T @ self.T), slope

    def residual(self, alpha: Array) -> Array:
        Q, _, _ = self._solved(alpha)
        return np.asarray((Q @ (Q.T @ self.T) - self.T).T.ravel())

    def loss(self, alpha: Array) -> float:
        """Return L without the ridge term."""
        Q, _, _ = self._solved(alpha)
        residual = (Q @ (Q.T @ self.T) - self.T)[: self.network.X.shape[1]]
        return float(np.sum(residual**2))

    def jacobian(self, alpha: Array) -> Array:
        Q, C, slope = self._solved(alpha)
        blocks = []
        for o in range(C.shape[1]):
            J = self.network.of_hidden(slope, C[:-1, o]) / self.network.root
            padded = np.vstack((J, np.zeros((C.shape[0], J.shape[1]))))
            blocks.append(padded - Q @ (Q.T @ padded))
        return np.concatenate(blocks)
