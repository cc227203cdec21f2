"""The large kernel of Gauss–Newton: loss, gradient and the sums of JᵀJ over a chunk of samples."""

from __future__ import annotations

from batchprop.compiler.jit import kernel_by_address
from batchprop.engines.fused.forward_backward import (
    backward,
    finish,
    flush_strips,
    forward_block,
    padded,
    work_of,
)
from batchprop.engines.fused.gauss_newton.curvature import curved_block
from batchprop.engines.fused.gauss_newton.row_product_layout import panel_rows_of
from batchprop.engines.fused.gauss_newton.row_products import add_products
from batchprop.engines.fused.thread_team import CURVATURE, GRADIENT, LOSS
from batchprop.simd.load_store import fill, lanes_of
from batchprop.simd.vectors import WIDE
from batchprop.threads.cancellation import WRITTEN, check

LUMP = 1 << 20  # numbers of G that are set to 0 between two looks at whether to go on


@kernel_by_address
def process_gram(problem, theta, chunk, scratch, G, kind):
    """Write the sums over one chunk to G: half the gradient's, the losses', JᵀJ's.

    With LOSS G ends with the losses': nothing else of it is read.
    """
    e, m, s = problem.e, problem.m, problem.s
    x_panel = padded(e, scratch.X) * lanes_of(scratch.X, WIDE)
    n_rows = panel_rows_of(e, m)
    start = m * (e + 1) + s * (m + 2)
    size = G.size if kind == GRADIENT else start
    for low in range(0, size, LUMP):
        fill(G, low, min(low + LUMP, size), 0.0)
        if low + LUMP < size and check(scratch.token, WRITTEN * LUMP):
            return
    if problem.strips:
        fill(scratch.sums, 0, scratch.sums.size, 0.0)
    stop = min(problem.n_samples, (chunk + 1) * problem.chunk)
    for first in range(chunk * problem.chunk, stop, problem.block):
        count = min(problem.block, stop - first)
        if kind == CURVATURE:
            curved_block(problem, theta, first, count, scratch, G)
        else:
            forward_block(problem, theta, first, count, scratch, G)
        if kind == GRADIENT:
            add_products(problem, count, n_rows, x_panel, scratch, G, start)
        if kind != LOSS:
            backward(problem, theta, count, x_panel, scratch, G)
        if check(scratch.token, work_of(problem, count)):
            return
    if kind != LOSS:
        if problem.strips:
            flush_strips(problem, x_panel, scratch, G)
        finish(problem, theta, G)
