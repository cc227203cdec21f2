"""The executable definition: the derivation in plain Python loops, one sample at a time.

- `scalar`: the derivation for one input and one output.
- `chain_rule`: the same gradient, one function per factor of the chain rule.
- `matrix`: the form for any number of inputs and outputs.
- `gauss_newton_matrix`: JᵀJ and the second-order term Jᵀ y″.
- `activation_formulas`: σ and σ′ as functions of z.
- `theta_layout`: the order of the parameters in θ.

This file converts between arrays and lists; there is no NumPy arithmetic in the naive engine.  All
arithmetic is done in float64, and results are stored in the network's dtype.
`engines/array_engine.py` makes an engine of this package.

Imports nothing but plain Python and `Shape`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.engines.naive.gauss_newton_matrix import curvature, gauss_newton_matrix
from batchprop.engines.naive.matrix import (
    Sample,
    forward,
    mean_loss,
    sum_over_samples,
)
from batchprop.engines.naive.matrix import jacobian as jacobian_of_sample
from batchprop.engines.naive.sample_weights import plain_sum
from batchprop.engines.naive.theta_layout import flatten, unflatten
from batchprop.parameters import Shape

Array = npt.NDArray[Any]


class ArrayObjective:
    """Loss and gradient of one data set as functions of θ.

    Parameters
    ----------
    X : ndarray (e, N)
    T : ndarray (s, N)
    sample_weight : ndarray (N,) or None
    shape : Shape
    activation : str
    dtype : dtype
        Dtype of the network; X and T are rounded to it, sample by sample.

    Attributes
    ----------
    check : callable
        Called before each sample; it may raise an exception to end the evaluation.
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
        self._X, self._T, self._sample_weight = X, T, sample_weight
        self.check: Callable[[], object] = lambda: None
        self._shape, self._activation, self._dtype = shape, activation, np.dtype(dtype)
        self._total_weight = plain_sum(self._weights())

    def loss(self, theta: Array) -> float:
        """Return L at θ (P,)."""
        parameters = unflatten(theta.tolist(), self._shape)
        return mean_loss(parameters, self._samples(), self._total_weight, self._activation)

    def loss_and_gradient(self, theta: Array, gradient: Array) -> float:
        """Return L at θ (P,) and write ∂L/∂θ to ``gradient`` (P,)."""
        parameters = unflatten(theta.tolist(), self._shape)
        loss, blocks = sum_over_samples(
            parameters, self._samples(), self._total_weight, self._activation
        )
        with np.errstate(over="ignore"):  # overflow in float32 gives inf, as in the other engines
            gradient[:] = flatten(blocks)
        return loss

    def _weights(self) -> Iterator[float]:
        for i in range(self._X.shape[1]):
            yield 1.0 if self._sample_weight is None else float(self._sample_weight[i])

    def _samples(self) -> Iterator[Sample]:
        """Yield one sample at a time, so that X and T are never copied as a whole."""
        for i, weight in enumerate(self._weights()):
            self.check()
            yield Sample(_column(self._X, i, self._dtype), _column(self._T, i, self._dtype), weight)


class ArrayGaussNewtonObjective(ArrayObjective):
    """An objective that knows JᵀJ as well; ``dtype`` is float64."""

    def gauss_newton(self, theta: Array, gradient: Array, JTJ: Array) -> float:
        """Return L(θ); write ∂L/∂θ (P,) and JᵀJ = Σ_i w_i J_iᵀJ_i / Σ_i w_i (P, P)."""
        parameters = unflatten(theta.tolist(), self._shape)
        JTJ[:] = gauss_newton_matrix(
            parameters, self._samples(), self._total_weight, self._activation
        )
        return self.loss_and_gradient(theta, gradient)

    def curvature(self, points: Array, out: Array) -> None:
        """Write Jᵀy″ = Σ_i w_i J_iᵀy″_i / Σ_i w_i (P,) to ``out``; ``points``: θ, θ + p, θ − p."""
        theta, ahead, behind = (unflatten(point.tolist(), self._shape) for point in points)
        out[:] = curvature(
            theta, ahead, behind, self._samples(), self._total_weight, self._activation
        )


def predict(
    theta: Array, shape: Shape, activation: str, X: Array, n_threads: int | None = None
) -> Array:
    """Return Y (s, N) for X (e, N), in the dtype of θ (P,); there is one thread."""
    parameters = unflatten(theta.tolist(), shape)
    Y = np.empty((shape.n_outputs, X.shape[1]), dtype=theta.dtype)
    for i in range(X.shape[1]):
        with np.errstate(over="ignore"):
            Y[:, i] = forward(*parameters, _column(X, i, theta.dtype), activation).y
    return Y


def jacobian(
    theta: Array, shape: Shape, activation: str, X: Array, n_threads: int | None = None
) -> Array:
    """Return ∂Y/∂X (s, e, N) for X (e, N), in the dtype of θ (P,); there is one thread."""
    parameters = unflatten(theta.tolist(), shape)
    dY_dX = np.empty((shape.n_outputs, *X.shape), dtype=theta.dtype)
    for i in range(X.shape[1]):
        z = forward(*parameters, _column(X, i, theta.dtype), activation).z
        with np.errstate(over="ignore"):
            dY_dX[:, :, i] = jacobian_of_sample(parameters.W_h, parameters.W_y, z, activation)
    return dY_dX


def _column(A: Array, i: int, dtype: np.dtype[Any]) -> list[float]:
    values: list[float] = A[:, i].astype(dtype).tolist()
    return values
