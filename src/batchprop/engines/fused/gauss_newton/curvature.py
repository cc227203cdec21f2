"""Jᵀ y″: how the outputs are curved along a step p, as seen by the parameters.

y″ = y(θ + p) − 2 y(θ) + y(θ − p) takes the place of the residuals; the backward pass is the
gradient's.
"""

from __future__ import annotations

from batchprop.compiler.jit import helper, kernel
from batchprop.engines.fused.evaluation import evaluate
from batchprop.engines.fused.forward_backward import forward_panels, pack_block
from batchprop.engines.fused.task import CURVATURE
from batchprop.simd.load_store import lanes_of
from batchprop.simd.vectors import WIDE


@helper
def _second_difference(problem, panel, scratch, outer_sum, G):
    """Overwrite Y by w ⊙ y″ for one panel; add db_y = Σ w y″ to G.

    ``outer_sum`` holds y(θ + p) + y(θ − p).
    """
    Y = scratch.weighted_residuals
    s, width = problem.s, lanes_of(Y, WIDE)
    for o in range(s):
        at = (panel * s + o) * width
        total = 0.0
        for i in range(width):
            # y″ = y(θ + p) + y(θ − p) − 2 y(θ)
            second_difference = outer_sum[o * width + i] - 2.0 * Y[at + i]
            Y[at + i] = scratch.weight[panel * width + i] * second_difference
            total += Y[at + i]
        # db_y += Σ w y″
        G[problem.b_y_start + o] += total


@helper
def forward_curvature(problem, points, first, count, scratch, G):
    """Take a block forward at θ + p, θ − p and θ; write w ⊙ y″ in place of wR."""
    s, width = problem.s, lanes_of(scratch.weighted_residuals, WIDE)
    n, Y = points.size // 3, scratch.weighted_residuals
    # free between packing and the backward pass; it has room for a panel of s rows
    outer_sum = scratch.strip_buffer
    pack_block(problem, first, count, scratch)
    for panel in range((count + width - 1) // width):
        at = panel * s * width
        forward_panels(problem, points[n : 2 * n], panel, 1, count, scratch)
        for i in range(s * width):
            outer_sum[i] = Y[at + i]
        forward_panels(problem, points[2 * n :], panel, 1, count, scratch)
        for i in range(s * width):
            outer_sum[i] += Y[at + i]
        forward_panels(problem, points[:n], panel, 1, count, scratch)
        _second_difference(problem, panel, scratch, outer_sum, G)


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
