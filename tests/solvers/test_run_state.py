"""Where in an epoch a run is, and how it goes back."""

from __future__ import annotations

import numpy as np

from batchprop.compiler.jit import kernel
from batchprop.solvers import run_state
from batchprop.solvers.run_state import initial_state, undo_step


@kernel
def undo_in_kernel(state):
    run_state.undo_step_helper(state)


@kernel
def judged_in_kernel(state):
    return run_state.is_judged_helper(state)


def state(epoch, evaluations):
    state = initial_state(np.ones(3), np.zeros((0, 3)))
    state.epoch[0], state.evaluations[0], state.calls[0] = epoch, evaluations, 7
    state.previous[:] = 2.0
    return state


def test_a_state_is_judged_until_a_step_is_taken():
    for epoch, evaluations, judged, ahead in ((0, 0, 0, 0), (0, 1, 1, 0), (1, 1, 0, 1)):
        run = state(epoch, evaluations)
        assert run_state.is_judged(run) == judged_in_kernel(run) == judged
        assert run_state.is_ahead(run) == ahead


def test_an_evaluation_is_uncounted_only_if_it_will_be_repeated():
    for epoch, evaluations, calls in ((4, 5, 6), (5, 5, 7)):
        run = state(epoch, evaluations)
        run_state.uncount_last_evaluation(run)
        assert (run.evaluations[0], run.calls[0]) == (epoch if calls == 6 else 5, calls)


def test_a_step_is_undone_except_at_the_start():
    for undo in (undo_step, undo_in_kernel):
        for epoch, theta in ((5, 2.0), (0, 1.0)):
            run = state(epoch, epoch)
            undo(run)
            assert run.epoch[0] == max(0, epoch - 1)
            np.testing.assert_array_equal(run.theta, theta)
