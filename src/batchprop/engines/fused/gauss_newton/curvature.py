"""Jᵀ y″: how the outputs are curved along a step p, as the parameters see it.

y″ = y(θ + p) − 2 y(θ) + y(θ − p) stands where the residuals do in the gradient, and the way back is
the same.
"""

from __future__ import annotations

from batchprop.compiler.jit import helper, kernel
from batchprop.engines.fused.forward_backward import forward, pack_block
from batchprop.engines.fused.thread_team import CURVATURE, evaluate
from batchprop.simd.load_store import lanes_of
from batchprop.simd.vectors import WIDE


@helper
def _second_difference(problem, p, around, scratch, G):
    """Turn Y into w ⊙ y″ for one panel, and add Σ w y″, for db_y, to G.

    ``around`` holds y(θ + p) + y(θ − p).
    """
    s, width = problem.s, lanes_of(scratch.R, WIDE)
    b_y = problem.m * problem.e + problem.m + s * problem.m
    for o in range(s):
        at = (p * s + o) * width
        total = 0.0
        for i in range(width):
            curved = around[o * width + i] - 2.0 * scratch.R[at + i]
            scratch.R[at + i] = scratch.weight[p * width + i] * curved
            total += scratch.R[at + i]
        G[b_y + o] += total


@helper
def curved_block(problem, points, first, count, scratch, G):
    """Take a block forward at θ + p, θ − p and θ, and leave w ⊙ y″ in place of its residuals."""
    s, width = problem.s, lanes_of(scratch.R, WIDE)
    n = points.size // 3
    x_panel = pack_block(problem, first, count, scratch)
    X, H, R = scratch.X, scratch.H, scratch.R
    around = scratch.strips  # free between packing and the way back, and no shorter than s panels
    for p in range((count + width - 1) // width):
        valid = min(width, count - p * width)
        at = p * s * width
        forward(problem, points[n : 2 * n], p, valid, x_panel, X, H, R)
        for i in range(s * width):
            around[i] = R[at + i]
        forward(problem, points[2 * n :], p, valid, x_panel, X, H, R)
        for i in range(s * width):
            around[i] += R[at + i]
        forward(problem, points[:n], p, valid, x_panel, X, H, R)
        _second_difference(problem, p, around, scratch, G)


@helper
def curvature(task, out):
    """Write Σ w Jᵀ y″ / Σ w at the three points of ``task.points`` to ``out`` (P,)."""
    evaluate(task, CURVATURE)
    for i in range(out.size):
        out[i] = task.loss_scale * task.total[i]


@kernel
def curvature_once(task, out):
    """The same, called from Python."""
    curvature(task, out)
