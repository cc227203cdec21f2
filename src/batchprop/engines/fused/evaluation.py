"""An evaluation of L̃ and its gradient: sums over chunks, times the factors of ``loss_scale``."""

from __future__ import annotations

from numba import types

from batchprop.compiler.jit import kernel, returning
from batchprop.engines.fused.task import (
    CURVATURE,
    GRADIENT,
    LOSS,
    REDUCE,
    SLICE,
    add_row,
    reduce_range,
    sum_chunk,
)
from batchprop.engines.fused.thread_team import share
from batchprop.threads.cancellation import is_cancelled


@returning(types.float64)
def evaluate(task, work):
    """Return L̃ at ``task.theta``; if ``work`` is GRADIENT write ∂L̃/∂θ to ``task.gradient``.

    If ``work`` is CURVATURE, the sums are those of Jᵀy″ and the returned number means nothing.  If
    the run was cancelled (check ``task.scratch.token``), the results are meaningless.
    """
    n_chunks, n, s = task.problem.n_chunks, task.theta.size, task.problem.s
    sums, gradient = task.sums_over_chunks, task.gradient
    start, stop = (0, sums.size) if work == GRADIENT else (n, n + s)
    if work == CURVATURE:
        start, stop = 0, n
    if task.n_workers == 0:
        for chunk in range(n_chunks):
            sum_chunk(task, chunk, task.scratch, 0, work)
            if is_cancelled(task.scratch.token):
                return 0.0
            add_row(task, chunk, start, stop)
    else:
        share(task, work, n_chunks)
        n_slices = (stop + SLICE - 1) // SLICE
        if work == LOSS or n_slices == 1:
            reduce_range(task, start, stop)
        else:
            share(task, REDUCE, n_slices)
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
def reported(task):
    """Return the loss L of the last evaluation, in the user's units of T.

    ``Objective.reported_loss`` is the same formula in NumPy, which may round it differently.
    """
    n, sums, units = task.theta.size, task.sums_over_chunks, task.units
    loss = 0.0
    for o in range(units.size):
        loss += units[o] * sums[n + o]
    return task.loss_scale * loss + task.constant_loss


@kernel
def evaluate_once(task, work):
    """Python entry point of ``evaluate``."""
    return evaluate(task, work)
