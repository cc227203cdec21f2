"""−log evidence, γ and ν against dense NumPy, and against exact marginal likelihoods."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop import Network, gauss_newton
from batchprop.parameters import Shape
from batchprop.training.evidence.evidence import evidence, posterior_factor, precisions


def dense(network, X, T, alpha, weight):
    """The formulas with NumPy's own inverse and determinant."""
    e, m, s = network.shape
    values = gauss_newton(network, X, T, sample_weight=weight)
    total, P = weight.sum(), network.theta.size
    penalty = np.concatenate([np.full(m * e + m, alpha[0]), np.full(s * m, alpha[1]), np.zeros(s)])
    A = total * values.JTJ + np.diag(penalty)
    R = network.predict(X) - T
    squares = (weight * R**2).sum()
    F = squares + alpha[0] * (network.W_h**2).sum() + alpha[1] * (network.W_y**2).sum()
    M = s * total - s
    logs = m * (e + 1) * np.log(alpha[0]) + s * m * np.log(alpha[1])
    value = 0.5 * (M * np.log(F / M) - logs + np.linalg.slogdet(A)[1])
    gamma = P - np.trace(np.diag(penalty) @ np.linalg.inv(A))
    return values, (value, gamma, squares / (s * total - gamma))


@pytest.mark.parametrize("shape", [(1, 4, 1), (3, 5, 3), (2, 3, 2)])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("activation", ["tanh", "relu", "identity"])
def test_against_dense_numpy(shape, weighted, activation):
    rng = np.random.default_rng(0)
    N = 80
    X, T = rng.normal(size=(shape[0], N)), rng.normal(size=(shape[2], N))
    weight = rng.integers(0, 4, N).astype(float) if weighted else np.ones(N)
    network = Network.initialize(*shape, seed=1, activation=activation)
    alpha = (0.3, 1.7)
    values, expected = dense(network, X, T, alpha, weight)
    known = evidence(values.loss, values.JTJ, network.theta, network.shape, alpha, weight.sum())
    np.testing.assert_allclose(known, expected, rtol=1e-8)


def test_a_weight_of_2_is_a_repeated_sample():
    rng = np.random.default_rng(0)
    X, T = rng.normal(size=(2, 30)), rng.normal(size=(1, 30))
    network = Network.initialize(2, 3, 1, seed=0)
    count = 1 + np.arange(30) % 3
    weighted = gauss_newton(network, X, T, sample_weight=count.astype(float))
    repeated = gauss_newton(network, np.repeat(X, count, axis=1), np.repeat(T, count, axis=1))
    both = [
        evidence(g.loss, g.JTJ, network.theta, network.shape, (0.1, 0.3), count.sum())
        for g in (weighted, repeated)
    ]
    np.testing.assert_allclose(*both, rtol=1e-10)


def linear_model(alpha, m=4, N=40):
    """W_h and b_h fixed: a model that is linear in m weights and one free bias.

    A network without inputs has no W_h, and b_h does not matter where its derivatives are 0.
    """
    rng = np.random.default_rng(3)
    J = np.column_stack([np.zeros((N, m)), rng.normal(size=(N, m)), np.ones(N)])
    t = J @ rng.normal(size=2 * m + 1) + rng.normal(size=N)
    penalty = np.concatenate([np.full(m, 1.0), np.full(m, alpha), [0.0]])
    theta = np.linalg.solve(J.T @ J + np.diag(penalty), J.T @ t)
    loss = float(np.mean((t - J @ theta) ** 2))
    known = evidence(loss, J.T @ J / N, theta, Shape(0, m, 1), (1.0, alpha), N)
    return J, t, penalty, known


def test_the_evidence_of_a_linear_model_is_exact():
    """The likelihood with the bias and the weights integrated out, and the best variance."""
    m, N = 4, 40

    def exact(alpha):
        J, t, _, _ = linear_model(alpha)
        V = np.eye(N) + J[:, m : 2 * m] @ J[:, m : 2 * m].T / alpha
        inverse, ones = np.linalg.inv(V), np.ones(N)
        G = ones @ inverse @ ones
        quadratic = t @ inverse @ t - (ones @ inverse @ t) ** 2 / G
        logs = np.linalg.slogdet(V)[1] + np.log(G)
        return 0.5 * ((N - 1) * np.log(quadratic / (N - 1)) + logs)

    for alpha in (1e-3, 0.1, 30.0):
        ours = linear_model(alpha)[3].negative_log - linear_model(1.0)[3].negative_log
        assert ours == pytest.approx(exact(alpha) - exact(1.0), abs=1e-7)


