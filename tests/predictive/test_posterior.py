"""v = J K⁻¹ Jᵀ against dense NumPy, averages against their networks, and the same bits always."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop import Network
from batchprop.parameters import Shape
from batchprop.predictive import posterior
from batchprop.predictive.posterior import Posterior, claimed_variance
from batchprop.scaling import Scaling, fold
from tests import jacobians
from tests.problems import problem

ALPHA = 0.3


def drawn(shape, K=1, activation="tanh", n=None, scaling=None):
    """Return a posterior of random networks and factors of random positive definite matrices."""
    e, _, s = shape = Shape(*shape)
    rng = np.random.default_rng(len(activation))
    n = shape.n_parameters if n is None else n
    thetas = rng.normal(size=(K, shape.n_parameters))
    factors = np.zeros((K, n, n))
    for factor in factors:
        A = rng.normal(size=(n, 2 * n))
        factor[:] = np.linalg.inv(np.linalg.cholesky(A @ A.T + ALPHA * np.eye(n))) if n else factor
    return Posterior(activation, shape, scaling or Scaling.identity(e, s), thetas, factors)


def networks_of(drawn):
    return [Network.from_theta(theta, drawn.shape, drawn.activation) for theta in drawn.thetas]


def dense(network, factor, X):
    J = jacobians.jacobian(network, X)
    return np.einsum("poi,pq,qoi->oi", J, factor.T @ factor, J)


@pytest.mark.parametrize("activation", list(jacobians.SIGMA))
@pytest.mark.parametrize("shape", [(1, 4, 1), (3, 5, 3), (2, 17, 2)])
@pytest.mark.parametrize("n_samples", [1, 7, 40])
def test_v_is_the_quadratic_form_of_the_jacobian(shape, activation, n_samples):
    model = drawn(shape, activation=activation)
    X = problem(*shape, n_samples=n_samples).X
    known = model.uncertainty(X)
    (network,) = networks_of(model)
    np.testing.assert_allclose(known.v, dense(network, model.factors[0], X), rtol=1e-9)
    assert not known.spread.any()
    assert model.approximation == "full"


def test_a_mean_has_the_mean_v_and_the_variance_of_the_predictions():
    model = drawn((2, 4, 3), K=4)
    X = problem(2, 4, 3).X
    known, networks = model.uncertainty(X), networks_of(model)
    pairs = zip(networks, model.factors, strict=True)
    np.testing.assert_allclose(known.v, np.mean([dense(*pair, X) for pair in pairs], 0), rtol=1e-9)
    predictions = [network.predict(X) for network in networks]
    np.testing.assert_allclose(known.spread, np.var(predictions, axis=0, ddof=1), rtol=1e-9)


def test_the_last_layer_has_one_v_for_all_outputs():
    model = drawn((2, 6, 3), K=2, n=7)
    X = problem(2, 6, 3).X
    assert model.approximation == "last-layer"
    expected = 0.0
    for network, factor in zip(networks_of(model), model.factors, strict=True):
        h = np.vstack([np.tanh(network.W_h @ X + network.b_h[:, None]), np.ones(X.shape[1])])
        expected += np.square(factor @ h).sum(axis=0) / 2
    np.testing.assert_allclose(model.uncertainty(X).v, np.tile(expected, (3, 1)), rtol=1e-9)


def test_without_factors_only_the_spread_is_left():
    X = problem(2, 6, 3).X
    one, two = (drawn((2, 6, 3), K=K, n=0) for K in (1, 2))
    assert one.approximation == two.approximation == "constant"
    assert not one.uncertainty(X).v.any()
    assert not one.uncertainty(X).spread.any()
    assert not two.uncertainty(X).v.any()
    assert two.uncertainty(X).spread.min() > 0


def test_inputs_are_in_the_units_of_the_user():
    rng = np.random.default_rng(0)
    raw = 5 + rng.normal(size=(2, 30)) * [[10.0], [1e-3]]
    scaling = Scaling.of(raw, rng.normal(size=(1, 30)))
    X, _ = scaling.apply(raw, np.zeros((1, 30)), np.float64)
    plain, scaled = drawn((2, 4, 1)), drawn((2, 4, 1), scaling=scaling)
    np.testing.assert_allclose(scaled.uncertainty(raw).v, plain.uncertainty(X).v, rtol=1e-9)
    network = Network.from_theta(fold(plain.thetas[0], plain.shape, scaling), plain.shape)
    assert np.isfinite(network.predict(raw)).all()


@pytest.mark.parametrize("K", [1, 3])
@pytest.mark.parametrize("n", [None, 7, 0])
def test_the_same_bits_for_any_threads_chunks_and_neighbours(monkeypatch, K, n):
    model = drawn((3, 6, 2), K=K, n=n)
    X = np.random.default_rng(0).normal(size=(3, 500))
    expected = claimed_variance(model, np.ones(2), X, 1)
    monkeypatch.setattr(posterior, "_MAX_CHUNK", 32)
    for n_threads in (1, 2, 5, None):
        np.testing.assert_array_equal(claimed_variance(model, np.ones(2), X, n_threads), expected)
    np.testing.assert_array_equal(
        claimed_variance(model, np.ones(2), X[:, 77:78]), expected[:, 77:78]
    )
    fortran = np.asfortranarray(X)
    np.testing.assert_array_equal(claimed_variance(model, np.ones(2), fortran), expected)


def test_memory_of_a_call_is_bounded(monkeypatch):
    sizes = []
    model = drawn((3, 6, 2))
    compute = Posterior._chunk
    monkeypatch.setattr(
        Posterior, "_chunk", lambda self, X: sizes.append(X.shape[1]) or compute(self, X)
    )
    monkeypatch.setattr(posterior, "_CHUNK_BYTES", 8 * 38 * 64)
    model.uncertainty(np.zeros((3, 1000)), 1)
    assert max(sizes) == 64
    assert sum(sizes) == 1000
