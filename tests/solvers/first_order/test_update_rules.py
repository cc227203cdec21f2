"""Each step of gd, momentum, nesterov and adam, against its paper's formula in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import batchprop
from batchprop.solvers.first_order.first_order_memory import default_learning_rate
from batchprop.solvers.settings import FIRST_ORDER
from tests.problems import problem, relative_error
from tests.solvers.references import REFERENCES, loss_and_gradient

STEPS = 6
TOLERANCE = {"float64": 1e-12, "float32": 2e-5}
OTHER_NUMBERS = {
    "gd": {},
    "momentum": {"mu": 0.5},
    "nesterov": {"mu": 0.3},
    "adam": {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3},
}


def reference_path(solver, case, rate, **numbers):
    """Return θ after 1, 2, … steps."""
    start = case.network.theta.astype(float)

    def gradient_at(theta):
        data = case.X.astype(float), case.T.astype(float), case.weight
        return loss_and_gradient(theta, case.network.shape, *data)[1]

    return list(REFERENCES[solver](start, gradient_at, STEPS, rate, **numbers))


def trained(case, n_epochs, **options):
    return batchprop.train(
        case.X, case.T, network=case.network, sample_weight=case.weight,
        max_epochs=n_epochs, tol=None, scale=False, **{"alpha": 0.0} | options,
    )  # fmt: skip


def test_the_references_gradient_is_a_gradient():
    case = problem(e=2, m=3, s=2, n_samples=9, weighted=True)
    theta, shape = case.network.theta, case.network.shape

    def loss_at(theta):
        return loss_and_gradient(theta, shape, case.X, case.T, case.weight)[0]

    steps = 1e-6 * np.eye(theta.size)
    differences = [(loss_at(theta + d) - loss_at(theta - d)) / 2e-6 for d in steps]
    gradient = loss_and_gradient(theta, shape, case.X, case.T, case.weight)[1]
    assert relative_error(gradient, differences) < 1e-8


def test_every_solver_has_a_reference():
    assert set(REFERENCES) == set(OTHER_NUMBERS) == set(FIRST_ORDER)


@pytest.mark.parametrize("solver", FIRST_ORDER)
@pytest.mark.parametrize("engine", batchprop.ENGINES)
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("weighted", [False, True])
def test_every_step(solver, engine, dtype, weighted):
    case = problem(e=2, m=4, s=2, n_samples=15, dtype=dtype, weighted=weighted, seed=3)
    path = reference_path(solver, case, rate=0.03)
    for n_epochs, expected in enumerate(path, 1):
        result = trained(case, n_epochs, solver=solver, engine=engine, learning_rate=0.03)
        assert result.last_network.dtype == dtype
        assert relative_error(result.last_network.theta, expected) < TOLERANCE[dtype]


@pytest.mark.parametrize("solver", FIRST_ORDER)
def test_a_solvers_own_numbers(solver):
    case = problem(e=3, m=4, s=1, n_samples=12, seed=4)
    numbers = OTHER_NUMBERS[solver]
    expected = reference_path(solver, case, rate=0.05, **numbers)[-1]
    options = {"momentum" if name == "mu" else name: value for name, value in numbers.items()}
    result = trained(case, STEPS, solver=solver, learning_rate=0.05, **options)
    assert relative_error(result.last_network.theta, expected) < 1e-12


def test_no_momentum_is_plain_descent():
    case = problem(seed=5)
    plain, *others = (
        trained(case, 8, solver=solver, learning_rate=0.02, momentum=0).last_network.theta
        for solver in ("gd", "momentum", "nesterov")
    )
    for other in others:
        np.testing.assert_array_equal(other, plain)


@pytest.mark.parametrize("solver", FIRST_ORDER)
def test_the_default_rate_shrinks_with_the_network(solver):
    code = FIRST_ORDER[solver]
    rates = [
        default_learning_rate(code, batchprop.Network.initialize(e, m, 1).shape)
        for e, m in ((1, 4), (8, 50), (90, 100), (8, 1000))
    ]
    assert rates == sorted(rates, reverse=True)
    case = problem(e=8, m=50, s=1, seed=6)
    chosen = trained(case, 5, solver=solver).last_network.theta
    np.testing.assert_array_equal(
        trained(case, 5, solver=solver, learning_rate=rates[1]).last_network.theta, chosen
    )
