"""Checks of a Levenberg–Marquardt memory from a file."""

from __future__ import annotations

import numpy as np

from batchprop.solvers.levenberg_marquardt.levenberg_marquardt_memory import (
    LevenbergMarquardtSettings,
)
from batchprop.solvers.run_state import State
from batchprop.solvers.state_checks import check_evaluated, check_overflow, require


def check(settings: LevenbergMarquardtSettings, state: State, reason: str) -> None:
    """Check the memory of a state; raise ValueError that names the field."""
    check_evaluated(state)
    check_overflow(state, reason)
    damping, growth = state.memory.damping[0], state.memory.growth[0]
    require(damping > 0, "state.memory.damping", "be greater than 0")  # inf ends the run
    is_power = np.isfinite(growth) and growth >= 2 and np.frexp(growth)[0] == 0.5
    require(is_power, "state.memory.growth", "be 2, 4, 8, …")
