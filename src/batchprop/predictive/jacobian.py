"""Panels of standardised samples, and the columns of Jᵀ at them.

A panel holds ``WIDTH`` samples, one a lane: arrays have the shape (panels, rows, WIDTH).  The last
panel is filled up with zeros.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.activations import ACTIVATIONS
from batchprop.linalg.panel_products import WIDTH, affine_panels
from batchprop.parameters import Shape, offsets, split
from batchprop.scaling import Scaling

Array = npt.NDArray[Any]


def panels(table: Array, mean: Array, factor: Array) -> Array:
    """Return standardised columns of a table (rows, n) as panels, in float64."""
    rows, n = table.shape
    padded = np.zeros((rows, -(-n // WIDTH) * WIDTH))
    padded[:, :n] = (table.astype(np.float64) - mean[:, np.newaxis]) * factor[:, np.newaxis]
    return np.ascontiguousarray(padded.reshape(rows, -1, WIDTH).transpose(1, 0, 2))


def columns(values: Array, n: int) -> Array:
    """Return panels as a table (rows, n)."""
    return np.ascontiguousarray(values.transpose(1, 0, 2).reshape(values.shape[1], -1)[:, :n])


def input_panels(X: Array, scaling: Scaling) -> Array:
    """Return standardised inputs X (e, n) as panels."""
    return panels(X, scaling.x_mean, scaling.x_factor)


class Activity:
    """The hidden activations of a network at panels of inputs, and what follows from them.

    Parameters
    ----------
    theta : ndarray, shape (P,), float64
        θ of the network for standardised data.
    shape : Shape
        Its sizes.
    activation : str
        Name of σ.
    X : ndarray, shape (panels, e, WIDTH)
        Standardised inputs.

    Attributes
    ----------
    H : ndarray, shape (panels, m, WIDTH)
        Hidden activations.
    """

    def __init__(self, theta: Array, shape: Shape, activation: str, X: Array) -> None:
        self._theta, self._shape, self._activation, self._X = theta, shape, activation, X
        e, m, _ = shape
        at = offsets(shape)
        self.H = np.empty((X.shape[0], m, WIDTH))
        flat = self.H.reshape(-1)
        affine_panels(theta, 0, at.b_h_start, m, e, X.reshape(-1), X.shape[0], flat)
        ACTIVATIONS[activation].sigma(self.H, self.H)

    def outputs(self) -> Array:
        """Return Y (panels, s, WIDTH)."""
        _, m, s = self._shape
        at, count = offsets(self._shape), self.H.shape[0]
        Y = np.empty((count, s, WIDTH))
        H = self.H.reshape(-1)
        affine_panels(self._theta, at.W_y_start, at.b_y_start, s, m, H, count, Y.reshape(-1))
        return Y

    def jacobians(self) -> Iterator[Array]:
        """Yield J_oᵀ = ∂y_o/∂θ (panels, P, WIDTH) of each output, in memory that is used again."""
        e, m, s = self._shape
        W_y, at, count = split(self._theta, self._shape).W_y, offsets(self._shape), self.H.shape[0]
        sigma_prime = np.empty_like(self.H)
        ACTIVATIONS[self._activation].sigma_prime(self.H, sigma_prime)
        J_o = np.zeros((count, self._theta.size, WIDTH))
        hidden = J_o[:, : m * e].reshape(count, m, e, WIDTH)
        biases = J_o[:, at.b_h_start : at.W_y_start]
        for o in range(s):
            np.multiply(sigma_prime, W_y[o][:, np.newaxis], out=biases)
            np.multiply(biases[:, :, np.newaxis], self._X[:, np.newaxis], out=hidden)
            J_o[:, at.W_y_start :] = 0.0
            J_o[:, at.W_y_start + o * m :][:, :m] = self.H
            J_o[:, at.b_y_start + o] = 1.0
            yield J_o

    def last_layer(self) -> Array:
        """Return h⁺ (panels, m + 1, WIDTH)."""
        ones = np.ones((self.H.shape[0], 1, WIDTH))
        return np.concatenate((self.H, ones), axis=1)
