"""ν, γ and K against their definitions, and against scikit-learn's Bayesian ridge."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import BayesianRidge

from batchprop import Network, gauss_newton
from batchprop.engines.samples import Samples
from batchprop.parameters import Shape, split
from batchprop.scaling import Scaling
from batchprop.training.evidence.evidence import precisions
from batchprop.training.uncertainty import laplace as module
from batchprop.training.uncertainty.laplace import approximation_of, laplace
from tests import jacobians
from tests.problems import problem

ALPHA = (0.3, 1.2)


def at(data, alpha=ALPHA, n_threads=1, networks=1, scaling=None):
    net = data.network
    thetas = [(1 + 0.1 * k) * net.theta.astype(float) for k in range(networks)]
    samples = Samples(data.X, data.T, data.weight, scaling)
    return laplace(samples, thetas, net.shape, net.activation, alpha, 0, n_threads)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(1, 4, 1), (3, 5, 3)])
def test_against_dense_numpy(shape, weighted):
    data = problem(*shape, n_samples=60, weighted=weighted)
    known, net = at(data), data.network
    w = np.ones(60) if data.weight is None else data.weight
    values = gauss_newton(net, data.X, data.T, sample_weight=w)
    K = w.sum() * values.JTJ + np.diag(precisions(net.shape, ALPHA))
    J = jacobians.jacobian(net, data.X)
    v = np.einsum("poi,pq,qoi->oi", J, np.linalg.inv(K), J)
    np.testing.assert_allclose(known.posterior.uncertainty(data.X).v, v, rtol=1e-7)
    gamma = (w * v).sum(axis=1)
    squares = (w * (net.predict(data.X) - data.T) ** 2).sum(axis=1)
    np.testing.assert_allclose(known.noise_variance, squares / (w.sum() - gamma), rtol=1e-7)
    np.testing.assert_allclose(known.n_effective, gamma.sum(), rtol=1e-7)


def test_the_last_layer_against_dense_numpy(monkeypatch):
    data = problem(2, 6, 2, n_samples=300, weighted=True)
    monkeypatch.setattr(module, "MAX_PARAMETERS", 10)
    known, net = at(data), data.network
    assert known.posterior.approximation == "last-layer"
    h = np.vstack([np.tanh(net.W_h @ data.X + net.b_h[:, None]), np.ones(300)])
    K = (h * data.weight) @ h.T + np.diag([ALPHA[1]] * 6 + [0.0])
    v = np.einsum("ki,kl,li->i", h, np.linalg.inv(K), h)
    np.testing.assert_allclose(known.posterior.uncertainty(data.X).v[1], v, rtol=1e-9)


def test_scikit_learns_bayesian_ridge_has_the_same_variance(monkeypatch):
    """With identity units and W_h fixed, the last layer is a ridge of H."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(4, 80))
    X -= X.mean(axis=1, keepdims=True)  # scikit-learn centres, and leaves the mean's variance out
    y = np.array([1.0, -2.0, 0.5, 0.0]) @ X + 3.0 + 0.3 * rng.normal(size=80)
    ridge = BayesianRidge().fit(X.T, y)
    theta = np.zeros(Shape(4, 4, 1).n_parameters)
    blocks = split(theta, Shape(4, 4, 1))
    blocks.W_h[:], blocks.W_y[0], blocks.b_y[:] = np.eye(4), ridge.coef_, ridge.intercept_
    monkeypatch.setattr(module, "MAX_PARAMETERS", 10)
    alpha = (1.0, ridge.lambda_ / ridge.alpha_)
    known = laplace(Samples(X, y[None]), [theta], Shape(4, 4, 1), "identity", alpha, 0, 1)
    new = rng.normal(size=(4, 30))
    mean, std = ridge.predict(new.T, return_std=True)
    network = Network.from_theta(theta, (4, 4, 1), "identity")
    np.testing.assert_allclose(network.predict(new)[0], mean, rtol=1e-9)
    variance = (1.0 + known.posterior.uncertainty(new).v[0] - 1 / 80) / ridge.alpha_
    np.testing.assert_allclose(variance, std**2, rtol=1e-9)


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_the_same_bits_for_any_threads(n_threads):
    data = problem(3, 5, 2, n_samples=200)
    one, other = at(data, networks=3), at(data, n_threads=n_threads, networks=3)
    np.testing.assert_array_equal(one.posterior.factors, other.posterior.factors)
    np.testing.assert_array_equal(one.noise_variance, other.noise_variance)


def test_samples_of_weight_0_are_missing():
    data = problem(2, 4, 1, n_samples=50)
    weight = np.ones(50)
    weight[::3] = 0.0
    X = data.X.copy()
    X[:, ::3] = 1e6
    known = at(data._replace(X=X, weight=weight))
    other = at(data._replace(X=X[:, weight > 0], T=data.T[:, weight > 0]))
    np.testing.assert_allclose(known.noise_variance, other.noise_variance, rtol=1e-9)
    np.testing.assert_allclose(
        known.posterior.factors, other.posterior.factors, rtol=1e-7, atol=1e-9
    )


def test_many_samples_take_part_in_part(monkeypatch):
    data = problem(1, 4, 1, n_samples=20_000)
    known = at(data)
    monkeypatch.setattr(module, "WORK", 1.0)
    monkeypatch.setattr(module, "NOISE_SAMPLES", 2000)
    sampled = at(data)
    assert (known.posterior.factors != sampled.posterior.factors).any()
    v, w = (model.posterior.uncertainty(data.X[:, :9]).v for model in (known, sampled))
    np.testing.assert_allclose(w, v, rtol=0.7)
    np.testing.assert_allclose(known.noise_variance, sampled.noise_variance, rtol=0.15)


def test_which_parameters_vary():
    assert approximation_of(Shape(8, 50, 1), 1) == "full"
    assert approximation_of(Shape(17, 105, 1), 1) == "full"  # P = 1996
    assert approximation_of(Shape(8, 250, 1), 1) == "last-layer"  # P = 2501
    assert approximation_of(Shape(8, 1999, 1), 1) == "last-layer"
    assert approximation_of(Shape(8, 2000, 1), 1) == "constant"
    assert approximation_of(Shape(8, 50, 1), 79) == "full"
    assert approximation_of(Shape(8, 50, 1), 80) == "last-layer"


def test_without_freedom_the_noise_is_not_known():
    data = problem(3, 30, 1, n_samples=20)
    known = at(data, alpha=(0.0, 0.0))
    assert np.isnan(known.noise_variance).all()
    assert known.n_effective == pytest.approx(20, rel=1e-3)


def test_a_matrix_that_is_not_finite_leaves_a_constant(monkeypatch):
    monkeypatch.setattr(module, "ridge_factor", lambda matrix, precisions: None)
    known = at(problem(2, 3, 1), networks=2)
    assert known.posterior.approximation == "constant"
    assert known.posterior.factors.shape == (2, 0, 0)
    assert np.isnan(known.noise_variance).all()


def test_standardised_data():
    data = problem(2, 4, 1, n_samples=60)
    scaling = Scaling.of(data.X * 7 + 1, data.T * 100)
    X, T = scaling.apply(data.X * 7 + 1, data.T * 100, np.float64)
    inside = at(data._replace(X=data.X * 7 + 1, T=data.T * 100), scaling=scaling)
    outside = at(data._replace(X=X, T=T))
    np.testing.assert_allclose(inside.noise_variance, outside.noise_variance, rtol=1e-9)
