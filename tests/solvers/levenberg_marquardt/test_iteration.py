"""Single steps of Levenberg–Marquardt from states that are written down, both sides of bounds."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop.compiler.jit import kernel
from batchprop.parameters import Shape, offsets
from batchprop.solvers.levenberg_marquardt import damping, iteration
from batchprop.solvers.levenberg_marquardt.levenberg_marquardt_memory import (
    LevenbergMarquardtSettings,
    Memory,
    memory,
    work,
)
from batchprop.solvers.penalty_kernel import Penalty
from batchprop.solvers.run_state import initial_state
from batchprop.solvers.stopping import REASONS
from tests.problems import problem
from tests.solvers.levenberg_marquardt.lm_runs import ran

ENGINES = ("fused", "vectorized")
SETTINGS = LevenbergMarquardtSettings()


@kernel
def begin(penalty, state, work, F):
    iteration.begin(penalty, state, work, F)


@kernel
def propose(settings, memory, work, theta):
    return iteration.propose(settings, memory, work, theta)


@kernel
def add_correction(settings, memory, work, uses_acceleration):
    return iteration.add_correction(settings, memory, work, uses_acceleration)


@kernel
def accept(memory, work, F):
    return iteration.accept(memory, work, F)


@kernel
def less_damping(memory, gain):
    damping.less_damping(memory, gain)


@kernel
def more_damping(memory):
    damping.more_damping(memory)


def prepared(A, gradient=None, F=1.0, penalty=None):
    """Return the work space after ``begin``."""
    n = len(A)
    space = work(n)
    space.matrix[:] = A
    space.gradient[:] = 0.0 if gradient is None else gradient
    run = initial_state(np.zeros(n), memory(SETTINGS))
    begin(penalty or Penalty(0.0, 0.0, 0, 0, 0), run, space, F)
    return space


def state(lam=1e-3, growth=2.0):
    return Memory(np.full(1, lam), np.full(1, growth))


def test_each_layer_has_its_own_penalty():
    shape = Shape(2, 3, 2)
    n = shape.n_parameters
    rates = Penalty(10.0, 1000.0, *offsets(shape))
    space = prepared(np.diag(np.arange(1.0, n + 1)), penalty=rates)
    added = np.diag(space.matrix) - np.arange(1.0, n + 1)
    np.testing.assert_array_equal(added, [10.0] * 6 + [0.0] * 3 + [1000.0] * 6 + [0.0] * 2)
    assert space.F[0] == 1.0
    assert space.mean_diagonal[0] == pytest.approx(np.diag(space.matrix).mean(), rel=1e-15)


@pytest.mark.parametrize("lam", [1e-9, 1e-3, 10.0])
def test_a_step_solves_the_damped_equations(lam):
    rng = np.random.default_rng(0)
    root = rng.normal(size=(7, 7))
    A, g, theta = root @ root.T + np.eye(7), rng.normal(size=7), rng.normal(size=7)
    space = prepared(A, g)
    assert REASONS[propose(SETTINGS, state(lam), space, theta)] == "running"
    d = np.diag(A).mean()
    p = np.linalg.solve(A + lam * d * np.eye(7), -0.5 * g)
    np.testing.assert_allclose(space.step, p, rtol=1e-9)
    points = space.points.reshape(3, 7)
    np.testing.assert_allclose(points, [theta, theta + p, theta - p], rtol=1e-9)
    np.testing.assert_array_equal(space.trial, points[1])
    # the decrease of the model F(θ) + gᵀp + pᵀAp
    assert space.predicted_decrease[0] == pytest.approx(-(g @ p + p @ A @ p), rel=1e-9)


def test_damping_may_be_as_large_as_its_bound_and_no_larger():
    for lam, reason in ((1e10, "running"), (np.nextafter(1e10, np.inf), "damping")):
        space = prepared(np.eye(3), np.ones(3))
        assert REASONS[propose(SETTINGS, state(lam), space, np.zeros(3))] == reason


def test_a_matrix_without_full_rank_is_damped_until_it_has():
    kept = state(lam=1e-40)
    space = prepared(np.ones((2, 2)), np.array([1.0, -1.0]))
    assert REASONS[propose(SETTINGS, kept, space, np.zeros(2))] == "running"
    assert 1e-18 < kept.damping[0] < 1e-6


def test_a_step_that_is_no_longer_than_its_bound_ends_the_run():
    # p = −½ g/(1 + λ) of A = I, θ of length 2: the bound is tol (2 + tol)
    tol = 0.25
    settings = LevenbergMarquardtSettings(step_tol=tol)
    bound = tol * (2.0 + tol)
    for length, reason in ((bound * (1 - 1e-12), "step"), (bound * (1 + 1e-12), "running")):
        space = prepared(np.eye(2), np.array([-2.0 * length * 2.0, 0.0]))
        assert REASONS[propose(settings, state(1.0), space, np.array([0.0, 2.0]))] == reason
    assert REASONS[
        propose(LevenbergMarquardtSettings(step_tol=0.0), state(), prepared(np.eye(2)), np.ones(2))
    ] == (
        "step"  # of length 0, at a minimum
    )


def accelerated(share):
    """Return the decision on a step of length 1 with a q of length ``share``, the trial, and λ."""
    kept, space = state(lam=1.0), prepared(np.eye(2), np.array([-4.0, 0.0]))
    propose(SETTINGS, kept, space, np.zeros(2))  # A + λ d I = 2 I: p = (1, 0)
    space.correction[:] = [0.0, -4.0 * share]
    worth_a_trial = add_correction(SETTINGS, kept, space, True)
    return worth_a_trial, space.trial, kept.damping[0]


def test_a_bend_of_more_than_three_eighths_of_the_step_is_too_much():
    worth_a_trial, trial, lam = accelerated(0.375)
    assert (worth_a_trial, lam) == (True, 1.0)
    np.testing.assert_allclose(trial, [1.0, 0.375], rtol=1e-15)
    worth_a_trial, trial, lam = accelerated(0.375 * (1 + 1e-12))
    assert (worth_a_trial, lam) == (False, 2.0)
    assert not accelerated(np.nan)[0]
    assert not accelerated(np.inf)[0]


def test_without_acceleration_nothing_is_bent():
    kept, space = state(), prepared(np.eye(2), np.array([-4.0, 0.0]))
    propose(SETTINGS, kept, space, np.zeros(2))
    straight = space.trial.copy()
    space.correction[:] = 100.0
    assert add_correction(SETTINGS, kept, space, False)
    np.testing.assert_array_equal(space.trial, straight)


def judged(F, predicted, trial_F):
    """Return whether a trial is accepted, and λ, which was 1."""
    kept, space = state(lam=1.0), work(1)
    space.F[0], space.predicted_decrease[0] = F, predicted
    return bool(accept(kept, space, trial_F)), kept.damping[0]


def test_a_trial_has_to_be_lower():
    assert judged(1.0, 0.5, 0.75) == (True, 1.0)  # gain ½: as damped as before
    assert judged(1.0, 0.5, 0.5) == (True, 1.0 / 3.0)  # as predicted
    assert judged(1.0, 0.5, 0.0) == (True, 1.0 / 3.0)
    assert judged(1.0, 0.5, 1.0) == (False, 2.0)
    assert judged(1.0, 0.5, 1.25) == (False, 2.0)
    assert judged(1.0, 0.5, 0.95)[1] == pytest.approx(1.0 + 0.8**3)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_trial_that_is_not_finite_is_refused(bad):
    assert judged(1.0, 0.5, bad) == (False, 2.0)


@pytest.mark.parametrize("size", [1e-12, 1.0, 1e12])
def test_within_the_rounding_of_the_loss_the_model_is_trusted(size):
    """1e-15 of the loss: what is predicted and what is seen both have to be that small."""
    ulp = size * 2.0**-50  # 0.9e-15
    assert judged(size, 0.9e-15 * size, size) == (True, 1.0 / 3.0)
    assert judged(size, 0.9e-15 * size, size + ulp)[0]
    assert not judged(size, 1.2e-15 * size, size)[0]
    assert not judged(size, 0.9e-15 * size, size + 2 * ulp)[0]


def test_damping_stays_between_its_bounds():
    kept = state(lam=1e-20, growth=64.0)
    less_damping(kept, 1.0)
    assert (kept.damping[0], kept.growth[0]) == (1e-20, 2.0)
    kept = state(lam=6e-20)
    less_damping(kept, 1.0)
    assert kept.damping[0] == pytest.approx(2e-20)
    kept = state(lam=1.0)
    less_damping(kept, 1e-9)
    assert kept.damping[0] == pytest.approx(2.0)
    for expected, growth in ((4.0, 4.0), (16.0, 8.0), (128.0, 16.0)):
        more_damping(kept)
        assert (kept.damping[0], kept.growth[0]) == (pytest.approx(expected), growth)


def test_where_a_run_begins():
    kept = memory(LevenbergMarquardtSettings(damping=0.5))
    assert (kept.damping[0], kept.growth[0]) == (0.5, 2.0)
    assert LevenbergMarquardtSettings() == (1e-3, 1e10, 1e-15, 0.75)


def test_every_evaluation_is_counted():
    """A start, for each trial the outputs at two more points and the loss, and each end."""
    case = problem(m=8)
    for epochs in (0, 1, 5):
        fused, vectorized = (ran(case, engine, max_epochs=epochs) for engine in ENGINES)
        assert fused.state.calls[0] == vectorized.state.calls[0] >= 1 + 3 * epochs
        plain = LevenbergMarquardtSettings(max_correction=0.0)
        options = {"settings": plain, "max_epochs": epochs}
        fused, vectorized = (ran(case, engine, **options) for engine in ENGINES)
        assert fused.state.calls[0] == vectorized.state.calls[0] >= 1 + 2 * epochs
