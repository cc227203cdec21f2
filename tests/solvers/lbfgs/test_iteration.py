"""Single decisions of L-BFGS from states that are written down: noise, limits, idle iterations."""

from __future__ import annotations

import math

import numpy as np
import pytest

from batchprop.compiler.jit import kernel
from batchprop.solvers.lbfgs import directions, iteration
from batchprop.solvers.lbfgs.lbfgs_memory import (
    RETURN_AND_STOP,
    RETURN_TO_BEST,
    START,
    TRIAL,
    TRIAL_ACCEPTED,
    LbfgsSettings,
    default_history,
    kernel_state,
    memory,
    with_named_fields,
)
from batchprop.solvers.run_state import initial_state
from batchprop.solvers.stopping import REASONS
from tests.solvers.lbfgs.runs import blank_search

SETTINGS = LbfgsSettings(history_size=5)


@kernel
def noise_bound(search, objective):
    return iteration.noise_bound(search, objective)


@kernel
def accept(settings, state, loss, gradient):
    return iteration.accept(settings, state, loss, gradient)


@kernel
def propose(settings, state, loss, gradient):
    return iteration.propose(settings, state, loss, gradient)


@kernel
def add_pair(memory, theta, previous, gradient):
    directions.add_pair(memory, theta, previous, gradient)


def begun(theta=(1.0, 0.0), dtype="float64"):
    return kernel_state(initial_state(np.array(theta, dtype), memory(SETTINGS, len(theta))))


def parabola(state):
    """F = ½‖θ‖² + 1 and its gradient at θ."""
    return 1.0 + 0.5 * float(state.theta @ state.theta), state.theta.copy()


def test_the_noise_is_four_roundings_of_the_loss_and_the_targets():
    search, _ = blank_search()
    search.rounding[0], search.first_F[0] = 2.0**-52, 1.0
    assert noise_bound(search, 1.0) == 2.0**-50
    assert noise_bound(search, 2.0**-20) == 2.0**-60  # r² of the rounding of 2 r t
    assert noise_bound(search, 4.0) == 2.0**-48  # a loss above that of the start
    search.rounding[0] = 2.0**-23
    assert noise_bound(search, 1.0) == 2.0**-21


@pytest.mark.parametrize(("dtype", "rounding"), [("float32", 2.0**-23), ("float64", 2.0**-52)])
def test_the_start_sets_the_levels(dtype, rounding):
    state = begun(dtype=dtype)
    assert accept(SETTINGS, state, *parabola(state))
    search = state.memory.search
    assert (search.first_F[0], search.idle_reference[0], search.rounding[0]) == (
        1.5,
        1.5,
        rounding,
    )
    assert state.calls[0] == 1
    assert math.isnan(state.step[0])


def test_the_first_step_is_no_longer_than_1_and_than_the_gradient():
    for size, step in ((0.5, 1.0), (1.0, 1.0), (4.0, 0.25)):
        state = begun()
        accept(SETTINGS, state, 1.0, np.array([size, 0.0]))
        propose(SETTINGS, state, 1.0, np.array([size, 0.0]))
        assert state.memory.search.step_length[0] == step
        np.testing.assert_array_equal(state.theta, [1.0 - step * size, 0.0])
        np.testing.assert_array_equal(state.previous, [1.0, 0.0])
        assert (state.epoch[0], state.memory.counts.phase[0]) == (1, TRIAL)


def test_an_accepted_trial_is_a_pair_and_the_next_step_is_1():
    state = begun((3.0, 4.0))
    accept(SETTINGS, state, *parabola(state))
    propose(SETTINGS, state, *parabola(state))
    assert accept(SETTINGS, state, *parabola(state))
    assert (state.memory.counts.phase[0], state.calls[0]) == (TRIAL_ACCEPTED, 2)
    assert state.step[0] == pytest.approx(1.0)  # 1/‖g‖ times ‖g‖
    propose(SETTINGS, state, *parabola(state))
    assert (state.memory.counts.n_pairs[0], state.memory.search.step_length[0]) == (1, 1.0)
    np.testing.assert_allclose(state.theta, 0.0, atol=1e-15)  # the curvature is known


