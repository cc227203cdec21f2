"""What a memory of L-BFGS can hold, checked before compiled code sees one from outside."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.solvers.lbfgs.lbfgs_memory import (
    BRACKETED,
    FIRST_LOSS,
    HIGH,
    HIGH_LOSS,
    HIGH_SLOPE,
    IDLE,
    LAST,
    LOSS,
    LOW,
    LOW_LOSS,
    LOW_SLOPE,
    N_PAIRS,
    NEWEST,
    NOISE,
    PHASE,
    REFERENCE,
    ROUNDING,
    SLOPE,
    START,
    STEP,
    TRIALS,
    WIDTH,
    LbfgsSettings,
    Memory,
)
from batchprop.solvers.state_checks import check_evaluated, require, require_finite
from batchprop.solvers.stopping import State

Array = npt.NDArray[Any]

_FINITE = (STEP, LOSS, LOW, LOW_LOSS, HIGH, FIRST_LOSS, REFERENCE)
_NOT_NAN = (SLOPE, NOISE, LOW_SLOPE, HIGH_LOSS, HIGH_SLOPE, WIDTH)  # may overflow, or be unknown
_NOT_NEGATIVE = (STEP, NOISE, LOW, HIGH, WIDTH)


def check(settings: LbfgsSettings, state: State, reason: str) -> None:
    """Check the memory of a state; raise ValueError that names the field."""
    memory: Memory = state.memory
    check_evaluated(state)
    _check_counts(settings, state, memory)
    _check_pairs(memory)
    if memory.counts[PHASE] == START:
        require(state.epoch[0] == 0, "state.memory.counts", "not begin a run that has begun")
        require(memory.counts[N_PAIRS] == 0, "state.memory.counts", "have no pairs at the start")
        require_finite("state.theta", state.theta)
        return
    _check_search(memory.search, np.finfo(state.theta.dtype).eps)
    require_finite("state.memory.gradient", memory.gradient)
    require(not np.isnan(memory.direction).any(), "state.memory.direction", "not be NaN")
    with np.errstate(over="ignore", invalid="ignore"):
        there = state.previous + memory.search[STEP] * memory.direction
        overflown = ~np.isfinite(there.astype(state.theta.dtype))
    good = np.isfinite(state.theta) | overflown
    require(good.all(), "state.theta", "be finite where its step is")


def _check_counts(settings: LbfgsSettings, state: State, memory: Memory) -> None:
    counts, pairs = memory.counts, memory.steps.shape[0]
    for place, what, most in (
        (PHASE, "its phase", LAST),
        (N_PAIRS, "its number of pairs", pairs),
        (NEWEST, "the place of its newest pair", pairs - 1),
        (TRIALS, "its trials", settings.max_trials),
        (BRACKETED, "whether it is bracketed", 1),
        (IDLE, "its idle iterations", int(state.evaluations[0])),
    ):
        expected = f"have {what} from 0 to {most} at position {place}"
        require(0 <= counts[place] <= most, "state.memory.counts", expected)


def _check_pairs(memory: Memory) -> None:
    """Check the pairs in use, and the diagonal if there are any."""
    h, n_pairs = memory.steps.shape[0], int(memory.counts[N_PAIRS])
    for k in range(n_pairs):
        place = (int(memory.counts[NEWEST]) - k) % h
        require_finite("state.memory.steps", memory.steps[place])
        require_finite("state.memory.changes", memory.changes[place])
        require(memory.products[0, place] > 0, "state.memory.products", "be positive")


def _check_search(search: Array, eps: np.floating[Any]) -> None:
    name = "state.memory.search"
    for place in _FINITE:
        require(np.isfinite(search[place]), name, f"be finite at position {place}")
    for place in _NOT_NAN:
        require(not np.isnan(search[place]), name, f"not be NaN at position {place}")
    for place in _NOT_NEGATIVE:
        require(search[place] >= 0, name, f"not be negative at position {place}")
    require(search[SLOPE] <= 0, name, f"be at most 0 at position {SLOPE}")
    require(search[ROUNDING] == eps, name, f"be {eps:g} at position {ROUNDING}")
