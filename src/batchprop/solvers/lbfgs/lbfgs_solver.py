"""L-BFGS as a solver of the registry."""

from __future__ import annotations

from typing import Any

import numpy as np

from batchprop.solvers.lbfgs.lbfgs_memory import form, memory
from batchprop.solvers.lbfgs.lbfgs_memory_checks import check
from batchprop.solvers.lbfgs.lbfgs_run import lbfgs_loop, lbfgs_run

needs_gauss_newton = False
initial_memory, memory_form, check_memory = memory, form, check
run, compiled_loop = lbfgs_run, lbfgs_loop


def training_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the network's own dtype."""
    return dtype