def limited(calls, limit):
    """Propose after so many evaluations of at most so many."""
    state = begun()
    accept(SETTINGS, state, *parabola(state))
    state.calls[0] = calls
    settings = SETTINGS._replace(max_evaluations=limit)
    return REASONS[propose(settings, state, *parabola(state))]


def test_an_iteration_needs_two_evaluations():
    """A trial, and perhaps the way back to the best."""
    assert limited(calls=8, limit=10) == "running"
    assert limited(calls=9, limit=10) == "max_evaluations"
    assert limited(calls=10, limit=10) == "max_evaluations"


def test_the_last_evaluation_is_for_the_best_point():
    for calls, phase in ((7, TRIAL), (8, RETURN_TO_BEST)):
        state = begun()
        accept(SETTINGS, state, *parabola(state))
        propose(SETTINGS, state, *parabola(state))
        state.calls[0] = calls
        settings = SETTINGS._replace(max_evaluations=10)
        assert not accept(settings, state, 100.0, state.theta.copy())  # no trial to take
        assert state.memory.counts.phase[0] == phase
        assert (state.memory.search.step_length[0] == 0.0) == (phase == RETURN_TO_BEST)
        if phase == RETURN_TO_BEST:
            np.testing.assert_array_equal(state.theta, state.previous)


def test_idle_iterations_end_a_run_and_a_fall_beyond_the_noise_starts_the_count_anew():
    state = begun()
    loss, gradient = parabola(state)
    accept(SETTINGS, state, loss, gradient)
    search, counts = state.memory.search, state.memory.counts
    noise = noise_bound(search, loss)
    counts.n_idle[0] = 19
    search.idle_reference[0] = loss + noise  # not below it by more than the noise
    assert REASONS[propose(SETTINGS, state, loss, gradient)] == "running"
    assert (counts.n_idle[0], search.idle_reference[0]) == (20, loss + noise)
    assert REASONS[propose(SETTINGS, state, loss, gradient)] == "line_search"
    counts.n_idle[0], search.idle_reference[0] = 20, loss + 2 * noise
    assert REASONS[propose(SETTINGS, state, loss, gradient)] == "running"
    assert (counts.n_idle[0], search.idle_reference[0]) == (0, loss)


def failing(pairs, loss, noise):
    """Let the last trial of a search fail at a loss beside the start's 1.5."""
    state = begun()
    accept(SETTINGS, state, *parabola(state))
    propose(SETTINGS, state, *parabola(state))
    search, counts = state.memory.search, state.memory.counts
    counts.n_trials[0], counts.n_pairs[0], search.noise[0] = 29, pairs, noise
    search.low_value[0] = loss
    accept(SETTINGS, state, 100.0, state.theta.copy())
    return counts.phase[0], counts.n_pairs[0]


def test_a_failed_search_forgets_its_pairs_and_the_second_failure_is_the_last():
    assert failing(pairs=3, loss=1.5, noise=0.0) == (RETURN_TO_BEST, 0)
    assert failing(pairs=0, loss=1.5, noise=0.0) == (RETURN_AND_STOP, 0)
    assert failing(pairs=0, loss=1.25, noise=0.0) == (RETURN_TO_BEST, 0)
    assert failing(pairs=0, loss=1.25, noise=0.25) == (RETURN_AND_STOP, 0)


def test_a_direction_that_leads_up_is_replaced_by_steepest_descent():
    state = begun()
    accept(SETTINGS, state, *parabola(state))
    kept = state.memory
    kept.counts.n_pairs[0], kept.counts.phase[0] = 1, RETURN_TO_BEST
    kept.steps[0], kept.changes[0], kept.products[0, 0] = [1.0, 0.0], [-1.0, 0.0], -1.0
    assert REASONS[propose(SETTINGS, state, *parabola(state))] == "running"
    np.testing.assert_array_equal(kept.direction, [-1.0, 0.0])
    assert kept.counts.n_pairs[0] == 0


