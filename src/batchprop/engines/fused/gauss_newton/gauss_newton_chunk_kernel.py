"""The large kernel of Gauss–Newton: the sums of loss, gradient and JᵀJ over a chunk of samples."""

from __future__ import annotations

from batchprop.compiler.jit import kernel_by_address
from batchprop.engines.fused.chunk_bounds import bound_of_chunk, n_chunks_in
from batchprop.engines.fused.forward_backward import (
    add_strip_sums,
    backward,
    forward_block,
    multiply_adds,
    multiply_by_W_y,
)
from batchprop.engines.fused.gauss_newton.curvature import forward_curvature
from batchprop.engines.fused.gauss_newton.row_product_layout import products_start
from batchprop.engines.fused.gauss_newton.row_products import add_row_products
from batchprop.engines.fused.task import CURVATURE, GRADIENT, LOSS
from batchprop.simd.load_store import fill
from batchprop.threads.cancellation import WRITTEN, check

ZEROED_PER_CHECK = 1 << 20  # sums that are set to 0 between two checks for cancellation


@kernel_by_address
def gauss_newton_chunk_kernel(problem, theta, chunk, scratch, G, work):
    """Write the sums over one chunk to G: half the gradient's, the losses', JᵀJ's.

    With LOSS and CURVATURE the sums of JᵀJ are not written.  ``forward_backward.chunk_sums`` has a
    loop of the same form.  Here sums in strips are float64, so that they are added to G only once.
    """
    size = G.size if work == GRADIENT else products_start(problem)
    for low in range(0, size, ZEROED_PER_CHECK):
        fill(G, low, min(low + ZEROED_PER_CHECK, size), 0.0)
        if low + ZEROED_PER_CHECK < size and check(scratch.token, WRITTEN * ZEROED_PER_CHECK):
            return
    if problem.sums_in_strips and work != LOSS:
        fill(scratch.strip_sums, 0, scratch.strip_sums.size, 0.0)
    segment, k = 0, chunk
    if problem.n_segments > 1:
        segment, k = chunk // problem.n_chunks, chunk % problem.n_chunks
    n_chunks = n_chunks_in(problem, segment)
    start = bound_of_chunk(problem, segment, k, n_chunks)
    stop = bound_of_chunk(problem, segment, k + 1, n_chunks)
    for first in range(start, stop, problem.block_samples):
        count = min(problem.block_samples, stop - first)
        if work == CURVATURE:
            forward_curvature(problem, theta, first, count, scratch, G)
        else:
            forward_block(problem, theta, first, count, stop, scratch, G)
        if work == GRADIENT:
            add_row_products(problem, count, scratch, G)
        if work != LOSS:
            backward(problem, theta, count, scratch, G)
        if check(scratch.token, multiply_adds(problem, count)):
            return
    if work != LOSS:
        if problem.sums_in_strips:
            add_strip_sums(problem, scratch, G, False)
        multiply_by_W_y(problem, theta, G)
