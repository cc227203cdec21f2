"""Checks of a first-order solver's memory from a file."""

from __future__ import annotations

from batchprop.solvers.first_order.first_order_memory import FirstOrderSettings
from batchprop.solvers.run_state import State
from batchprop.solvers.settings import ADAM
from batchprop.solvers.state_checks import (
    check_evaluated,
    check_overflow,
    may_have_overflown,
    require,
    require_finite,
)


def check(settings: FirstOrderSettings, state: State, reason: str) -> None:
    """Check the memory of a state; raise ValueError that names the field."""
    check_evaluated(state)
    check_overflow(state, reason)
    if not may_have_overflown(state, reason):
        require_finite("state.memory", state.memory)
        if settings.solver == ADAM:
            require((state.memory[1] >= 0).all(), "state.memory", "have squares in its second row")
