"""Jᵀ y″: how the outputs are curved along a step p, as seen by the parameters.

y″ = y(θ + p) − 2 y(θ) + y(θ − p) takes the place of the residuals; the backward pass is the
gradient's.
"""

from __future__ import annotations

from batchprop.compiler.jit import helper, kernel
from batchprop.engines.fused.evaluation import evaluate
from batchprop.engines.fused.forward_backward import forward_panel, pack_block
from batchprop.engines.fused.task import CURVATURE
from batchprop.simd.load_store import lanes_of
from batchprop.simd.vectors import WIDE


@helper
def _second_difference(problem, p, scratch, around, G):
    """Turn Y into w ⊙ y″ for one panel, and add db_y = Σ w y″ to G.

    ``around`` holds y(θ + p) + y(θ − p).
    """
    s, width = problem.s, lanes_of(scratch.R, WIDE)
    for o in range(s):
        at = (p * s + o) * width
        total = 0.0
        for i in range(width):
            # y″ = y(θ + p) + y(θ − p) − 2 y(θ)
            curved = around[o * width + i] - 2.0 * scratch.R[at + i]
            scratch.R[at + i] = scratch.weight[p * width + i] * curved
            total += scratch.R[at + i]
        # db_y += Σ w y″
        G[problem.b_y + o] += total


@helper
def forward_curvature(problem, points, first, count, scratch, G):
    """Take a block forward at θ + p, θ − p and θ, and leave w ⊙ y″ in place of its residuals."""
    s, width = problem.s, lanes_of(scratch.R, WIDE)
    n, R = points.size // 3, scratch.R
    around = scratch.strips  # free between packing and the backward pass; holds s panels or more
    pack_block(problem, first, count, scratch)
    for p in range((count + width - 1) // width):
        at = p * s * width
        forward_panel(problem, points[n : 2 * n], p, count, scratch)
        for i in range(s * width):
            around[i] = R[at + i]
        forward_panel(problem, points[2 * n :], p, count, scratch)
        for i in range(s * width):
            around[i] += R[at + i]
        forward_panel(problem, points[:n], p, count, scratch)
        _second_difference(problem, p, scratch, around, G)


@helper
def curvature(task, out):
    """Write Σ w Jᵀ y″ / Σ w at the three points of ``task.points`` to ``out`` (P,)."""
    evaluate(task, CURVATURE)
    for i in range(out.size):
        out[i] = task.loss_scale * task.total[i]


@kernel
def curvature_once(task, out):
    """Python entry point of ``curvature``."""
    curvature(task, out)
