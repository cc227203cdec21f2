"""Whole runs of L-BFGS: conditions along the way, ends, engines, threads and dtypes."""

from __future__ import annotations

import math

import numpy as np
import pytest

import batchprop
from batchprop import Network
from tests.problems import Data, problem, relative_error
from tests.solvers.lbfgs.runs import NO_RULES, Recorder, minimised, prepared


def linear(noise, dtype="float64", seed=0):
    """A network of identities on a linear table, and the residual of least squares."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(4, 200))
    T = rng.normal(size=(2, 4)) @ X + 0.7 + noise * rng.normal(size=(2, 200))
    network = Network.initialize(4, 3, 2, activation="identity", seed=seed, dtype=dtype)
    design = np.vstack([X, np.ones(200)])
    residual = T - np.linalg.lstsq(design.T, T.T, rcond=None)[0].T @ design
    return Data(network, X.astype(dtype), T.astype(dtype), None), float((residual**2).sum() / 200)


@pytest.mark.parametrize("engine", batchprop.ENGINES[1:])
def test_a_known_minimum(engine):
    case, lowest = linear(noise=0.3)
    result = minimised(case, engine)
    assert result.reason == "line_search"
    assert result.state.best_score[0] == pytest.approx(lowest, rel=1e-13)
    assert result.state.gradient_norm[0] < 1e-8
    assert result.state.calls[0] < 200


def test_without_noise_down_to_rounding():
    case, lowest = linear(noise=0.0)
    result = minimised(case)
    assert lowest < 1e-28
    assert result.reason == "line_search"
    assert result.state.best_score[0] < 1e-28


def test_a_teacher_is_found_down_to_rounding():
    rng = np.random.default_rng(1)
    X = rng.uniform(-2, 2, (1, 200))
    teacher = Network.initialize(1, 3, 1, seed=5)
    case = Data(Network.initialize(1, 3, 1, seed=1), X, teacher.predict(X), None)
    result = minimised(case, epochs=20000)
    assert result.reason == "line_search"
    assert result.state.best_score[0] < 1e-25


def test_float32_ends_at_its_own_precision():
    case, lowest = linear(noise=0.3, dtype="float32")
    result = minimised(case)
    assert result.reason == "line_search"
    assert result.state.theta.dtype == "float32"
    assert result.state.best_score[0] == pytest.approx(lowest, rel=1e-6)
    exact, _ = linear(noise=0.0, dtype="float32")
    assert minimised(exact).state.best_score[0] < 1e-12


@pytest.mark.parametrize("activation", ["tanh", "softplus", "relu"])
def test_strong_wolfe_conditions_along_a_run(activation):
    """Every accepted step, reconstructed from the recorded evaluations."""
    case = problem(m=8, activation=activation)
    kept = []

    def recorder(objective):
        kept.append(Recorder(objective))
        return kept[0]

    result = minimised(case, "vectorized", wrap=recorder, epochs=150)
    points = kept[0].points
    assert len(points) == result.state.calls[0]
    accepted = [points[0]]
    for theta, loss, gradient in points[1:]:
        before, loss_before, gradient_before = accepted[-1]
        slopes = gradient_before @ (theta - before), gradient @ (theta - before)
        noise = 1e-14 * loss_before
        enough = loss <= loss_before + 1e-4 * slopes[0] + noise
        # rounding of slopes: a trial on the very edge may pass here and not there
        if enough and abs(slopes[1]) <= -0.9 * slopes[0]:
            accepted.append((theta, loss, gradient))
    if activation != "relu":  # at a kink no step may satisfy both; then the best one is taken
        np.testing.assert_array_equal([loss for _, loss, _ in accepted], result.losses)
    assert (np.diff(result.losses) <= 1e-14 * result.losses[:-1]).all()
    assert len(points) < 1.2 * result.losses.size + 10


@pytest.mark.parametrize("spoilt", [{1}, {1, 2, 3}, {5, 6, 20, 40, 41}])
def test_a_trial_that_is_not_finite_is_rejected(spoilt):
    case = problem(m=8)
    result = minimised(case, "vectorized", wrap=lambda o: Recorder(o, spoilt), epochs=60)
    assert np.isfinite(result.losses).all()
    assert (np.diff(result.losses) <= 0).all()
    assert result.losses[-1] < 0.5 * result.losses[0]


def test_a_start_that_is_not_finite_ends_the_run():
    case = problem()
    result = minimised(case, "vectorized", wrap=lambda o: Recorder(o, {0}))
    assert result.reason == "non_finite"


@pytest.mark.parametrize("engine", batchprop.ENGINES[1:])
def test_trials_that_overflow_are_shortened(engine):
    """Targets so large that steps leave float32: the run goes on to the known minimum."""
    case, lowest = linear(noise=0.3, dtype="float32")
    huge = case._replace(T=case.T * np.float32(1e15))
    kept = []

    def recorder(objective):
        kept.append(Recorder(objective))
        return kept[0]

    wrap = recorder if engine == "vectorized" else None
    result = minimised(huge, engine, wrap=wrap, epochs=1000)
    assert np.isfinite(result.losses).all()
    assert result.state.best_score[0] == pytest.approx(1e30 * lowest, rel=1e-5)
    for record in kept:
        assert not all(np.isfinite(loss) for _, loss, _ in record.points), "nothing overflowed"


def test_engines_take_the_same_way():
    case = problem(m=6, weighted=True)
    runs = [minimised(case, engine, epochs=12, alpha=0.3) for engine in batchprop.ENGINES]
    for other in runs[1:]:
        assert relative_error(other.state.theta, runs[0].state.theta) < 1e-9
        np.testing.assert_allclose(other.losses, runs[0].losses, rtol=1e-10)
        assert other.state.calls[0] == runs[0].state.calls[0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_same_bits_for_any_number_of_threads(dtype):
    case = problem(e=8, m=50, s=2, n_samples=6000, dtype=dtype)
    one, *others = (minimised(case, epochs=40, n_threads=n) for n in (1, 2, 3, 4))
    for other in others:
        np.testing.assert_array_equal(other.state.theta, one.state.theta)
        np.testing.assert_array_equal(other.losses, one.losses)


def test_bursts_do_not_matter():
    case = problem(m=8)
    uncut, cut = (minimised(case, epochs=240, bursts=n) for n in (1, 240))
    np.testing.assert_array_equal(cut.losses, uncut.losses)
    np.testing.assert_array_equal(cut.state.theta, uncut.state.theta)
    for mine, other in zip(cut.state.memory, uncut.state.memory, strict=True):
        np.testing.assert_array_equal(mine, other)


def test_the_penalty_is_part_of_what_is_minimised():
    case = problem(m=8)
    result = minimised(case, alpha=5.0, epochs=2000)
    assert result.reason == "line_search"
    W_h, _, W_y, _ = batchprop.parameters.split(result.state.theta, case.network.shape)
    rate = 5.0 / case.X.shape[1]
    squares = float((W_h**2).sum() + (W_y**2).sum())
    loss, gradient = batchprop.loss_and_gradient(
        Network.from_theta(result.state.theta, case.network.shape), case.X, case.T
    )
    assert result.losses[-1] == pytest.approx(loss, rel=1e-12)
    assert result.state.best_score[0] == pytest.approx(loss + rate * squares, rel=1e-12)
    assert relative_error(gradient.W_h, -2.0 * rate * W_h) < 1e-6
    assert np.linalg.norm(gradient.b_h) < 1e-7


@pytest.mark.parametrize("limit", [1, 2, 3, 17, 50])
def test_evaluations_at_most(limit):
    result = minimised(problem(m=8), max_evaluations=limit)
    assert result.reason == "max_evaluations"
    assert limit - 1 <= result.state.calls[0] <= limit


def test_rules_end_a_run():
    case = problem(m=8)
    losses = minimised(case, epochs=60).losses
    assert minimised(case, rules=NO_RULES._replace(max_epochs=9)).losses.size == 10
    target = minimised(case, rules=NO_RULES._replace(target_loss=losses[25]))
    assert (target.reason, target.losses.size) == ("target_loss", 26)
    bound = minimised(case, rules=NO_RULES._replace(gradient_tol=1e-2))
    assert bound.reason == "gradient_norm"
    assert bound.state.gradient_norm[0] <= 1e-2
    stagnating = minimised(case, rules=NO_RULES._replace(tol=0.1, window=2))
    assert stagnating.reason == "stagnation"


def test_a_flat_start_ends():
    case = problem(e=1, m=1, s=1, n_samples=1)
    flat = Network([[0.0]], [0.0], [[0.0]], case.T[0], activation="identity")
    result = minimised(case._replace(network=flat))
    assert (result.reason, result.losses[-1]) == ("line_search", 0.0)


def test_the_step_and_the_evaluations_are_told():
    case = problem(m=8)
    result = minimised(case, epochs=1)
    theta = result.state.theta.copy()
    assert math.isnan(result.state.step[0])
    two = minimised(case, epochs=2)
    assert two.state.step[0] == pytest.approx(
        np.linalg.norm(two.state.previous - case.network.theta)
    )
    assert two.state.calls[0] >= 2
    with prepared(case) as objective:  # what is proposed has not been evaluated yet
        assert objective.loss(result.state.previous) == two.losses[0]
    assert not np.array_equal(theta, result.state.previous)