def pairs_after(cosine):
    """Return how many pairs are kept after a step and a change at this angle."""
    kept = with_named_fields(memory(SETTINGS, 2))
    change = np.array([cosine, math.sqrt(1.0 - cosine**2)])
    add_pair(kept, np.array([1.0, 0.0]), np.zeros(2), change)
    return kept.counts.n_pairs[0]


def test_a_pair_of_no_more_curvature_than_rounding_is_left_out():
    assert pairs_after(1.2e-14) == 1
    assert pairs_after(0.8e-14) == 0
    assert pairs_after(-0.5) == 0


def test_the_diagonal_stays_positive():
    kept = with_named_fields(memory(LbfgsSettings(3), 2))
    # a first step along one axis: nothing is left of the other's curvature but its least share
    add_pair(kept, np.array([1.0, 1e-9]), np.zeros(2), np.array([1.0, 0.0]))
    assert (kept.diagonal > 0).all()
    assert np.isfinite(kept.diagonal).all()
    kept = with_named_fields(memory(LbfgsSettings(3), 1))
    add_pair(kept, np.array([1.0]), np.zeros(1), np.array([2.0]))
    assert kept.diagonal[0] == pytest.approx(0.5)


def test_how_many_pairs_are_kept():
    """80, or what 128 MiB hold, but 10 at least; a pair takes 16 bytes a parameter."""
    pair_elements = 2**27 // 16
    assert default_history(pair_elements // 80) == 80
    assert default_history(pair_elements // 80 + 200) == 79
    assert default_history(pair_elements // 20) == 20
    assert default_history(pair_elements // 5) == 10
    assert memory(LbfgsSettings(), 13).steps.shape == (80, 13)
    assert memory(LbfgsSettings(7), 13).changes.shape == (7, 13)


def test_the_phases_are_what_a_memory_begins_with():
    assert with_named_fields(memory(SETTINGS, 3)).counts.phase[0] == START


def test_fields_stand_where_checkpoints_have_them():
    """The order of the fields is part of the file format; fields are views of the arrays."""
    arrays = memory(SETTINGS, 3)
    fields = with_named_fields(arrays)
    arrays.search[:], arrays.counts[:] = range(14), range(6)
    assert {name: view[0] for name, view in fields.search._asdict().items()} == {
        "step_length": 0, "start_value": 1, "start_slope": 2, "noise": 3,
        "low": 4, "low_value": 5, "low_slope": 6, "high": 7, "high_value": 8, "high_slope": 9,
        "width": 10, "first_F": 11, "idle_reference": 12, "rounding": 13,
    }  # fmt: skip
    assert {name: view[0] for name, view in fields.counts._asdict().items()} == {
        "phase": 0, "n_pairs": 1, "newest": 2, "n_trials": 3, "bracketed": 4, "n_idle": 5,
    }  # fmt: skip
    phases = START, TRIAL, TRIAL_ACCEPTED, RETURN_TO_BEST, RETURN_AND_STOP
    assert phases == (0, 1, 2, 3, 4)


def test_an_element_of_the_diagonal_keeps_a_hundred_millionth():
    """A step along one axis of a change along the other leaves nothing but that."""
    kept = with_named_fields(memory(LbfgsSettings(3), 2))
    add_pair(kept, np.array([1.0, 1e-6]), np.zeros(2), np.array([0.0, 1.0]))
    # D = ΔθᵀΔg/ΔgᵀΔg = 1e-6, of whose inverse rounding would leave 1e-12
    assert kept.diagonal[0] == pytest.approx(100.0, rel=1e-3)


def test_steps_are_kept_in_float64():
    kept = with_named_fields(memory(LbfgsSettings(3), 2))
    theta, previous = np.array([1.0, 2.0], "f4"), np.array([1e-9, 3e-9], "f4")
    add_pair(kept, theta, previous, np.array([1.0, 1.0], "f4"))
    place = kept.counts.newest[0]
    exact = theta.astype("f8") - previous.astype("f8")
    np.testing.assert_array_equal(kept.steps[place], exact)
