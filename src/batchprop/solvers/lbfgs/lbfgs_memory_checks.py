"""Checks of an L-BFGS memory from a file, before compiled code sees it."""

from __future__ import annotations

from typing import Any

import numpy as np

from batchprop.solvers.lbfgs.lbfgs_memory import (
    RETURN_AND_STOP,
    START,
    Counts,
    LbfgsSettings,
    Memory,
    Search,
    with_named_fields,
)
from batchprop.solvers.run_state import State
from batchprop.solvers.state_checks import check_evaluated, require, require_finite

_FINITE = (
    "step_length", "start_value", "low", "low_value", "high", "first_F", "idle_reference",
)  # fmt: skip
# These may overflow, or be unknown.
_NOT_NAN = ("start_slope", "noise", "low_slope", "high_value", "high_slope", "width")
_NOT_NEGATIVE = ("step_length", "noise", "low", "high", "width")


def check(settings: LbfgsSettings, state: State, reason: str) -> None:
    """Check the memory of a state; raise ValueError that names the field."""
    memory: Memory = with_named_fields(state.memory)
    search, counts = memory.search, memory.counts
    check_evaluated(state)
    _check_counts(settings, state, memory)
    _check_pairs(memory)
    if counts.phase[0] == START:
        require(state.epoch[0] == 0, "state.memory.counts", "not begin a run that has begun")
        require(counts.n_pairs[0] == 0, "state.memory.counts", "have no pairs at the start")
        require_finite("state.theta", state.theta)
        return
    _check_search(search, np.finfo(state.theta.dtype).eps)
    require_finite("state.memory.gradient", memory.gradient)
    require(not np.isnan(memory.direction).any(), "state.memory.direction", "not be NaN")
    with np.errstate(over="ignore", invalid="ignore"):
        trial = state.previous + search.step_length[0] * memory.direction
        overflown = ~np.isfinite(trial.astype(state.theta.dtype))
    allowed = np.isfinite(state.theta) | overflown
    require(allowed.all(), "state.theta", "be finite where its step is")


def _check_counts(settings: LbfgsSettings, state: State, memory: Memory) -> None:
    counts, history_size = memory.counts, memory.steps.shape[0]
    for name, description, largest in (
        ("phase", "its phase", RETURN_AND_STOP),
        ("n_pairs", "its number of pairs", history_size),
        ("newest", "the place of its newest pair", history_size - 1),
        ("n_trials", "its trials", settings.max_trials),
        ("bracketed", "whether it is bracketed", 1),
        ("n_idle", "its idle iterations", int(state.evaluations[0])),
    ):
        position = Counts._fields.index(name)
        expected = f"have {description} from 0 to {largest} at position {position}"
        require(0 <= getattr(counts, name)[0] <= largest, "state.memory.counts", expected)


def _check_pairs(memory: Memory) -> None:
    """Check the pairs in use."""
    history_size = memory.steps.shape[0]
    for k in range(int(memory.counts.n_pairs[0])):
        row = (int(memory.counts.newest[0]) - k) % history_size
        require_finite("state.memory.steps", memory.steps[row])
        require_finite("state.memory.changes", memory.changes[row])
        require(memory.products[0, row] > 0, "state.memory.products", "be positive")


def _check_search(search: Search, eps: np.floating[Any]) -> None:
    def require_field(holds: bool | np.bool, field: str, expected: str) -> None:
        position = Search._fields.index(field)
        require(holds, "state.memory.search", f"{expected} at position {position}")

    for field in _FINITE:
        require_field(np.isfinite(getattr(search, field)[0]), field, "be finite")
    for field in _NOT_NAN:
        require_field(not np.isnan(getattr(search, field)[0]), field, "not be NaN")
    for field in _NOT_NEGATIVE:
        require_field(getattr(search, field)[0] >= 0, field, "not be negative")
    require_field(search.start_slope[0] <= 0, "start_slope", "be at most 0")
    require_field(search.rounding[0] == eps, "rounding", f"be {eps:g}")
