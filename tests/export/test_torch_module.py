"""The network in PyTorch: the same predictions and gradients, and it can be trained."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop import Network, loss_and_gradient
from tests.export.raw_units import ACTIVATIONS, DTYPES, TOLERANCE, UNITS, difference, raw_network

torch = pytest.importorskip("torch")


def run(module, X):
    """Return what the module computes for samples in columns."""
    with torch.no_grad():
        return module(torch.from_numpy(np.ascontiguousarray(X.T))).numpy().T


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_torch_predicts_the_same(activation, dtype, unit):
    for n_outputs in (1, 3):
        for n_samples in (1, 7):
            network, X = raw_network(activation, dtype, unit, n_outputs, n_samples)
            assert difference(run(network.to_torch(), X), network, X) < TOLERANCE[dtype]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_far_out_and_near_zero_each_digit_is_right(activation):
    network = Network([[1.0]], [0.0], [[1.0]], [0.0], activation)
    sizes = np.array([0.0, 1e-300, 1e-12, 1.0, 19.0, 21.0, 25.0, 30.0, 39.9, 40.1, 800.0, 1e300])
    X = np.concatenate([-sizes, sizes])[np.newaxis]
    expected = network.predict(X, engine="vectorized")
    atol = 2e-16 if activation == "logistic" else 0.0  # see test_onnx_file.py
    np.testing.assert_allclose(run(network.to_torch(), X), expected, rtol=3e-15, atol=atol)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_its_gradient_is_ours(activation):
    network, X = raw_network(activation, n_outputs=2)
    T = np.ones((2, X.shape[1]))
    module = network.to_torch()
    residuals = module(torch.from_numpy(X.T)) - torch.from_numpy(T.T)
    (residuals**2).sum(axis=1).mean().backward()
    _, gradient = loss_and_gradient(network, X, T, engine="vectorized")
    hidden, _, output = module
    for parameter, block in (
        (hidden.weight, gradient.W_h),
        (hidden.bias, gradient.b_h),
        (output.weight, gradient.W_y),
        (output.bias, gradient.b_y),
    ):
        np.testing.assert_allclose(parameter.grad.numpy(), block, rtol=1e-11, atol=1e-13)


def test_it_is_a_copy_that_can_be_trained():
    network, X = raw_network()
    theta = network.theta.copy()
    module = network.to_torch()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.01)
    inputs, targets = torch.from_numpy(X.T), torch.zeros(X.shape[1], 1, dtype=torch.float64)
    losses = []
    for _ in range(20):
        optimizer.zero_grad()
        loss = ((module(inputs) - targets) ** 2).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]
    np.testing.assert_array_equal(network.theta, theta)


def test_torchs_random_numbers_are_left_alone():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    raw_network().network.to_torch()
    assert torch.equal(torch.rand(3), expected)
