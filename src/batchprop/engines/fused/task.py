"""One data set's evaluation as kernels see it, and the pieces of work that threads share.

There are two kinds of pieces.  A chunk of samples: its sums go to one row.  A slice of columns of
all rows: they are added in the order of chunks.  Neither the division into chunks nor the order
depends on threads, so loss and gradient have the same bits for any number of threads.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy.typing as npt
from numba import types

from batchprop.compiler.jit import call_address, helper, returning
from batchprop.engines.fused.problem import Problem, Scratch
from batchprop.threads.cancellation import READ, WRITTEN, check

Array = npt.NDArray[Any]

# kinds of work: loss and gradient (and JᵀJ, if the task sums it); loss; Jᵀ y″; sums over chunks
GRADIENT, LOSS, CURVATURE, REDUCE = range(4)
SLICE = 4096  # columns in a piece of REDUCE
ADDED_PER_CHECK = 1 << 17  # sums that are added between two checks for cancellation
# indices in ``control``, of four cache lines.  Set by ``thread_team.share``: pieces that are left
# and done, the kind of work, and the first chunk or row.  Set by ``evaluation``: how many rows are
# reduced, and whether they continue the sums.  Set at the end: STOP.
LEFT, DONE, WORK, FIRST, N_ROWS, CONTINUES, STOP = 0, 16, 32, 33, 34, 35, 48


class Task(NamedTuple):
    """One data set and all that an evaluation on it needs, as kernels see it."""

    problem: Problem
    chunk_kernel: int  # addresses of kernels: the sums over a chunk, an evaluation, and JᵀJ if any
    evaluation: int
    assembly: int
    n_workers: int
    loss_scale: float  # 1/Σw
    gradient_scale: float  # 2/Σw
    units: Array  # (s,) factors of each output's loss, to be in the user's units
    constant_loss: float  # in the user's units: loss of outputs that are constant in training
    theta: Array  # (P,) where to evaluate
    gradient: Array  # (P,)
    points: Array  # (3 P,) θ, θ + p and θ − p, where to evaluate CURVATURE
    sums: Array  # (rows, as ``totals`` or longer) float64: one for each chunk; one for one thread
    totals: Array  # float64: half the gradient, each output's loss, …
    tree: Array  # (levels, as ``sums``) float64: nodes of the tree of segments, if several
    control: Array  # int64, shared by the threads
    scratch: Scratch  # the leader's


@returning(types.int64)
def products_start(problem):
    """Return where the sums for JᵀJ begin in a row: after the gradient's and the losses'."""
    return problem.b_y_start + 2 * problem.s


@helper
def sum_chunk(task, chunk, scratch, sums, work):
    """Write the sums over one chunk to an array that is at least as long as ``totals``."""
    theta = task.points if work == CURVATURE else task.theta
    call_address(task.chunk_kernel, (task.problem, theta, chunk, scratch, sums, work))


@helper
def reduce_range(task, first_row, n_rows, continues, start, stop):
    """Sum a range of columns over rows, in their order, to ``totals`` or on top of them."""
    total, sums = task.totals, task.sums
    first = first_row
    if not continues:
        for i in range(start, stop):
            total[i] = sums[first, i]
        first += 1
    for row in range(first, first_row + n_rows):
        for i in range(start, stop):
            total[i] += sums[row, i]


@helper
def reduce_slice(task, k, first_row, n_rows, continues, token):
    """Sum slice k of the columns over some rows."""
    start, stop = k * SLICE, min((k + 1) * SLICE, task.totals.size)
    reduce_range(task, first_row, n_rows, continues, start, stop)
    check(token, READ * SLICE * n_rows)


@helper
def add_row(task, start, stop):
    """Add a range of the single row of ``sums`` to ``totals``."""
    total, sums = task.totals, task.sums
    for low in range(start, stop, ADDED_PER_CHECK):
        high = min(low + ADDED_PER_CHECK, stop)
        for i in range(low, high):
            total[i] += sums[0, i]
        if high < stop and check(task.scratch.token, WRITTEN * ADDED_PER_CHECK):
            return
