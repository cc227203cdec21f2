"""When Levenberg–Marquardt stops, and data that leave its matrix without full rank."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop import Network
from batchprop.engines.array_engine import ScaledGaussNewtonObjective, ScaledObjective
from batchprop.parameters import split
from batchprop.solvers.levenberg_marquardt.levenberg_marquardt_memory import (
    LevenbergMarquardtSettings,
)
from tests.problems import Data, problem
from tests.solvers.levenberg_marquardt.lm_runs import ran

ENGINES = pytest.mark.parametrize("engine", ["fused", "vectorized"])


def shaped(X, T, m=6, seed=0):
    return Data(Network.initialize(X.shape[0], m, T.shape[0], seed=seed), X, T, None)


@ENGINES
def test_epochs_at_most(engine):
    run = ran(problem(), engine, max_epochs=7)
    assert (run.reason, run.epochs, run.state.epoch[0]) == ("max_epochs", 7, 7)


@ENGINES
def test_no_epochs_only_evaluate(engine):
    run = ran(problem(), engine, max_epochs=0)
    assert (run.reason, run.epochs, run.state.calls[0]) == ("max_epochs", 0, 1)


@ENGINES
def test_goal(engine):
    target = float(ran(problem(m=8), engine, max_epochs=30).losses[20])
    run = ran(problem(m=8), engine, max_epochs=30, target_loss=target)
    assert (run.reason, run.epochs) == ("target_loss", 20)


@ENGINES
def test_min_grad(engine):
    case = problem(m=8)
    norms = [
        float(ran(case, engine, max_epochs=n + 1, epochs_at_a_time=n + 1).state.gradient_norm[0])
        for n in range(12)
    ]
    bound = norms[8]
    first = next(k for k, norm in enumerate(norms) if norm <= bound)
    run = ran(case, engine, gradient_tol=bound)
    assert (run.reason, run.epochs) == ("gradient_norm", first)


@ENGINES
def test_relative_decrease(engine):
    case = problem(m=8)
    losses = ran(case, engine, max_epochs=40).losses
    falls = losses[1:] < 0.98 * losses[:-1]
    first = 1 + int(np.argmin(falls))  # the first iteration without a fall of 2 %
    run = ran(case, engine, tol=0.02, window=1)
    assert (run.reason, run.epochs) == ("stagnation", first)


@ENGINES
def test_max_fail(engine):
    case, held_out = problem(m=8, n_samples=30), problem(m=8, n_samples=25)
    losses = ran(case, engine, held_out=held_out, max_epochs=50).validation_losses
    best, patience = int(np.argmin(losses[:10])), 6
    run = ran(case, engine, held_out=held_out, patience=patience)
    assert run.reason == "patience"
    assert run.state.best_epoch[0] + patience == run.epochs
    assert run.state.best_epoch[0] >= best
    assert run.state.best_score[0] == run.validation_losses.min()


def test_mu_max(monkeypatch):
    """When no trial is lower, damping grows by 2, 4, 8, … until it may not grow any more."""
    monkeypatch.setattr(ScaledGaussNewtonObjective, "loss", lambda self, theta: np.inf)
    settings = LevenbergMarquardtSettings(damping=1.0, max_damping=1e6, max_correction=0.0)
    run = ran(problem(m=8), "vectorized", settings=settings)
    assert (run.reason, run.epochs) == ("damping", 0)
    assert run.state.memory.damping[0] == 2.0**21  # after six trials
    assert run.state.calls[0] == 1 + 6


@ENGINES
def test_step(engine):
    """The first proposed step that is not longer than its bound ends the run, untaken."""
    case = problem(m=8)
    run = ran(case, engine, max_epochs=30)
    steps = [
        float(ran(case, engine, max_epochs=n, epochs_at_a_time=n + 1).state.step[0])
        for n in range(1, 12)
    ]
    tolerance = 0.05
    run = ran(case, engine, settings=LevenbergMarquardtSettings(step_tol=tolerance), max_epochs=200)
    assert run.reason == "step"
    assert 0 < run.epochs < 200
    assert min(steps[: run.epochs]) > tolerance  # of ‖θ‖, which is more than 1


def test_damping_that_is_too_small_to_begin_with_is_raised():
    case = problem(m=12, n_samples=20)  # P > N: A itself is singular
    run = ran(case, settings=LevenbergMarquardtSettings(damping=1e-30), max_epochs=5)
    assert run.losses[-1] < run.losses[0]


def test_more_parameters_than_samples():
    run = ran(problem(m=20, s=1, n_samples=15), max_epochs=100, target_loss=1e-24)
    assert run.reason == "target_loss"


def test_repeated_and_constant_columns():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 90))
    X = np.stack([x[0], x[1], x[0], np.ones(90), np.zeros(90), x[0] + x[1]])
    run = ran(shaped(X, np.sin(x[:1]) * x[1:]), max_epochs=60)
    assert np.all(np.isfinite(run.state.theta))
    assert run.losses[-1] < 1e-3 * run.losses[0]


def test_dead_units():
    """Units of relu that no sample reaches have no derivative at all."""
    case = problem(e=2, m=6, s=1, n_samples=70, activation="relu")
    theta = case.network.theta.copy()
    split(theta, case.network.shape).b_h[:3] = -1e3
    dead = case._replace(network=Network.from_theta(theta, case.network.shape, "relu"))
    run = ran(dead, max_epochs=20)
    assert run.losses[-1] < run.losses[0]
    np.testing.assert_array_equal(split(run.state.theta, case.network.shape).b_h[:3], -1e3)


def test_one_sample():
    run = ran(problem(m=3, s=2, n_samples=1), max_epochs=50, target_loss=1e-24)
    assert run.reason == "target_loss"


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_trials_that_are_not_finite_are_rejected(bad, monkeypatch):
    tried = []

    def loss(self, theta):
        tried.append(theta.copy())
        return bad if len(tried) <= 2 else ScaledObjective.loss(self, theta)

    monkeypatch.setattr(ScaledGaussNewtonObjective, "loss", loss)
    settings = LevenbergMarquardtSettings(max_correction=0.0)
    case = problem(m=8)
    run = ran(case, "vectorized", settings=settings, max_epochs=1)
    lengths = [np.linalg.norm(theta - case.network.theta) for theta in tried[:3]]
    assert lengths[0] > lengths[1] > lengths[2]
    assert np.all(np.isfinite(run.losses))
    assert run.losses[1] < run.losses[0]


@ENGINES
def test_a_start_that_is_not_finite(engine):
    case = problem()
    theta = np.full_like(case.network.theta, 1e200)
    run = ran(case._replace(network=Network.from_theta(theta, case.network.shape, "relu")), engine)
    assert (run.reason, run.epochs) == ("non_finite", 0)
