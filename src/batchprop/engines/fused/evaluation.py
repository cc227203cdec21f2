"""An evaluation of L̃ and its gradient: sums over segments, times the factors of ``loss_scale``."""

from __future__ import annotations

from numba import types

from batchprop.compiler.jit import helper, kernel, number_from_address, returning
from batchprop.engines.fused.chunk_bounds import n_chunks_in
from batchprop.engines.fused.segment_tree import add_to_tree, total_of_tree
from batchprop.engines.fused.task import (
    CONTINUES,
    CURVATURE,
    GRADIENT,
    LOSS,
    N_ROWS,
    REDUCE,
    SLICE,
    add_row,
    reduce_range,
    sum_chunk,
)
from batchprop.engines.fused.thread_team import share
from batchprop.threads.cancellation import is_cancelled


@helper
def add_chunks(task, segment, first, last, work):
    """Write the sums over chunks ``first`` … ``last`` − 1 of a segment to ``totals``.

    They are added to what is there unless ``first`` is 0.
    """
    start, stop = columns_start(task, work), columns_stop(task, work)
    begin = segment * task.problem.n_chunks
    if task.n_workers == 0:
        for chunk in range(first, last):
            sums = task.totals if chunk == 0 else task.sums[0]
            sum_chunk(task, begin + chunk, task.scratch, sums, work)
            if is_cancelled(task.scratch.token):
                return
            if chunk > 0:
                add_row(task, start, stop)
    else:
        share(task, work, begin + first, last - first)
        _reduce(task, 0, last - first, first > 0, work)


@helper
def _reduce(task, first_row, n_rows, continues, work):
    """Sum rows to ``totals``, or on top of what is there."""
    start, stop = columns_start(task, work), columns_stop(task, work)
    n_slices = (stop + SLICE - 1) // SLICE
    if work == LOSS or n_slices == 1:
        reduce_range(task, first_row, n_rows, continues, start, stop)
    else:
        task.control[N_ROWS], task.control[CONTINUES] = n_rows, continues
        share(task, REDUCE, first_row, n_slices)


@helper
def _add_segments(task, first, last, work):
    """Add the sums over several segments to the tree; threads share the chunks of all of them."""
    problem, n_chunks = task.problem, task.problem.n_chunks
    start, stop = columns_start(task, work), columns_stop(task, work)
    n_pieces = (last - 1 - first) * n_chunks + n_chunks_in(problem, last - 1)
    share(task, work, first * n_chunks, n_pieces)
    for segment in range(first, last):
        if is_cancelled(task.scratch.token):
            return
        _reduce(task, (segment - first) * n_chunks, n_chunks_in(problem, segment), False, work)
        add_to_tree(task, segment, start, stop)


@returning(types.int64)
def columns_start(task, work):
    """Return the first sum that a kind of work needs."""
    return task.theta.size if work == LOSS else 0


@returning(types.int64)
def columns_stop(task, work):
    """Return where the sums end that a kind of work needs."""
    n = task.theta.size
    if work == GRADIENT:
        return task.totals.size
    return n if work == CURVATURE else n + task.problem.s


@kernel
def evaluate_once(task, work):
    """Return L̃ at ``task.theta``; if ``work`` is GRADIENT write ∂L̃/∂θ to ``task.gradient``.

    If ``work`` is CURVATURE, the sums are those of Jᵀy″ and the returned number means nothing.  If
    the run was cancelled (check ``task.scratch.token``), the results are meaningless.  Python calls
    this kernel, and other kernels call it as ``evaluate``.
    """
    problem, n, s = task.problem, task.theta.size, task.problem.s
    sums, gradient = task.totals, task.gradient
    n_segments = problem.n_segments
    start, stop = columns_start(task, work), columns_stop(task, work)
    if n_segments == 1:
        add_chunks(task, 0, 0, problem.n_chunks, work)
    else:
        together = max(1, task.sums.shape[0] // problem.n_chunks)  # segments
        for first in range(0, n_segments, together):
            if task.n_workers > 0:
                _add_segments(task, first, min(first + together, n_segments), work)
            else:
                add_chunks(task, first, 0, n_chunks_in(problem, first), work)
                add_to_tree(task, first, start, stop)
            if is_cancelled(task.scratch.token):
                return 0.0
        total_of_tree(task, n_segments, start, stop)
    if is_cancelled(task.scratch.token):
        return 0.0
    if work == GRADIENT:
        # ∂L̃/∂θ = (2/Σw) Σ w (y − t) ∂y/∂θ
        scale = task.gradient_scale
        for i in range(n):
            gradient[i] = scale * sums[i]
    # L̃ = (1/Σw) Σ w ‖y − t‖²
    loss = 0.0
    for o in range(n, n + s):
        loss += sums[o]
    return task.loss_scale * loss


@returning(types.float64)
def evaluate(task, work):
    """Return what ``evaluate_once`` returns; it is called by its address, ``task.evaluation``."""
    return number_from_address(task.evaluation, (task, work))


@returning(types.float64)
def reported(task):
    """Return the loss L of the last evaluation, in the user's units of T.

    ``engines.loss_scale.loss_in_units`` is the same formula in Python.
    """
    n, sums, units = task.theta.size, task.totals, task.units
    loss = 0.0
    for o in range(units.size):
        loss += units[o] * sums[n + o]
    return task.loss_scale * loss + task.constant_loss
