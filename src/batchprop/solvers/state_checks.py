"""Checks of a state from a file: a value that no run produces is refused.

Compiled loops do not check indices, and rely on the values that they wrote themselves.  This file
checks what holds for every solver.  Each solver checks its own memory with these functions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.solvers.run_state import State, is_ahead
from batchprop.solvers.stopping import NEVER, NON_FINITE, REASONS

Array = npt.NDArray[Any]


def require(holds: bool | np.bool, name: str, expected: str) -> None:
    """Raise ValueError "<name>: must <expected>" unless it holds."""
    if not holds:
        raise ValueError(f"{name}: must {expected}")


def require_finite(name: str, array: Array) -> None:
    """Refuse NaN and inf."""
    require(np.isfinite(array).all(), name, "be finite")


def may_have_overflown(state: State, reason: str) -> bool:
    """Return whether the solver's vectors may hold inf after the last step."""
    return is_ahead(state) or reason == REASONS[NON_FINITE]


def check_state(state: State) -> None:
    """Check what holds for the state of every solver; solvers check their memory themselves.

    Parameters
    ----------
    state : State
        Its shapes and dtypes have been checked.

    Raises
    ------
    ValueError
        Names the field and says what it must be.
    """
    epoch, evaluations = int(state.epoch[0]), int(state.evaluations[0])
    require(0 <= epoch < NEVER, "state.epoch", "be at least 0")
    require(
        epoch <= evaluations <= epoch + 1,
        "state.evaluations",
        f"be {epoch} or {epoch + 1} after {epoch} steps",
    )
    for name in ("best_epoch", "reference_epoch"):
        epoch_of = getattr(state, name)[0]
        require(0 <= epoch_of <= max(0, evaluations - 1), f"state.{name}", "be an evaluated epoch")
    require(0 <= state.calls[0] <= NEVER, "state.calls", "be at least 0")
    for name in ("previous", "best"):
        require_finite(f"state.{name}", getattr(state, name))
    if not is_ahead(state):
        require_finite("state.theta", state.theta)
    for name in ("best_score", "best_loss", "reference"):
        value = getattr(state, name)
        if evaluations > 0:
            require_finite(f"state.{name}", value)
        else:
            require(not np.isfinite(value[0]), f"state.{name}", "be unknown before an evaluation")
    for name in ("gradient_norm", "step"):
        require(not getattr(state, name)[0] < 0, f"state.{name}", "not be negative")


def check_evaluated(state: State) -> None:
    """Check that F was evaluated at least once for each epoch."""
    require(state.evaluations[0] <= state.calls[0], "state.calls", "be at least state.evaluations")


def check_overflow(state: State, reason: str) -> None:
    """Check that θ is finite unless the length of the step that led to it is not.

    The length is missing if Ctrl-C came between the step and its record.
    """
    if np.isfinite(state.step[0]) and reason != "interrupted":
        require_finite("state.theta", state.theta)
