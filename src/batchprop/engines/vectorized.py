"""The vectorized engine: NumPy over the full batch, the baseline for comparisons.

Forward and backward pass are matrix products over all samples.  Every (m, N) and (s, N) array is
allocated once per data set and reused at every step.  ``array_engine`` makes an engine of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.activations import ACTIVATIONS
from batchprop.engines.loss_scale import scales
from batchprop.parameters import Shape, split

Array = npt.NDArray[Any]

JACOBIAN_ELEMENTS = 1 << 19  # elements of the Jacobian that are formed at a time
PRODUCT_ROWS = 512  # rows of JᵀJ between two calls of ``check``


def _forward_hidden(theta: Array, shape: Shape, activation: str, X: Array, H: Array) -> None:
    """Write H = σ(W_h X + b_h) (m, N)."""
    W_h, b_h, _, _ = split(theta, shape)
    np.matmul(W_h, X, out=H)
    H += b_h[:, np.newaxis]
    ACTIVATIONS[activation].sigma(H, H)


def _forward(theta: Array, shape: Shape, activation: str, X: Array, H: Array, Y: Array) -> None:
    """Write H (m, N) and Y = W_y H + b_y (s, N)."""
    _forward_hidden(theta, shape, activation, X, H)
    _, _, W_y, b_y = split(theta, shape)
    np.matmul(W_y, H, out=Y)
    Y += b_y[:, np.newaxis]


class ArrayObjective:
    """L(θ) and ∂L/∂θ over one data set, in NumPy.

    Parameters
    ----------
    X : ndarray, shape (e, N)
        Inputs, one sample a column; copied only if of another dtype.
    T : ndarray, shape (s, N)
        Targets.
    sample_weight : ndarray, shape (N,), or None
        Non-negative weights.
    shape : Shape
        The network's sizes.
    activation : str
        Name of σ.
    dtype : dtype
        float32 or float64, of θ and of the arithmetic.

    Attributes
    ----------
    check : callable
        Called between products; it may raise to end the evaluation.
    """

    def __init__(
        self,
        X: Array,
        T: Array,
        sample_weight: Array | None,
        shape: Shape,
        activation: str,
        dtype: npt.DTypeLike,
    ) -> None:
        self.shape, self.activation = shape, activation
        self.check: Callable[[], object] = lambda: None
        self.X = X.astype(dtype, copy=False)
        self.T = T.astype(dtype, copy=False)
        self.weight = None if sample_weight is None else sample_weight.astype(dtype)
        self.scales = scales(X.shape[1], sample_weight)
        n_samples = X.shape[1]
        self.H = np.empty((shape.n_hidden, n_samples), dtype)
        self.sigma_prime = np.empty_like(self.H)  # σ′(Z)
        self.delta_h = np.empty_like(self.H)
        self.Y = np.empty((shape.n_outputs, n_samples), dtype)  # then R = Y − T, wR = w ⊙ R, δ_y

    def _residual_sum(self, theta: Array) -> float:
        """Write wR = w ⊙ (Y − T) to ``self.Y`` and return Σ_i w_i ‖r_i‖²."""
        _forward(theta, self.shape, self.activation, self.X, self.H, self.Y)
        self.check()
        R = self.Y
        R -= self.T
        if self.weight is None:
            return float(np.vdot(R, R))
        total = float(np.einsum("oi,oi,i->", R, R, self.weight))
        R *= self.weight
        return total

    def loss(self, theta: Array) -> float:
        """Return L(θ)."""
        return self.scales.loss * self._residual_sum(theta)

    def loss_and_gradient(self, theta: Array, gradient: Array) -> float:
        """Write ∂L/∂θ to ``gradient`` (P,) and return L(θ).

        Results 8 and 9 of the derivation, with the sums over samples as matrix products.
        """
        loss = self.loss(theta)
        self._backward(theta, gradient)
        return loss

    def _backward(self, theta: Array, gradient: Array) -> None:
        """Write the gradient for the weighted residuals wR in ``self.Y``; apply the factor 2/Σw."""
        W_y = split(theta, self.shape).W_y
        dW_h, db_h, dW_y, db_y = split(gradient, self.shape)
        delta_y, delta_h, H = self.Y, self.delta_h, self.H

        delta_y *= delta_y.dtype.type(self.scales.gradient)  # δ_y = (2/Σw) wR
        np.matmul(delta_y, H.T, out=dW_y)
        np.sum(delta_y, axis=1, out=db_y)

        self.check()
        ACTIVATIONS[self.activation].sigma_prime(H, self.sigma_prime)
        if self.shape.n_outputs == 1:  # an outer product: saves one pass over (m, N)
            self.sigma_prime *= delta_y
            np.matmul(self.sigma_prime, self.X.T, out=dW_h)
            np.sum(self.sigma_prime, axis=1, out=db_h)
            dW_h *= W_y.T
            db_h *= W_y[0]
        else:
            np.matmul(W_y.T, delta_y, out=delta_h)
            delta_h *= self.sigma_prime  # δ_h = σ′(Z) ⊙ (W_yᵀ δ_y)
            np.matmul(delta_h, self.X.T, out=dW_h)
            np.sum(delta_h, axis=1, out=db_h)


class ArrayGaussNewtonObjective(ArrayObjective):
    """An ``ArrayObjective`` that forms JᵀJ too, from an explicit Jacobian of a block of samples.

    Parameters
    ----------
    X, T, sample_weight, shape, activation, dtype
        As for ``ArrayObjective``; ``dtype`` is float64.
    """

    def __init__(
        self,
        X: Array,
        T: Array,
        sample_weight: Array | None,
        shape: Shape,
        activation: str,
        dtype: npt.DTypeLike,
    ) -> None:
        super().__init__(X, T, sample_weight, shape, activation, dtype)
        n_parameters = shape.n_parameters
        block = min(X.shape[1], max(64, JACOBIAN_ELEMENTS // n_parameters))
        self.J_o = np.empty((n_parameters, block))  # ∂y_o/∂θ of one output, a sample per column
        self.product = np.empty(min(PRODUCT_ROWS, n_parameters) * n_parameters)

    def gauss_newton(self, theta: Array, gradient: Array, JTJ: Array) -> float:
        """Write ∂L/∂θ (P,) and JᵀJ, the mean Σ_i w_i J_iᵀJ_i / Σw (P, P); return L(θ)."""
        loss = self.loss_and_gradient(theta, gradient)
        ACTIVATIONS[self.activation].sigma_prime(self.H, self.sigma_prime)
        W_y = split(theta, self.shape).W_y
        block = self.J_o.shape[1]
        for rows in _bands(JTJ):
            rows.fill(0)
            self.check()
        for first in range(0, self.X.shape[1], block):
            part = slice(first, first + block)
            for o in range(self.shape.n_outputs):
                J_o = self._jacobian(W_y, o, part)
                right = J_o if self.weight is None else J_o * self.weight[part]
                for rows in _bands(JTJ):
                    n, end = rows.shape
                    product = self.product[: rows.size].reshape(n, end)
                    np.matmul(J_o[end - n : end], right[:end].T, out=product)
                    rows += product
                    self.check()
        for rows in _bands(JTJ):
            n, end = rows.shape
            rows *= self.scales.loss
            corner = rows[:, end - n :]
            corner[:] = np.tril(corner) + np.tril(corner, -1).T
            JTJ[: end - n, end - n : end] = rows[:, : end - n].T
            self.check()
        return loss

    def curvature(self, points: Array, out: Array) -> None:
        """Write Jᵀy″, the mean Σ_i w_i J_iᵀy″_i / Σw at θ, to ``out`` (P,).

        y″ = y(θ + p) − 2 y(θ) + y(θ − p); ``points`` (3, P) are θ, θ + p and θ − p.
        """
        theta, ahead, behind = points
        arguments = self.shape, self.activation, self.X
        _forward(ahead, *arguments, self.H, self.Y)
        outer_sum = self.Y.copy()
        self.check()
        _forward(behind, *arguments, self.H, self.Y)
        outer_sum += self.Y
        self.check()
        _forward(theta, *arguments, self.H, self.Y)
        self.Y *= -2
        self.Y += outer_sum
        if self.weight is not None:
            self.Y *= self.weight
        self._backward(theta, out)
        out *= 0.5

    def _jacobian(self, W_y: Array, o: int, part: slice) -> Array:
        """Write J_o = ∂y_o/∂θ (P, block) for a block of samples and return it."""
        e, m, _ = self.shape
        X, H = self.X[:, part], self.H[:, part]
        J_o = self.J_o[:, : X.shape[1]]
        hidden, biases, outputs = J_o[: m * e], J_o[m * e : m * e + m], J_o[m * e + m :]
        np.multiply(self.sigma_prime[:, part], W_y[o][:, np.newaxis], out=biases)
        np.multiply(biases[:, np.newaxis], X, out=hidden.reshape(m, e, -1))
        outputs.fill(0)
        outputs[o * m : (o + 1) * m] = H
        outputs[W_y.size + o] = 1
        return J_o


def _bands(matrix: Array) -> Iterator[Array]:
    """Yield bands of PRODUCT_ROWS rows of a square matrix, each up to the diagonal."""
    for first in range(0, matrix.shape[0], PRODUCT_ROWS):
        end = min(first + PRODUCT_ROWS, matrix.shape[0])
        yield matrix[first:end, :end]


def predict(
    theta: Array, shape: Shape, activation: str, X: Array, n_threads: int | None = None
) -> Array:
    """Return Y (s, N) in the dtype of θ; NumPy's BLAS ignores ``n_threads``."""
    X = X.astype(theta.dtype, copy=False)
    H = np.empty((shape.n_hidden, X.shape[1]), theta.dtype)
    Y = np.empty((shape.n_outputs, X.shape[1]), theta.dtype)
    _forward(theta, shape, activation, X, H, Y)
    return Y


def jacobian(
    theta: Array, shape: Shape, activation: str, X: Array, n_threads: int | None = None
) -> Array:
    """Return ∂Y/∂X (s, e, N) in the dtype of θ; NumPy's BLAS ignores ``n_threads``."""
    W_h, _, W_y, _ = split(theta, shape)
    dY_dX = np.empty((shape.n_outputs, *X.shape), theta.dtype)
    H = np.empty((shape.n_hidden, X.shape[1]), theta.dtype)
    sigma_prime = np.empty_like(H)
    _forward_hidden(theta, shape, activation, X.astype(H.dtype, copy=False), H)
    ACTIVATIONS[activation].sigma_prime(H, sigma_prime)
    for o in range(shape.n_outputs):
        np.multiply(sigma_prime, W_y[o][:, np.newaxis], out=H)  # ∂y_o/∂Z takes the place of H
        np.matmul(W_h.T, H, out=dY_dX[o])
    return dY_dX
