"""The noise of each output, against Jacobians of single samples."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop import Network, gauss_newton
from batchprop.engines.samples import Samples
from batchprop.training.evidence.evidence import evidence, posterior_factor
from batchprop.training.evidence.noise import output_noise
from tests.jacobians import jacobian


@pytest.mark.parametrize("s", [1, 3])
def test_each_output_has_its_own(s):
    rng = np.random.default_rng(0)
    X, T = rng.normal(size=(2, 60)), rng.normal(size=(s, 60)) * np.array([[1.0], [3.0], [9.0]])[:s]
    weight = rng.integers(0, 3, 60).astype(float)
    network, alpha, total = Network.initialize(2, 4, s, seed=1), (0.2, 0.9), weight.sum()
    values = gauss_newton(network, X, T, sample_weight=weight)
    inverse = posterior_factor(values.JTJ, network.shape, alpha, total)
    noise = output_noise(
        Samples(X, T, weight), network.theta, network.shape, network.activation, inverse, total
    )
    covariance = inverse.T @ inverse
    J = np.transpose(jacobian(network, X))  # (N, s, P)
    expected = np.einsum("n,nop,pq,noq->o", weight, J, covariance, J)
    np.testing.assert_allclose(noise.n_effective, expected, rtol=1e-9)
    known = evidence(values.loss, values.JTJ, network.theta, network.shape, alpha, total)
    assert noise.n_effective.sum() == pytest.approx(known.n_effective, rel=1e-6)
    squares = (weight * (network.predict(X) - T) ** 2).sum(axis=1)
    np.testing.assert_allclose(noise.variance, squares / (total - expected), rtol=1e-9)


def test_more_parameters_than_samples():
    X, T = np.array([[0.0, 1.0]]), np.array([[0.0, 1.0]])
    network = Network.initialize(1, 4, 1, seed=1)
    values = gauss_newton(network, X, T)
    inverse = posterior_factor(values.JTJ, network.shape, (1e-9, 1e-9), 2.0)
    noise = output_noise(Samples(X, T), network.theta, network.shape, "tanh", inverse, 2.0)
    assert noise.variance.shape == (1,)
