"""Levenberg–Marquardt as a solver of the registry."""

from __future__ import annotations

from typing import Any

import numpy as np

from batchprop.solvers.levenberg_marquardt.levenberg_marquardt_memory import (
    LevenbergMarquardtSettings,
    Memory,
    memory,
)
from batchprop.solvers.levenberg_marquardt.levenberg_marquardt_memory_checks import check
from batchprop.solvers.levenberg_marquardt.levenberg_marquardt_run import (
    levenberg_marquardt_loop,
    levenberg_marquardt_run,
)

needs_gauss_newton = True
check_memory, run, compiled_loop = check, levenberg_marquardt_run, levenberg_marquardt_loop


def initial_memory(settings: LevenbergMarquardtSettings, n_parameters: int) -> Memory:
    """Return the damping of the first step, and its growth."""
    return memory(settings)


def memory_form(settings: LevenbergMarquardtSettings, n_parameters: int) -> Memory:
    """Return the same: two numbers take hardly any memory."""
    return memory(settings)


def training_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return float64: JᵀJ has the squared condition number of J, too large for float32."""
    return np.dtype(np.float64)
