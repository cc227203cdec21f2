"""Levenberg–Marquardt against its formulas, on every engine, and to the bottom of the loss."""

from __future__ import annotations

import numpy as np
import pytest

import batchprop
from batchprop import Network
from batchprop.parameters import Shape
from batchprop.solvers.levenberg_marquardt.levenberg_marquardt_memory import (
    LevenbergMarquardtSettings,
)
from tests.problems import Data, problem, relative_error
from tests.solvers.levenberg_marquardt.lm_reference import lm
from tests.solvers.levenberg_marquardt.lm_runs import ran

ENGINES = pytest.mark.parametrize("engine", batchprop.ENGINES)


def teacher(e=2, m=3, s=1, n_samples=120, noise=0.3, seed=0):
    """Targets that a network of this size fits exactly, and a start near it."""
    rng = np.random.default_rng(seed)
    shape = Shape(e, m, s)
    truth = rng.normal(size=shape.n_parameters)
    X = rng.normal(size=(e, n_samples))
    start = truth + noise * rng.normal(size=truth.size)
    T = Network.from_theta(truth, shape, "tanh").predict(X)
    return Data(Network.from_theta(start, shape, "tanh"), X, T, None)


@ENGINES
@pytest.mark.parametrize("acceleration", [0.75, 0.0])
def test_the_formulas(engine, acceleration):
    case = problem(e=2, m=4, s=2, n_samples=60, weighted=True)
    alpha = 0.3
    settings = LevenbergMarquardtSettings(max_correction=acceleration)
    *_, expected = lm(
        case.network.theta, case.network.shape, case.X, case.T, steps=6,
        weight=case.weight, rate=alpha / case.weight.sum(), acceleration=acceleration,
    )  # fmt: skip
    run = ran(case, engine, settings=settings, alpha=alpha, max_epochs=6)
    assert run.reason == "max_epochs"
    assert relative_error(run.state.theta, expected) < 1e-10
    assert relative_error(run.state.theta, case.network.theta) > 1e-2


@pytest.mark.parametrize("activation", ["logistic", "softplus", "relu", "identity"])
def test_engines_take_the_same_steps(activation):
    case = problem(e=3, m=5, s=2, n_samples=80, activation=activation)
    expected = ran(case, "vectorized", max_epochs=5)
    fused = ran(case, "fused", max_epochs=5)
    assert relative_error(fused.losses, expected.losses) < 1e-10
    assert fused.losses[-1] < fused.losses[0]


@ENGINES
def test_nothing_is_left_of_a_problem_without_residuals(engine):
    run = ran(teacher(n_samples=60, seed=2), engine, max_epochs=40, target_loss=1e-24)
    assert run.reason == "target_loss"
    assert run.losses[0] > 1e-2


def test_several_outputs_without_residuals():
    run = ran(teacher(e=3, m=4, s=3, noise=0.1), max_epochs=60, target_loss=1e-24)
    assert run.reason == "target_loss"


def test_float32_networks_are_trained_in_float64():
    case = teacher()
    single = case._replace(network=case.network.astype("float32"))
    assert ran(single, max_epochs=60, target_loss=1e-24).reason == "target_loss"


def test_losses_never_rise():
    run = ran(problem(m=8), max_epochs=40)
    assert np.all(np.diff(run.losses) <= 0)


def test_acceleration_pays():
    """A curved valley: the same iterations come much deeper with corrected steps."""
    x = np.linspace(-1, 1, 120)[np.newaxis]
    case = Data(Network.initialize(1, 8, 1, seed=3), x, np.sin(4 * x), None)
    corrected = ran(case, max_epochs=60).losses[-1]
    straight = ran(
        case, settings=LevenbergMarquardtSettings(max_correction=0.0), max_epochs=60
    ).losses[-1]
    assert corrected < 0.1 * straight


@pytest.mark.parametrize("n_threads", [2, 4])
def test_the_same_bits_for_any_number_of_threads(n_threads):
    case = problem(e=3, m=10, s=2, n_samples=4001)
    single_thread = ran(case, n_threads=1, max_epochs=4)
    more = ran(case, n_threads=n_threads, max_epochs=4)
    np.testing.assert_array_equal(more.losses, single_thread.losses)
    np.testing.assert_array_equal(more.state.theta, single_thread.state.theta)


@pytest.mark.parametrize("engine", ["fused", "vectorized"])
def test_the_same_bits_whatever_the_bursts(engine):
    case = problem(m=6)
    once = ran(case, engine, max_epochs=12)
    often = ran(case, engine, epochs_at_a_time=1, max_epochs=12)
    np.testing.assert_array_equal(often.losses, once.losses)
    np.testing.assert_array_equal(often.state.theta, once.state.theta)
    assert often.state.calls[0] == once.state.calls[0]


def test_a_penalty_ends_where_its_gradient_is_zero():
    case = problem(m=4, s=2, n_samples=50)
    alpha = 2.0
    run = ran(case, alpha=alpha, max_epochs=200, gradient_tol=1e-7)
    assert run.reason == "gradient_norm"
    network = Network.from_theta(run.state.theta, case.network.shape, "tanh")
    _, gradient = batchprop.loss_and_gradient(network, case.X, case.T, engine="naive")
    rate = alpha / case.X.shape[1]
    assert np.linalg.norm(gradient.W_h) > 1e-3  # what the penalty holds in balance
    np.testing.assert_allclose(gradient.W_h, -2 * rate * network.W_h, atol=1e-7)
    np.testing.assert_allclose(gradient.W_y, -2 * rate * network.W_y, atol=1e-7)
    np.testing.assert_allclose(gradient.b_h, 0, atol=1e-7)
    np.testing.assert_allclose(gradient.b_y, 0, atol=1e-7)
