"""A team of threads that works off the chunks of one evaluation after another.

One leader runs a solver's loop; workers wait for work.  To evaluate, the leader posts the number
of chunks; leader and workers take them one by one until none is left, each chunk into a row of
sums of its own.  Nobody waits for a particular worker: one that was never started, or sits on a
core that is busy elsewhere, only takes fewer chunks.  The rows are summed in the order of chunks.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy.typing as npt
from numba import types

from batchprop.compiler.jit import call_address, helper, kernel, returning
from batchprop.compiler.kernel_struct import KernelStruct
from batchprop.engines.fused.forward_backward import Problem, Scratch
from batchprop.threads.atomics import atomic_add, atomic_load, atomic_store, relax
from batchprop.threads.cancellation import READ, WRITTEN, check, is_cancelled

Array = npt.NDArray[Any]

# places in the control array, a cache line apart
LEFT, DONE, KIND, STOP = 0, 16, 32, 48
# kinds of work: loss and gradient (and JᵀJ where the task knows it); loss; Jᵀ y″; sums over chunks
GRADIENT, LOSS, CURVATURE, REDUCE = range(4)
SLICE = 4096  # parameters that are summed over chunks together
LUMP = 1 << 17  # numbers that are summed between two looks at whether the run goes on
# multiply-adds that take as long as one turn of waiting for the others, at first and later
SHORT_WAIT, LONG_WAIT, SHORT_WAITS = 512, 1 << 20, 2000


class Task(NamedTuple):
    """One data set and all that evaluating on it needs, as kernels see it."""

    problem: Problem
    process: int  # address of the compiled ``process``
    n_workers: int
    loss_scale: float
    gradient_scale: float
    units: Array  # (s,) what an output's loss is multiplied by to be in the user's units
    constant_loss: float  # in the user's units: what outputs leave that are constant in training
    theta: Array  # (P,) where to evaluate
    gradient: Array  # (P,)
    points: Array  # (3 P,) θ, θ + p and θ − p, where curvature is asked for
    sums: Array  # (rows, P + s or more) float64, one row a chunk, or one for all in turn
    total: Array  # as long as a row, float64: half the gradient, each output's loss, …
    control: Array  # int64, shared by the threads
    scratch: Scratch  # the leader's


@helper
def process_chunk(task, chunk, scratch, row, kind):
    """Call the large kernel."""
    theta = task.points if kind == CURVATURE else task.theta
    call_address(task.process, (task.problem, theta, chunk, scratch, task.sums[row], kind))


@helper
def reduce_range(task, start, stop):
    """Sum a range of ``sums`` over the chunks, in their order."""
    total, sums = task.total, task.sums
    for i in range(start, stop):
        total[i] = sums[0, i]
    for chunk in range(1, sums.shape[0]):
        for i in range(start, stop):
            total[i] += sums[chunk, i]


@helper
def take_work(task, scratch):
    """Work off what is posted until nothing is left to take."""
    while atomic_load(task.control, LEFT) > 0:
        item = atomic_add(task.control, LEFT, -1) - 1
        if item < 0:
            return
        kind = atomic_load(task.control, KIND)
        if is_cancelled(scratch.token):
            pass  # what is posted is taken, but not done
        elif kind == REDUCE:
            start = item * SLICE
            reduce_range(task, start, min(start + SLICE, task.total.size))
            check(scratch.token, READ * SLICE * task.problem.n_chunks)
        else:
            process_chunk(task, item, scratch, item, kind)
        atomic_add(task.control, DONE, 1)


@helper
def share(task, kind, n_items):
    """Post work, take part in it, and return when all of it is done."""
    atomic_store(task.control, DONE, 0)
    atomic_store(task.control, KIND, kind)
    atomic_store(task.control, LEFT, n_items)
    take_work(task, task.scratch)
    waited = 0
    while atomic_load(task.control, DONE) < n_items:
        relax(waited)
        waited += 1
        check(task.scratch.token, SHORT_WAIT if waited < SHORT_WAITS else LONG_WAIT)


@helper
def add_sums(task, chunk, start, stop):
    """Add a range of the one row of ``sums`` to ``total``, or copy it from the first chunk."""
    total, sums = task.total, task.sums
    for low in range(start, stop, LUMP):
        high = min(low + LUMP, stop)
        for i in range(low, high):
            total[i] = sums[0, i] if chunk == 0 else total[i] + sums[0, i]
        if high < stop and check(task.scratch.token, WRITTEN * LUMP):
            return


@returning(types.float64)
def evaluate(task, kind):
    """Return L(θ) at ``task.theta``; if ``kind`` is GRADIENT write ∂L/∂θ to ``task.gradient``.

    If the run is cancelled meanwhile, which ``task.scratch.token`` tells, the numbers mean nothing.
    """
    n_chunks, n = task.problem.n_chunks, task.theta.size
    total, gradient = task.total, task.gradient
    start, stop = (0, total.size) if kind == GRADIENT else (n, n + task.problem.s)
    if kind == CURVATURE:
        start, stop = 0, n
    if task.n_workers == 0:
        for chunk in range(n_chunks):
            process_chunk(task, chunk, task.scratch, 0, kind)
            if is_cancelled(task.scratch.token):
                return 0.0
            add_sums(task, chunk, start, stop)
    else:
        share(task, kind, n_chunks)
        n_slices = (stop + SLICE - 1) // SLICE
        if kind == LOSS or n_slices == 1:
            reduce_range(task, start, stop)
        else:
            share(task, REDUCE, n_slices)
    if kind == GRADIENT:
        scale = task.gradient_scale
        for i in range(n):
            gradient[i] = scale * total[i]
    loss = 0.0
    for o in range(n, n + task.problem.s):
        loss += total[o]
    return task.loss_scale * loss


@returning(types.float64)
def reported(task):
    """Return the loss of the last evaluation in the user's units of T."""
    n, total, units = task.theta.size, task.total, task.units
    loss = 0.0
    for o in range(units.size):
        loss += units[o] * total[n + o]
    return task.loss_scale * loss + task.constant_loss


@kernel
def evaluate_once(task, kind):
    """Evaluate, called from Python."""
    return evaluate(task, kind)


@kernel
def work(task, scratch):
    """A worker's life: wait for work, take it, until told to stop."""
    waited = 0
    while atomic_load(task.control, STOP) == 0:
        if atomic_load(task.control, LEFT) > 0:
            take_work(task, scratch)
            waited = 0
        else:
            relax(waited)
            waited += 1


class Team:
    """The threads that serve one task.

    Threads are started for one call and end with it: nothing outlives it, nothing is inherited by
    a forked process, and no other library's thread settings are touched.
    """

    def __init__(self, task: KernelStruct, scratches: Sequence[KernelStruct]) -> None:
        self._task, self._scratches = task, scratches  # the workers'
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start the workers, or as many of them as the system has threads to give."""
        try:
            for member, scratch in enumerate(self._scratches, start=1):
                thread = threading.Thread(
                    target=work, args=(self._task, scratch), name=f"batchprop-{member}", daemon=True
                )
                thread.start()
                self._threads.append(thread)
        except RuntimeError:  # fewer do it as well
            pass
        except BaseException:  # Ctrl-C: nobody is left behind to wait for work
            self.stop()
            raise

    def stop(self) -> None:
        """End the workers; a second time does nothing."""
        self._task.control[STOP] = 1
        while self._threads:
            self._threads.pop().join()
