"""Networks in raw units, as training returns them: the scaling is folded into the weights."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from batchprop import Network
from batchprop.activations import ACTIVATIONS

UNITS = (1e-9, 1.0, 1e9)
DTYPES = ("float32", "float64")
# Largest difference between two programs, in standard deviations of an output.
TOLERANCE = {"float32": 3e-5, "float64": 3e-14}

__all__ = ["ACTIVATIONS", "DTYPES", "TOLERANCE", "UNITS", "Exported", "difference", "raw_network"]


class Exported(NamedTuple):
    """A network, and inputs from where it responds."""

    network: Network
    X: Any  # (e, N), in the network's dtype


def raw_network(
    activation="tanh", dtype="float64", unit=1.0, n_outputs=1, n_samples=7, mean=1.0, n_inputs=3
):
    """Inputs and outputs have the standard deviation ``unit`` and ``mean`` times that as mean."""
    network = Network.initialize(n_inputs, 8, n_outputs, activation, seed=n_outputs)
    W_h = 2.0 * network.W_h / unit
    b_h = 2.0 * network.b_h - W_h @ np.full(n_inputs, mean * unit)
    W_y, b_y = network.W_y * unit, network.b_y + mean * unit
    rng = np.random.default_rng(n_samples)
    X = unit * (mean + rng.standard_normal((n_inputs, n_samples)))
    return Exported(Network(W_h, b_h, W_y, b_y, activation).astype(dtype), X.astype(dtype))


def difference(Y, network, X):
    """Return the largest difference from the predictions, as a share of the output's unit.

    The unit is ‖W_y‖ of the output: hidden activations are of order 1 here.
    """
    expected = network.predict(X, engine="vectorized")
    assert Y.shape == expected.shape
    assert Y.dtype == expected.dtype
    unit = np.linalg.norm(network.W_y.astype(np.float64), axis=1, keepdims=True)
    return float((np.abs(Y.astype(np.float64) - expected) / unit).max())
