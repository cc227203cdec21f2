"""How strongly each output of a network depends on each input, from its Jacobian ∂Y/∂X."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop import scaling
from batchprop.activations import ACTIVATIONS
from batchprop.network import Network

Array = npt.NDArray[Any]

MAX_SAMPLES = 10_000  # at which the Jacobian is computed


def evenly_spaced(X: Array, most: int) -> Array:
    """Return at most this many samples of X (e, N), evenly spaced in the order of the table."""
    n_samples = X.shape[1]
    if n_samples <= most:
        return X
    return X[:, np.linspace(0, n_samples - 1, most).astype(int)]


def importances(network: Network, X: Array) -> Array:
    """Return the importance (s, e) of each input for each output, in units of the output.

    It is √(mean of (∂y_o/∂x_j)²) · (standard deviation of x_j).

    Parameters
    ----------
    network : Network
        The network.
    X : ndarray, shape (e, N)
        Checked inputs.
    """
    J = _jacobian(network, evenly_spaced(X, MAX_SAMPLES))
    slopes: Array = np.sqrt(np.mean(J * J, axis=2))
    return slopes * scaling.standard_deviations(X)


def _jacobian(network: Network, X: Array) -> Array:
    """Return ∂Y/∂X (s, e, N)."""
    activation = ACTIVATIONS[network.activation]
    Z = network.W_h @ X.astype(network.dtype) + network.b_h[:, np.newaxis]
    H, slope = np.empty_like(Z), np.empty_like(Z)
    activation.sigma(Z, H)
    activation.sigma_prime(H, slope)
    return np.stack([network.W_h.T @ (w[:, np.newaxis] * slope) for w in network.W_y])
