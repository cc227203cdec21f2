"""The large kernel of Gauss–Newton: the sums of loss, gradient and JᵀJ over a chunk of samples."""

from __future__ import annotations

from batchprop.compiler.jit import kernel_by_address
from batchprop.engines.fused.forward_backward import (
    backward,
    finish,
    flush_strips,
    forward_block,
    work_of,
)
from batchprop.engines.fused.gauss_newton.curvature import forward_curvature
from batchprop.engines.fused.gauss_newton.row_product_layout import products_start
from batchprop.engines.fused.gauss_newton.row_products import add_row_products
from batchprop.engines.fused.task import CURVATURE, GRADIENT, LOSS
from batchprop.simd.load_store import fill
from batchprop.threads.cancellation import WRITTEN, check

SUMS_PER_CHECK = 1 << 20  # numbers of G that are set to 0 between two checks for cancellation


@kernel_by_address
def gauss_newton_chunk_kernel(problem, theta, chunk, scratch, G, work):
    """Write the sums over one chunk to G: half the gradient's, the losses', JᵀJ's.

    With LOSS G ends with the losses': nothing else of it is read.
    """
    size = G.size if work == GRADIENT else products_start(problem)
    for low in range(0, size, SUMS_PER_CHECK):
        fill(G, low, min(low + SUMS_PER_CHECK, size), 0.0)
        if low + SUMS_PER_CHECK < size and check(scratch.token, WRITTEN * SUMS_PER_CHECK):
            return
    if problem.strips:
        fill(scratch.strip_sums, 0, scratch.strip_sums.size, 0.0)
    stop = min(problem.n_samples, (chunk + 1) * problem.chunk)
    for first in range(chunk * problem.chunk, stop, problem.block):
        count = min(problem.block, stop - first)
        if work == CURVATURE:
            forward_curvature(problem, theta, first, count, scratch, G)
        else:
            forward_block(problem, theta, first, count, scratch, G)
        if work == GRADIENT:
            add_row_products(problem, count, scratch, G)
        if work != LOSS:
            backward(problem, theta, count, scratch, G)
        if check(scratch.token, work_of(problem, count)):
            return
    if work != LOSS:
        if problem.strips:
            flush_strips(problem, scratch, G)
        finish(problem, theta, G)
