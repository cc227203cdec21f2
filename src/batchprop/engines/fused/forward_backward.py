"""Forward and backward over the blocks of one chunk of samples: the sums of loss and gradient.

Those of Jᵀy″ are computed in the same way, and those for JᵀJ between the two passes.

All sums are plain sums over samples.  Weighted residuals wR = w ⊙ (Y − T) take the place of δ_y, so
that the sums are the gradient's times Σw/2: ``evaluation`` applies the factors.  A chunk is what
one thread sums at a time.  Solvers' loops are kernels that call ``chunk_sums`` by its address, and
it calls those of the two passes: each is compiled once.
"""

from __future__ import annotations

from numba import types

from batchprop.compiler.jit import call_address, helper, kernel_by_address, returning
from batchprop.engines.fused.chunk_bounds import bound_of_chunk, n_chunks_in
from batchprop.engines.fused.residuals import add_outer_outputs, residuals, second_differences
from batchprop.engines.fused.task import CURVATURE, GRADIENT, LOSS, products_start
from batchprop.simd.load_store import fill, lanes_of
from batchprop.simd.vectors import WIDE
from batchprop.threads.cancellation import check

STRIP_SAMPLES = 1024  # summed in strips before their sums are added to those in float64


@returning(types.int64)
def multiply_adds(problem, count):
    """Return the cost, in multiply-adds, of taking ``count`` samples forward and backward."""
    return count * (problem.m * (2 * problem.e + 3 * problem.s + 16) + 8 * problem.e)


@helper
def forward_block(problem, theta, first, count, start, stop, scratch, G, work):
    """Take a block forward to its weighted residuals; add its loss and db_y to G.

    The chunk reaches from ``start`` to ``stop``.  If ``work`` is CURVATURE, ``theta`` holds θ,
    θ + p and θ − p, and second differences take the place of residuals.
    """
    width, n_parameters = lanes_of(scratch.H, WIDE), problem.b_y_start + problem.s
    n_panels, n_points = (count + width - 1) // width, 3 if work == CURVATURE else 1
    next_stop = min(first + count + problem.block_samples, stop)
    panel = first // width if problem.keeps_samples else 0
    memory = (
        *(scratch.X, scratch.T, scratch.weight, scratch.strip_buffer),
        *(scratch.packed_W_h, scratch.H, scratch.weighted_residuals),
    )
    for k in range(n_points):
        begin = (n_points - 1 - k) * n_parameters  # θ last: the backward pass needs its H
        n_next = next_stop - first - count if k == 0 and not problem.keeps_samples else 0
        # an evaluation before may have left the block packed
        packs_samples = scratch.packed[panel] != first
        packs_W_h = problem.packs_W_h and first == start and k == 0
        call_address(
            problem.forward_kernel,
            (problem, theta, begin, first, count, n_next, panel, packs_samples, packs_W_h, memory),
        )
        if packs_samples:  # threads share kept samples: no needless write
            scratch.packed[panel] = first
        if k < n_points - 1:
            add_outer_outputs(problem, n_panels, scratch, k == 0)
    scratch.panel[0] = panel
    if work == CURVATURE:
        second_differences(problem, n_panels, scratch, G)
    else:
        residuals(problem, n_panels, scratch, G)


@helper
def add_strip_sums(problem, scratch, G, is_first):
    """Add the sums in strips to G, where sums are float64; the first time write them."""
    e, sums = problem.e, scratch.strip_sums
    for k in range(problem.m):
        at = k * problem.x_rows
        if is_first:
            for j in range(e):
                G[k * e + j] = sums[at + j]
        else:
            for j in range(e):
                G[k * e + j] += sums[at + j]


@helper
def multiply_by_W_y(problem, theta, G):
    """If there is one output, multiply the sums of δ_h by its missing factor W_y."""
    e, b_h_start, W_y_start = problem.e, problem.b_h_start, problem.W_y_start
    if problem.s == 1:
        for k in range(problem.m):
            # dW_h[k] = W_y[k] Σ δ_h[k] xᵀ
            for j in range(k * e, (k + 1) * e):
                G[j] *= theta[W_y_start + k]
            # db_h[k] = W_y[k] Σ δ_h[k]
            G[b_h_start + k] *= theta[W_y_start + k]


@kernel_by_address
def chunk_sums(problem, theta, chunk, scratch, G, work):
    """Write the sums over one chunk to G: half the gradient's, then each output's loss.

    ``work`` is GRADIENT, LOSS or CURVATURE: the sums of Jᵀy″ take the place of the gradient's, and
    the losses mean nothing.  With GRADIENT the sums for JᵀJ follow if ``problem.row_products`` is
    the address of a kernel that makes them.  Chunks are numbered through all segments,
    ``problem.n_chunks`` numbers for each of them.  Sums in strips may be float32: they are added
    to G every STRIP_SAMPLES samples, so that rounding errors do not build up.  A short rest at the
    end of the chunk is summed with the samples before it.
    """
    in_strips = problem.sums_in_strips and work != LOSS
    fill(G, problem.b_h_start if in_strips else 0, products_start(problem), 0.0)
    segment, k = 0, chunk
    if problem.n_segments > 1:
        segment, k = chunk // problem.n_chunks, chunk % problem.n_chunks
    n_chunks = n_chunks_in(problem, segment)
    start = bound_of_chunk(problem, segment, k, n_chunks)
    stop = bound_of_chunk(problem, segment, k + 1, n_chunks)
    n_in_strips, is_first = 0, True
    for first in range(start, stop, problem.block_samples):
        count = min(problem.block_samples, stop - first)
        forward_block(problem, theta, first, count, start, stop, scratch, G, work)
        if work == GRADIENT and problem.row_products != 0:
            call_address(problem.row_products, (problem, count, scratch, G, first == start))
        if work != LOSS:
            if in_strips and n_in_strips == 0:
                fill(scratch.strip_sums, 0, scratch.strip_sums.size, 0.0)
            call_address(problem.backward_kernel, (problem, theta, count, scratch, G))
            if in_strips:
                call_address(problem.strips_kernel, (problem, count, scratch))
            n_in_strips += count
            n_left = stop - first - count
            is_full = n_in_strips >= STRIP_SAMPLES and n_left >= STRIP_SAMPLES // 2
            if in_strips and (is_full or n_left == 0):
                add_strip_sums(problem, scratch, G, is_first)
                n_in_strips, is_first = 0, False
        if check(scratch.token, multiply_adds(problem, count)):
            return
    if work != LOSS:
        multiply_by_W_y(problem, theta, G)