def test_the_best_alpha_of_a_linear_model_is_that_of_bayesian_ridge():
    linear = pytest.importorskip("sklearn.linear_model")
    J, t, _, _ = linear_model(1.0)
    flat = {"alpha_1": 0.0, "alpha_2": 0.0, "lambda_1": 0.0, "lambda_2": 0.0}
    ridge = linear.BayesianRidge(tol=1e-12, max_iter=10_000, **flat).fit(J[:, 4:8], t)
    best = ridge.lambda_ / ridge.alpha_  # its α is 1/ν, and its λ that of the weights
    values = [linear_model(alpha)[3].negative_log for alpha in best * np.array([0.7, 1.0, 1.4])]
    assert values[1] < min(values[0], values[2])


def test_bayesian_ridge_has_the_same_evidence_noise_and_effective_parameters():
    """scikit-learn fits the intercept beforehand and keeps ν; here both are integrated out."""
    linear = pytest.importorskip("sklearn.linear_model")
    N, m = 40, 4
    J, t, _, _ = linear_model(1.0)
    flat = {"alpha_1": 0.0, "alpha_2": 0.0, "lambda_1": 0.0, "lambda_2": 0.0}
    ridge = linear.BayesianRidge(tol=1e-14, max_iter=10_000, compute_score=True, **flat)
    ridge.fit(J[:, m : 2 * m], t)
    variance, alpha = 1.0 / ridge.alpha_, ridge.lambda_ / ridge.alpha_
    known = linear_model(alpha)[3]
    residuals = t - ridge.predict(J[:, m : 2 * m])
    squares = residuals @ residuals
    gamma = N - squares / variance  # how it estimates its variance
    assert known.n_effective == pytest.approx(gamma + 1.0, rel=1e-5)
    assert known.variance == pytest.approx(squares / (N - gamma - 1.0), rel=1e-5)
    F = squares + alpha * ridge.coef_ @ ridge.coef_
    M = N - 1
    ours = 2.0 * known.negative_log - M * np.log(F / M) - np.log(N)
    theirs = -2.0 * ridge.scores_[-1] - F / variance - N * np.log(2.0 * np.pi * variance)
    assert ours == pytest.approx(theirs, abs=1e-5)


@pytest.mark.parametrize("alpha", [1e-4, 0.5, 1e6])
def test_effective_parameters_are_the_trace_of_the_hat_matrix(alpha):
    J, t, penalty, known = linear_model(alpha)
    hat = J @ np.linalg.solve(J.T @ J + np.diag(penalty), J.T)
    assert known.n_effective == pytest.approx(np.trace(hat), rel=1e-8)
    residuals = t - hat @ t
    assert known.variance == pytest.approx((residuals**2).sum() / (40 - np.trace(hat)), rel=1e-8)


def test_units_that_no_sample_activates():
    network = Network.from_theta(
        np.array([1.0, 1.0, 0.0, -100.0, 0.5, 0.5, 0.0]), Shape(1, 2, 1), "relu"
    )
    X = np.linspace(-1, 1, 20)[np.newaxis]
    values = gauss_newton(network, X, X)
    known = evidence(values.loss, values.JTJ, network.theta, network.shape, (0.1, 0.2), 20.0)
    assert np.isfinite(known).all()
    assert 0 < known.n_effective < 7


def test_where_there_is_no_evidence():
    network = Network.initialize(1, 4, 1, seed=0)
    X = np.array([[0.5]])
    values = gauss_newton(network, X, X)  # one target, one free bias
    known = evidence(values.loss, values.JTJ, network.theta, network.shape, (0.1, 0.2), 1.0)
    assert known.negative_log == np.inf
    broken = np.full_like(values.JTJ, np.nan)
    assert posterior_factor(broken, network.shape, (0.1, 0.2), 5.0) is None
    assert evidence(1.0, broken, network.theta, network.shape, (0.1, 0.2), 50.0)[0] == np.inf


def test_idle_units_are_no_evidence():
    """A unit that contributes nothing has no effect on −log evidence."""
    X = np.linspace(-1, 1, 30)[np.newaxis]
    small = Network([[1.0]], [0.3], [[2.0]], [0.1])
    large = Network([[1.0], [0.0]], [0.3, 0.0], [[2.0, 0.0]], [0.1])
    known = []
    for network in (small, large):
        values = gauss_newton(network, X, X**3)
        arguments = network.theta, network.shape, (0.1, 0.2), 30.0
        known.append(evidence(values.loss, values.JTJ, *arguments))
    assert known[0].negative_log == pytest.approx(known[1].negative_log, abs=1e-9)
    assert known[0].n_effective == pytest.approx(known[1].n_effective, abs=1e-9)


def test_precisions_leave_the_biases_of_outputs_free():
    np.testing.assert_array_equal(
        precisions(Shape(2, 1, 2), (3.0, 5.0)), [3.0, 3.0, 3.0, 5.0, 5.0, 0.0, 0.0]
    )
