"""Jᵀ y″: how the outputs are curved along a step p, as seen by the parameters.

y″ = y(θ + p) − 2 y(θ) + y(θ − p) takes the place of the residuals: see
``residuals.second_differences``.  The backward pass is the gradient's.
"""

from __future__ import annotations

from batchprop.compiler.jit import helper, kernel
from batchprop.engines.fused.evaluation import evaluate
from batchprop.engines.fused.task import CURVATURE


@helper
def curvature(task, out):
    """Write Jᵀy″, a mean over samples, for the three points of ``task.points`` to ``out`` (P,)."""
    evaluate(task, CURVATURE)
    for i in range(out.size):
        out[i] = task.loss_scale * task.totals[i]


@kernel
def curvature_once(task, out):
    """Python entry point of ``curvature``."""
    curvature(task, out)
