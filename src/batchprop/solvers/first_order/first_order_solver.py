"""Gradient descent, momentum, Nesterov's momentum and Adam as solvers of the registry."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.files import pytree
from batchprop.solvers.first_order.first_order_memory import FirstOrderSettings, form
from batchprop.solvers.first_order.first_order_memory_checks import check
from batchprop.solvers.first_order.first_order_run import first_order_loop, first_order_run

needs_gauss_newton = False
memory_form, check_memory = form, check
run, compiled_loop = first_order_run, first_order_loop


def initial_memory(settings: FirstOrderSettings, n_parameters: int) -> npt.NDArray[Any]:
    """Return two vectors of zeros: the velocity, or Adam's two moments."""
    return pytree.zeros(form(settings, n_parameters))


def training_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the network's own dtype."""
    return dtype
