"""What an objective computes with: its task, the kernels that it needs, and the threads."""

from __future__ import annotations

import weakref
from collections.abc import Sequence

import numpy as np

from batchprop.compiler.kernel_call import Call
from batchprop.compiler.kernel_struct import KernelStruct
from batchprop.engines.fused.addresses import addresses_of, forward_call
from batchprop.engines.fused.backward import (
    add_to_strips,
    backward_one_output,
    backward_several_outputs,
)
from batchprop.engines.fused.evaluation import evaluate_once
from batchprop.engines.fused.forward_backward import chunk_sums
from batchprop.engines.fused.problem import Scratch
from batchprop.engines.fused.task import GRADIENT, Task
from batchprop.engines.fused.task_memory import SampleTables, Sums
from batchprop.engines.fused.thread_team import Team


class Workspace:
    """A task with its kernels, and the team of threads that works on it.

    Parameters
    ----------
    sums : Sums
        What is summed.
    task : Task
        From ``task_memory.new_task``.
    workers : sequence of Scratch
        The memory of the threads that help.

    Attributes
    ----------
    task : KernelStruct
        The task.
    """

    def __init__(self, sums: Sums, task: Task, workers: Sequence[Scratch]) -> None:
        self.task = KernelStruct(_with_addresses(task, sums))
        self._team = Team(self.task, list(map(KernelStruct, workers)))
        self._packed = [task.scratch.packed, *(worker.packed for worker in workers)]
        weakref.finalize(self, self._team.stop)  # if it is never closed
        self._team.start()

    def read_from(self, tables: SampleTables) -> None:
        """Let the next evaluation read other samples; none may be going on."""
        task: Task = self.task.fields
        self.task.replace(task._replace(problem=task.problem._replace(**tables._asdict())))
        for packed in self._packed:
            packed[:] = -1

    def close(self) -> None:
        """End the threads."""
        self._team.stop()


def kernel_calls(sums: Sums, task: Task) -> dict[str, Call]:
    """Return a call of each kernel that a task needs, in the order in which they are compiled.

    The large ones come first.  A second process compiles from the end of the list: both processes
    then end at about the same time.
    """
    problem, theta, totals, scratch = task.problem, task.theta, task.totals, task.scratch
    backward = backward_one_output if problem.s == 1 else backward_several_outputs
    calls: dict[str, Call] = {
        "forward_kernel": forward_call(problem, theta),
        "backward_kernel": (backward, problem, theta, 0, scratch, totals),
        "chunk_kernel": (chunk_sums, problem, theta, 0, scratch, totals, GRADIENT),
    }
    if problem.sums_in_strips:
        calls["strips_kernel"] = add_to_strips, problem, 0, scratch
    if sums.row_products is not None:
        scale, JTJ = task.loss_scale, np.empty((1, 1))
        calls["assembly"] = sums.assembly, problem, theta, totals, scale, JTJ, scratch.token
        calls["row_products"] = sums.row_products, problem, 0, scratch, totals, True
    calls["evaluation"] = evaluate_once, task, GRADIENT
    return calls


def _with_addresses(task: Task, sums: Sums) -> Task:
    """Return a task with the addresses of the kernels that it needs."""
    found = addresses_of(task.theta, kernel_calls(sums, task))
    problem = task.problem._replace(
        forward_kernel=found["forward_kernel"],
        backward_kernel=found["backward_kernel"],
        strips_kernel=found.get("strips_kernel", 0),
        row_products=found.get("row_products", 0),
    )
    return task._replace(
        problem=problem,
        chunk_kernel=found["chunk_kernel"],
        evaluation=found["evaluation"],
        assembly=found.get("assembly", 0),
    )
