"""Seeded problems for the tests, and the relative error of a gradient, block by block."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from batchprop import Network
from batchprop.parameters import Blocks, Shape, split


class Data(NamedTuple):
    """A network and what it is evaluated on."""

    network: Network
    X: Any  # (e, N)
    T: Any  # (s, N)
    weight: Any  # (N,) or None


def problem(
    e=3, m=5, s=2, n_samples=40, activation="tanh", dtype="float64", weighted=False, seed=0
):
    """Standardised inputs, targets of a size that leaves residuals, all blocks of order 1."""
    rng = np.random.default_rng((seed, e, m, s, n_samples))
    network = Network.from_theta(
        rng.normal(size=Shape(e, m, s).n_parameters).astype(dtype), Shape(e, m, s), activation
    )
    X = rng.normal(size=(e, n_samples)).astype(dtype)
    T = (1.5 + rng.normal(size=(s, n_samples))).astype(dtype)
    weight = rng.uniform(0.1, 2.0, n_samples) if weighted else None
    return Data(network, X, T, weight)


def relative_errors(theta, reference, shape):
    """Return block -> ‖difference‖ / ‖reference‖; a zero block has to be zero."""
    pairs = zip(Blocks._fields, split(theta, shape), split(reference, shape), strict=True)
    return {name: relative_error(block, expected) for name, block, expected in pairs}


def relative_error(value, reference):
    value, reference = np.asarray(value, np.float64), np.asarray(reference, np.float64)
    size = np.linalg.norm(reference)
    difference = np.linalg.norm(value - reference)
    return float(difference / size) if size else float(difference)
