"""A run whose loop is compiled, around an objective that compiled code can evaluate."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.compiler.kernel_call import Call
from batchprop.compiler.kernel_struct import KernelStruct
from batchprop.engines.protocol import Objective

Array = npt.NDArray[Any]


class CompiledRun:
    """A run of a compiled loop.

    Parameters
    ----------
    loop : tuple
        A kernel and its first arguments, NamedTuples: settings, rules, penalty, state, and whatever
        else it takes.  ``kernel(*arguments, task, validation_task, losses, validation_losses)``
        returns a reason to stop and the number of entries that were filled.
    objective, validation : Objective
        Of training and validation data; both have a ``task``.
    """

    def __init__(self, loop: Call, objective: Objective, validation: Objective | None) -> None:
        self._kernel, *arguments = loop
        self._arguments = tuple(map(KernelStruct, arguments))
        # without validation data the loop does not look at the second task
        self._tasks = objective.task, objective.task if validation is None else validation.task

    def advance(self, losses: Array, validation_losses: Array) -> tuple[int, int]:
        """Run compiled for as many epochs as the curves have room for."""
        reason, count = self._kernel(*self._arguments, *self._tasks, losses, validation_losses)
        return int(reason), int(count)

    def close(self) -> None:
        """Do nothing: threads and buffers are the objective's."""


def loop_call(loop: Call, task: Any) -> Call:
    """Return a call of a loop as ``CompiledRun`` makes it."""
    losses = np.empty(0)
    return *loop, task, task, losses, losses
