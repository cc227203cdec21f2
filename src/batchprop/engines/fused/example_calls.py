"""Calls of the engine's kernels on a tiny problem, to compile them before there is an objective.

The types of a kernel's arguments depend on the dtype of θ alone.  Which kernels there are depends
on the number of outputs and on whether JᵀJ is summed.  The kernel for sums in strips, which large
networks need as well, is left out.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from batchprop.compiler.kernel_call import Call
from batchprop.engines.fused.addresses import forward_call
from batchprop.engines.fused.gauss_newton.gauss_newton_objective import GAUSS_NEWTON_SUMS
from batchprop.engines.fused.objective import GRADIENT_SUMS
from batchprop.engines.fused.predict import N_ARRAYS, predict_samples
from batchprop.engines.fused.task import Task
from batchprop.engines.fused.task_memory import SampleTables, new_task
from batchprop.engines.fused.workspace import kernel_calls
from batchprop.engines.loss_scale import Scales
from batchprop.parameters import Shape


def example_calls(dtype: npt.DTypeLike, n_outputs: int, with_JTJ: bool) -> tuple[Task, list[Call]]:
    """Return a task and calls of the kernels of an objective, in the order of their compilation."""
    sums = GAUSS_NEWTON_SUMS if with_JTJ else GRADIENT_SUMS
    task, _ = new_task(
        sums, Shape(1, 1, n_outputs), "tanh", dtype, 1, SampleTables(), Scales(1.0, 1.0),
        scaling=None, constant_loss=0.0, n_threads=1, cancellation=None,
    )  # fmt: skip
    return task, list(kernel_calls(sums, task).values())


def example_predictions(dtype: npt.DTypeLike) -> list[Call]:
    """Return calls of the kernels of a prediction."""
    task, _ = example_calls(dtype, 1, with_JTJ=False)
    memory = (task.theta,) * N_ARRAYS
    Y = np.empty((1, 1), dtype)
    return [
        forward_call(task.problem, task.theta),
        (predict_samples, task.problem, task.theta, 0, 0, *memory, Y),
    ]
