"""Sums over many samples lose no digits: float32 data, against the same sums in float64."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop import Network, loss_and_gradient
from batchprop.engines.fused import blocking
from batchprop.parameters import Shape
from tests.problems import problem, relative_errors

# with one input, a few, and two vectors of them, which are summed in strips
SIZES = ((1, 8, 1), (8, 6, 2), (32, 6, 1))


@pytest.fixture(autouse=True)
def _strips_for_small_networks(monkeypatch):
    monkeypatch.setattr(blocking, "STRIPS_FROM_UNITS", 1)


def errors(network, X, T):
    """Return the relative errors of the loss and of the worst block of the gradient."""
    loss, gradient = loss_and_gradient(network, X, T)
    exact, expected = loss_and_gradient(
        network.astype("float64"), X, T, engine="vectorized", n_threads=1
    )
    blocks = relative_errors(gradient.theta, expected.theta, network.shape)
    return abs(loss / exact - 1), max(blocks.values())


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_a_million_samples(sizes):
    net, X, T, _ = problem(*sizes, 1_000_000, "softsign", "float32")
    loss, gradient = errors(net, X, T)
    assert loss < 1e-7
    assert gradient < 1e-6


@pytest.mark.parametrize("n_samples", [10_000, 1_000_000])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_the_same_sample_many_times(sizes, n_samples):
    """All roundings go one way: a plain float32 sum would be wrong in the third digit."""
    shape = Shape(*sizes)
    theta = np.random.default_rng(1).normal(size=shape.n_parameters).astype("float32") / 4
    X = np.broadcast_to(np.float32(0.1), (shape.n_inputs, n_samples))
    T = np.broadcast_to(np.float32(1.3), (shape.n_outputs, n_samples))
    loss, gradient = errors(Network.from_theta(theta, shape), X, T)
    assert loss < 1e-6
    assert gradient < 2e-5


def test_a_loss_far_below_the_targets_size():
    """Residuals are formed before anything is summed: large common offsets do not cancel late."""
    net = Network.from_theta(np.float32([0, 0, 1, 1000]), Shape(1, 1, 1))
    X = np.zeros((1, 100_000), "float32")
    T = 1000 + np.float32(0.125) * np.random.default_rng(0).integers(-8, 9, (1, 100_000))
    loss, _ = errors(net, X, T.astype("float32"))
    assert loss < 1e-14
