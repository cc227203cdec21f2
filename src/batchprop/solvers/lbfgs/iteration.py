"""One iteration of L-BFGS by reverse communication: the caller evaluates, these functions decide.

The caller hands each evaluation at ``state.theta`` to ``accept``, until a point is accepted as the
end of the iteration.  ``propose`` then chooses a direction p and moves θ to the first trial.
"""

from __future__ import annotations

import math

from numba import types

from batchprop.compiler.jit import helper, returning
from batchprop.solvers.lbfgs.directions import add_pair, find_direction
from batchprop.solvers.lbfgs.lbfgs_memory import (
    RETURN_AND_STOP,
    RETURN_TO_BEST,
    START,
    TRIAL,
    TRIAL_ACCEPTED,
)
from batchprop.solvers.lbfgs.line_search import ACCEPT, CONTINUE, begin_search, judge_step
from batchprop.solvers.stopping import LINE_SEARCH, MAX_EVALUATIONS, RUNNING
from batchprop.solvers.vector_ops import copy, dot

EPS_32, EPS_64 = 2.0**-23, 2.0**-52  # machine epsilons
_MAX_IDLE = 20  # iterations without a decrease of F beyond its noise


@returning(types.float64)
def noise_bound(search, F):
    """Return a bound of F's rounding error.

    A residual r carries the rounding error ε t of a target t, and so r² carries 2 ε r t.  F at the
    start of the run stands for t².
    """
    size = math.sqrt(F * max(F, search.first_F[0]))
    return 4.0 * search.rounding[0] * size


@helper
def _move_to_trial(state):
    """θ ← previous + a p."""
    a, p = state.memory.search.step_length[0], state.memory.direction
    for i in range(state.theta.size):
        state.theta[i] = state.previous[i] + a * p[i]


@helper
def _record_step_length(state):
    """Record ‖a p‖."""
    p = state.memory.direction
    state.step[0] = state.memory.search.step_length[0] * math.sqrt(dot(p, p))


@returning(types.boolean)
def accept(settings, state, F, gradient):
    """Take F and its gradient g at θ; return whether θ ends the iteration.

    If it does not, θ has moved to the next trial, or back to the best one.
    """
    memory = state.memory
    search, counts = memory.search, memory.counts
    state.calls[0] += 1
    if counts.phase[0] == START:
        search.first_F[0] = search.idle_reference[0] = F
        search.rounding[0] = EPS_32 if state.theta.itemsize == 4 else EPS_64
    if counts.phase[0] != TRIAL:
        if state.epoch[0] > 0:
            _record_step_length(state)
        return True
    slope = dot(memory.direction, gradient)  # φ′(a) = pᵀg
    decision = judge_step(settings, search, counts, F, slope)
    if decision == ACCEPT:
        counts.phase[0] = TRIAL_ACCEPTED
        _record_step_length(state)
        return True
    if decision != CONTINUE:
        stuck = search.low_value[0] >= search.start_value[0] - search.noise[0]
        was_steepest_descent = counts.n_pairs[0] == 0
        counts.phase[0] = RETURN_AND_STOP if stuck and was_steepest_descent else RETURN_TO_BEST
        counts.n_pairs[0] = 0
    elif state.calls[0] + 1 >= settings.max_evaluations:
        # the last allowed evaluation is for the best step
        search.step_length[0] = search.low[0]
        counts.phase[0] = RETURN_TO_BEST
    _move_to_trial(state)
    return False


@returning(types.int64)
def propose(settings, state, F, gradient):
    """Begin the next iteration from the accepted θ; return RUNNING, or the reason to stop."""
    memory = state.memory
    search, counts = memory.search, memory.counts
    if state.calls[0] + 2 > settings.max_evaluations:  # a trial, and the way back
        return MAX_EVALUATIONS
    noise = noise_bound(search, F)
    if F < search.idle_reference[0] - noise:
        search.idle_reference[0] = F
        counts.n_idle[0] = 0
    else:
        counts.n_idle[0] += 1
    if counts.phase[0] == RETURN_AND_STOP or counts.n_idle[0] > _MAX_IDLE:
        return LINE_SEARCH
    if counts.phase[0] == TRIAL_ACCEPTED:
        add_pair(memory, state.theta, state.previous, gradient)
    for i in range(gradient.size):
        memory.gradient[i] = gradient[i]
    copy(state.theta, state.previous)
    find_direction(memory)
    slope = dot(memory.direction, memory.gradient)  # φ′(0) = pᵀg
    if not slope < 0.0:  # not a descent direction: p = −g
        counts.n_pairs[0] = 0
        find_direction(memory)
        slope = dot(memory.direction, memory.gradient)
    step_length = 1.0 if counts.n_pairs[0] > 0 else min(1.0, 1.0 / math.sqrt(-slope))
    begin_search(search, counts, F, slope, step_length, noise)
    counts.phase[0] = TRIAL
    state.epoch[0] += 1
    _move_to_trial(state)
    return RUNNING
