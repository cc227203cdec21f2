"""How strongly each output of a network depends on each input, from its Jacobian ∂Y/∂X."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop import scaling
from batchprop.network import Network

Array = npt.NDArray[Any]

MAX_SAMPLES = 10_000  # at which the Jacobian is computed
_ELEMENTS = 1 << 22  # of the Jacobian that are held at a time


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
    e, _, s = network.shape
    samples = evenly_spaced(X, MAX_SAMPLES)
    squares, step = np.zeros((s, e)), max(1, _ELEMENTS // (s * e))
    for first in range(0, samples.shape[1], step):
        slopes = network.jacobian(samples[:, first : first + step], engine="vectorized")
        squares += np.square(slopes, dtype=np.float64).sum(axis=2)
    importance: Array = np.sqrt(squares / samples.shape[1]) * scaling.standard_deviations(X)
    return importance
