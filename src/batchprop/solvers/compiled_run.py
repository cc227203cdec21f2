"""A run whose loop is compiled, around an objective that compiled code can evaluate."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy.typing as npt

from batchprop.compiler.kernel_struct import KernelStruct
from batchprop.engines.protocol import Objective

Array = npt.NDArray[Any]


class CompiledRun:
    """A run of a compiled loop.

    Parameters
    ----------
    loop : kernel
        ``loop(*arguments, task, validation_task, losses, validation_losses)`` returns a reason to
        stop and the number of entries that were filled.
    arguments : iterable of NamedTuple
        Settings, rules, penalty, state, and whatever else the loop takes.
    objective, validation : Objective
        Of training and validation data; both have a ``task``.
    """

    def __init__(
        self,
        loop: Callable[..., tuple[int, int]],
        arguments: Iterable[Any],
        objective: Objective,
        validation: Objective | None,
    ) -> None:
        self._loop = loop
        self._arguments = tuple(map(KernelStruct, arguments))
        # without validation data the loop does not look at the second task
        self._tasks = objective.task, objective.task if validation is None else validation.task

    def advance(self, losses: Array, validation_losses: Array) -> tuple[int, int]:
        """Run compiled for as many epochs as the curves have room for."""
        reason, count = self._loop(*self._arguments, *self._tasks, losses, validation_losses)
        return int(reason), int(count)

    def close(self) -> None:
        """Do nothing: threads and buffers are the objective's."""
