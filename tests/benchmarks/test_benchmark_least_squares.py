"""The comparison of least-squares methods: its derivatives, its problems and its tables."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop import Network as Start
from benchmarks.least_squares.__main__ import METHODS, Outcome, behind, report, solve
from benchmarks.least_squares.methods import Method, minimise
from benchmarks.least_squares.models import Network, Projected
from benchmarks.least_squares.problems import PROBLEMS
from tests.problems import relative_error

BY_NAME = {problem.name: problem for problem in PROBLEMS}
SOME = ["sinc, logistic", "three outputs", "robot arm"]


def start_of(network, seed=0):
    return Start.initialize(*network.shape, seed=seed).theta


def numerical(model, theta):
    shifts = 1e-6 * np.eye(theta.size)
    columns = [model.residual(theta + d) - model.residual(theta - d) for d in shifts]
    return np.transpose(columns) / 2e-6


@pytest.mark.parametrize("name", SOME)
def test_the_jacobian(name):
    network = Network(BY_NAME[name], 0)
    theta = start_of(network)
    assert relative_error(network.jacobian(theta), numerical(network, theta)) < 1e-8


@pytest.mark.parametrize("name", SOME)
def test_kaufmans_jacobian_gives_the_gradient(name):
    """It leaves out what is orthogonal to the residuals, nothing else."""
    network = Network(BY_NAME[name], 0)
    alpha = start_of(network)[: network.shape.n_hidden * (network.shape.n_inputs + 1)]
    model = Projected(network, 1e-6)
    residual, exact = model.residual(alpha), numerical(model, alpha)
    gradient = model.jacobian(alpha).T @ residual
    assert relative_error(gradient, exact.T @ residual) < 1e-6
    assert relative_error(model.jacobian(alpha), exact) > 1e-3


def test_problems_are_many_and_distinct():
    assert len(PROBLEMS) == len(BY_NAME) >= 20
    for problem in PROBLEMS:
        X, T = problem.make(problem.n, 1)
        assert len(X) == len(T) == problem.n
        assert np.all(np.isfinite(X))
        assert np.all(np.isfinite(T))


@pytest.mark.parametrize("projected", [False, True])
def test_methods_minimise(projected):
    network = Network(BY_NAME["exponential"], 0)
    theta = start_of(network)
    model = Projected(network, 1e-12) if projected else network
    losses = minimise(model, theta[: 12 if projected else None], Method(), 30)
    assert losses[-1] < 1e-4 * losses[0]


def test_digits_behind():
    outcomes = [
        Outcome("p", 0, "a", 5, 1e-3, 9, 1.0),
        Outcome("p", 0, "b", 5, 1e-5, 9, 1.0),
        Outcome("q", 0, "a", 5, 0.0, 9, 1.0),
        Outcome("q", 0, "b", 5, 1e-26, 9, 1.0),
    ]
    found = behind(outcomes, ["a", "b"])
    np.testing.assert_allclose(found["a"], [2, 0], atol=1e-12)
    np.testing.assert_allclose(found["b"], [0, 0], atol=1e-12)


def test_the_report():
    outcomes = [
        Outcome(problem.name, 0, name, 9, 1e-3, 5, 0.1) for problem in PROBLEMS for name in METHODS
    ]
    text = report(outcomes, 5)
    for name in (*METHODS, *BY_NAME):
        assert name in text


def test_a_problem_from_end_to_end():
    index = next(i for i, problem in enumerate(PROBLEMS) if problem.name == "steep step")
    outcomes = solve(index, 0, 3)
    assert [outcome.method for outcome in outcomes] == list(METHODS)
    assert all(np.isfinite(outcome.loss) for outcome in outcomes)
