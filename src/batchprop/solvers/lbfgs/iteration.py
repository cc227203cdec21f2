"""One iteration of L-BFGS by reverse communication: the caller evaluates, these two decide.

``accept`` is told what came out at ``state.theta`` until a point is accepted as the iteration's
end; ``propose`` then chooses a direction and moves θ to the first trial.
"""

from __future__ import annotations

import math

from numba import types

from batchprop.compiler.jit import helper, returning
from batchprop.solvers.lbfgs.directions import dot, find_direction, remember
from batchprop.solvers.lbfgs.lbfgs_memory import (
    ACCEPTED,
    FIRST_LOSS,
    IDLE,
    LAST,
    LOSS,
    LOW,
    LOW_LOSS,
    N_PAIRS,
    NOISE,
    PHASE,
    REFERENCE,
    RETURN,
    ROUNDING,
    START,
    STEP,
    TRIAL,
)
from batchprop.solvers.lbfgs.line_search import AGAIN, FOUND, begin_search, judge_step
from batchprop.solvers.stopping import LINE_SEARCH, MAX_EVALUATIONS, RUNNING, copy

EPS_32, EPS_64 = 2.0**-23, 2.0**-52  # of numbers like θ
_MOST_IDLE = 20  # iterations without a fall of J beyond its rounding


@returning(types.float64)
def noise_of(search, loss):
    """Return a bound of the rounding of J.

    Residuals r carry the rounding of the targets' size t, so that r² carries that of 2 r t; the
    loss of the start stands for t².
    """
    return 4.0 * search[ROUNDING] * math.sqrt(loss * max(loss, search[FIRST_LOSS]))


@helper
def go(state):
    """Move θ to the step of the line search."""
    step, direction = state.memory.search[STEP], state.memory.direction
    for i in range(state.theta.size):
        state.theta[i] = state.previous[i] + step * direction[i]


@returning(types.boolean)
def accept(settings, state, loss, gradient):
    """Take J and its gradient at θ; return whether θ ends an iteration.

    If not, θ has moved to the next trial, or back to the best one.
    """
    memory = state.memory
    search, counts = memory.search, memory.counts
    state.calls[0] += 1
    if counts[PHASE] == START:
        search[FIRST_LOSS] = search[REFERENCE] = loss
        search[ROUNDING] = EPS_32 if state.theta.itemsize == 4 else EPS_64
    if counts[PHASE] != TRIAL:
        if state.epoch[0] > 0:
            state.step[0] = search[STEP] * math.sqrt(dot(memory.direction, memory.direction))
        return True
    code = judge_step(settings, search, counts, loss, dot(memory.direction, gradient))
    if code == FOUND:
        counts[PHASE] = ACCEPTED
        state.step[0] = search[STEP] * math.sqrt(dot(memory.direction, memory.direction))
        return True
    if code != AGAIN:
        stuck = search[LOW_LOSS] >= search[LOSS] - search[NOISE]
        counts[PHASE] = LAST if stuck and counts[N_PAIRS] == 0 else RETURN
        counts[N_PAIRS] = 0
    elif state.calls[0] + 1 >= settings.max_evaluations:  # the last one is for the best
        search[STEP] = search[LOW]
        counts[PHASE] = RETURN
    go(state)
    return False


@returning(types.int64)
def propose(settings, state, loss, gradient):
    """Begin the next iteration from the accepted θ; return RUNNING or why there is none."""
    memory = state.memory
    search, counts = memory.search, memory.counts
    if state.calls[0] + 2 > settings.max_evaluations:  # a trial, and the way back
        return MAX_EVALUATIONS
    noise = noise_of(search, loss)
    if loss < search[REFERENCE] - noise:
        search[REFERENCE] = loss
        counts[IDLE] = 0
    else:
        counts[IDLE] += 1
    if counts[PHASE] == LAST or counts[IDLE] > _MOST_IDLE:
        return LINE_SEARCH
    if counts[PHASE] == ACCEPTED:
        remember(memory, state.theta, state.previous, gradient)
    for i in range(gradient.size):
        memory.gradient[i] = gradient[i]
    copy(state.theta, state.previous)
    find_direction(memory)
    slope = dot(memory.direction, memory.gradient)
    if not slope < 0.0:
        counts[N_PAIRS] = 0
        find_direction(memory)
        slope = dot(memory.direction, memory.gradient)
    step = 1.0 if counts[N_PAIRS] > 0 else min(1.0, 1.0 / math.sqrt(-slope))
    begin_search(search, counts, loss, slope, step, noise)
    counts[PHASE] = TRIAL
    state.epoch[0] += 1
    go(state)
    return RUNNING
