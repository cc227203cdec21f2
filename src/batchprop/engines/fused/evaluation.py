"""An evaluation of L and its gradient: chunks → sums → scaled by the factors of ``loss_scale``."""

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
    """Return L(θ) at ``task.theta``; if ``work`` is GRADIENT write ∂L/∂θ to ``task.gradient``.

    If the run is cancelled meanwhile, which ``task.scratch.token`` tells, the numbers mean nothing.
    """
    n_chunks, n, s = task.problem.n_chunks, task.theta.size, task.problem.s
    total, gradient = task.total, task.gradient
    start, stop = (0, total.size) if work == GRADIENT else (n, n + s)
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
        # ∂L/∂θ = (2/Σw) Σ w (y − t) ∂y/∂θ
        scale = task.gradient_scale
        for i in range(n):
            gradient[i] = scale * total[i]
    # L = (1/Σw) Σ w ‖y − t‖²
    loss = 0.0
    for o in range(n, n + s):
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
def evaluate_once(task, work):
    """Python entry point of ``evaluate``."""
    return evaluate(task, work)
