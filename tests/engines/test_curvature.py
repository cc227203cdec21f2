"""Jᵀ y″, the curvature of the outputs along a step: three engines against its definition."""

from __future__ import annotations

import numpy as np
import pytest

import batchprop
from batchprop import engines
from batchprop.engines.fused import blocking
from batchprop.engines.samples import Samples
from tests.problems import problem, relative_error


def points_around(theta, seed=1):
    p = 0.5 * np.random.default_rng(seed).normal(size=theta.size)
    return np.stack([theta, theta + p, theta - p])


def by_definition(case, points):
    """Σ w Jᵀ y″ / Σ w from predictions and central differences of them, in float64."""
    shape, activation = case.network.shape, case.network.activation

    def y(theta):
        return batchprop.Network.from_theta(theta, shape, activation).predict(case.X)

    theta, ahead, behind = points
    weight = np.ones(case.X.shape[1]) if case.weight is None else case.weight
    curved = weight / weight.sum() * (y(ahead) - 2 * y(theta) + y(behind))
    shifts = 1e-6 * np.eye(theta.size)
    return np.array([np.sum(curved * (y(theta + d) - y(theta - d))) / 2e-6 for d in shifts])


def curvature(case, points, engine, n_threads=None):
    out = np.empty(points.shape[1])
    with engines.load(engine).GaussNewtonObjective(
        Samples(case.X, case.T, case.weight),
        case.network.shape,
        case.network.activation,
        np.float64,
        n_threads,
    ) as objective:
        objective.curvature(points, out)
    return out


@pytest.mark.parametrize("engine", batchprop.ENGINES)
@pytest.mark.parametrize("activation", ["tanh", "logistic", "softplus", "identity"])
@pytest.mark.parametrize("s", [1, 3])
def test_the_definition(engine, activation, s):
    case = problem(e=2, m=4, s=s, n_samples=37, activation=activation, weighted=s == 3)
    points = points_around(case.network.theta)
    expected = by_definition(case, points)
    assert relative_error(curvature(case, points, engine), expected) < 1e-7


@pytest.mark.parametrize(
    ("e", "m", "s", "n_samples"),
    [(1, 20, 1, 1500), (9, 7, 5, 1100), (33, 7, 5, 1100), (1, 2, 60, 300)],
)
def test_the_engines_agree(e, m, s, n_samples, monkeypatch):
    """Without sums in strips, and with them where there are 33 inputs."""
    monkeypatch.setattr(blocking, "STRIPS_FROM_UNITS", 1)
    case = problem(e, m, s, n_samples, weighted=True)
    points = points_around(case.network.theta)
    expected = curvature(case, points, "vectorized")
    assert relative_error(curvature(case, points, "fused"), expected) < 1e-13


def test_many_inputs_and_outputs():
    """Inputs along vectors, and more outputs than hidden units."""
    case = problem(e=40, m=3, s=60, n_samples=90)
    points = points_around(case.network.theta)
    expected = curvature(case, points, "vectorized")
    assert relative_error(curvature(case, points, "fused"), expected) < 1e-13


@pytest.mark.parametrize("n_threads", [2, 4])
def test_the_same_bits_for_any_number_of_threads(n_threads):
    case = problem(3, 10, 2, n_samples=4001)
    points = points_around(case.network.theta)
    one = curvature(case, points, "fused", 1)
    np.testing.assert_array_equal(curvature(case, points, "fused", n_threads), one)


def test_matrix_and_curvature_in_turn():
    """Neither spoils what the other finds in memory."""
    case = problem(2, 6, 2, n_samples=700)
    points, n = points_around(case.network.theta), case.network.theta.size
    first, second, out = np.zeros((n, n)), np.zeros((n, n)), np.empty((2, n))
    with engines.load("fused").GaussNewtonObjective(
        Samples(case.X, case.T), case.network.shape, "tanh", np.float64, 1
    ) as objective:
        objective.curvature(points, out[0])
        loss = objective.gauss_newton(points[0], np.empty(n), first)
        objective.curvature(points, out[1])
        assert objective.gauss_newton(points[0], np.empty(n), second) == loss
    np.testing.assert_array_equal(out[0], out[1])
    np.testing.assert_array_equal(first, second)
