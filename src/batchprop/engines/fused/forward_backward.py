"""Forward and backward over the blocks of one chunk of samples: the sums of loss and gradient.

All sums are plain sums over samples.  Weighted residuals wR = w ⊙ (Y − T) take the place of δ_y, so
that the sums are the gradient's times Σw/2: ``evaluation`` applies the factors.  A chunk is what
one thread sums at a time.  The index p counts the panels of a block.
"""

from __future__ import annotations

import math

from numba import types

from batchprop.compiler.jit import helper, returning
from batchprop.engines.fused.activation_kernels import IDENTITY, RELU
from batchprop.engines.fused.hidden_layer import activate, delta_one_output, delta_several_outputs
from batchprop.engines.fused.packing import pack, pack_weights, turn_to_strips, zero_unweighted
from batchprop.linalg.matmul import add_outer, add_outer_strips, affine
from batchprop.linalg.views import Matrix, Panels, Strips
from batchprop.simd.load_store import (
    fill,
    lanes_of,
    load,
    multiply,
    store,
    subtract,
    total,
    total_product,
)
from batchprop.simd.vectors import NATIVE, WIDE
from batchprop.threads.cancellation import check

STRIP_SAMPLES = 1024  # summed in strips before their sums are added to those in float64


@returning(types.int64)
def multiply_adds(problem, count):
    """Return the cost, in multiply-adds, of taking ``count`` samples forward and backward."""
    return count * (problem.m * (2 * problem.e + 3 * problem.s + 16) + 8 * problem.e)


@helper
def pack_block(problem, first, count, scratch):
    """Pack a block of samples, unless the last evaluation left it packed."""
    if scratch.packed[0] == first:
        return
    e, s = problem.e, problem.s
    strip_buffer, width = scratch.strip_buffer, lanes_of(scratch.X, WIDE)
    X = Panels(scratch.X, 0, e, count, width, problem.x_rows * width)
    T = Panels(scratch.T, 0, s, count, width, s * width)
    w = Panels(scratch.weight, 0, 1, count, width, width)
    pack(problem.X, first, X, strip_buffer)
    pack(problem.T, first, T, strip_buffer)
    pack_weights(problem.weight, first, w, strip_buffer)
    if problem.weight.address != 0:
        zero_unweighted(w, X)
        zero_unweighted(w, T)
    scratch.packed[0] = first


@helper
def forward(problem, theta, X, H, Y):
    """Write H = σ(W_h X + b_h) and Y = W_y H + b_y for one panel."""
    e, m, s, relu = problem.e, problem.m, problem.s, problem.activation == RELU
    W_h, W_y = Matrix(theta, 0, m, e, e, 1), Matrix(theta, problem.W_y_start, s, m, m, 1)
    # Z = W_h X + b_h; for relu H = max(Z, 0)
    affine(W_h, problem.b_h_start, 0.0 if relu else -math.inf, X, H)
    # H = σ(Z)
    if not relu and problem.activation != IDENTITY:
        activate(problem.activation, H)
    # Y = W_y H + b_y
    affine(W_y, problem.b_y_start, -math.inf, H, Y)


@helper
def forward_panel(problem, theta, p, count, scratch):
    """Write H and Y for panel p of a block that has ``count`` samples."""
    e, m, s, width = problem.e, problem.m, problem.s, lanes_of(scratch.H, WIDE)
    n, x_panel = min(width, count - p * width), problem.x_rows * width
    X = Panels(scratch.X, p * x_panel, e, n, width, x_panel)
    H = Panels(scratch.H, p * m * width, m, n, width, m * width)
    Y = Panels(scratch.weighted_residuals, p * s * width, s, n, width, s * width)
    forward(problem, theta, X, H, Y)


@helper
def residual(problem, p, scratch, G):
    """Overwrite Y by wR = w ⊙ (Y − T) for one panel; add db_y and each output's loss to G."""
    s, width = problem.s, lanes_of(scratch.weighted_residuals, WIDE)
    db_y_start, loss_start = problem.b_y_start, problem.b_y_start + s
    w = load(scratch.weight, p * width, WIDE)
    for o in range(s):
        at = (p * s + o) * width
        # r = y − t,  wr = w r
        r = subtract(load(scratch.weighted_residuals, at, WIDE), load(scratch.T, at, WIDE))
        wr = multiply(w, r)
        # the loss of output o += Σ w r²
        G[loss_start + o] += total_product(wr, r)
        # db_y += Σ w r
        G[db_y_start + o] += total(wr)
        store(scratch.weighted_residuals, at, wr)


@helper
def forward_block(problem, theta, first, count, scratch, G):
    """Take a block forward to its weighted residuals; add its loss and db_y to G."""
    width = lanes_of(scratch.H, WIDE)
    pack_block(problem, first, count, scratch)
    for p in range((count + width - 1) // width):
        forward_panel(problem, theta, p, count, scratch)
        residual(problem, p, scratch, G)


@helper
def backward(problem, theta, count, scratch, G):
    """Add the gradient sums of a block to G; δ_h overwrites the hidden layer."""
    e, m, s, width = problem.e, problem.m, problem.s, lanes_of(scratch.H, WIDE)
    X = Panels(scratch.X, 0, e, count, width, problem.x_rows * width)
    H = Panels(scratch.H, 0, m, count, width, m * width)
    wR = Panels(scratch.weighted_residuals, 0, s, count, width, s * width)
    if s > 1:
        # dW_y += wR Hᵀ
        add_outer(wR, H, Matrix(G, problem.W_y_start, s, m, m, 1))
        # δ_h = σ′(Z) ⊙ (W_yᵀ wR),  db_h += Σ δ_h
        delta_several_outputs(problem, theta, scratch, count, G)
    else:
        # δ_h = σ′(Z) ⊙ wR, without its factor W_y,  db_h += Σ δ_h,  dW_y += wR Hᵀ
        delta_one_output(problem, scratch, count, G)
    # dW_h += δ_h Xᵀ; for a single input ``delta_one_output`` has added it
    if problem.sums_in_strips:
        _add_strips(problem, count, scratch)
    elif s > 1 or e > 1:
        add_outer(H, X, Matrix(G, 0, m, e, e, 1))


@helper
def _add_strips(problem, count, scratch):
    """Add δ_h Xᵀ to the sums in strips, panel by panel."""
    m, rows = problem.m, problem.x_rows
    width, lanes = lanes_of(scratch.H, WIDE), lanes_of(scratch.H, NATIVE)
    strips = Strips(scratch.strip_buffer, rows // lanes, width, lanes)
    sums = Matrix(scratch.strip_sums, 0, m, rows, rows, 1)
    for p in range((count + width - 1) // width):
        n = min(width, count - p * width)
        turn_to_strips(Panels(scratch.X, p * rows * width, rows, n, width, 0), strips)
        # dW_h += δ_h Xᵀ
        delta_h = Panels(scratch.H, p * m * width, m, n, width, 0)
        add_outer_strips(delta_h, strips, sums)


@helper
def add_strip_sums(problem, scratch, G):
    """Add the sums in strips to G, where sums are float64, and set them to 0."""
    e, sums = problem.e, scratch.strip_sums
    for k in range(problem.m):
        for j in range(e):
            G[k * e + j] += sums[k * problem.x_rows + j]
    fill(sums, 0, sums.size, 0.0)


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


@helper
def chunk_sums(problem, theta, chunk, scratch, G, with_gradient):
    """Write the sums over one chunk to G: half the gradient's, then each output's loss.

    ``gauss_newton_chunk_kernel`` has a loop of the same form.  Here sums in strips may be float32:
    they are added to G every STRIP_SAMPLES samples, so that rounding errors do not build up.
    """
    fill(G, 0, G.size, 0.0)
    if problem.sums_in_strips and with_gradient:
        fill(scratch.strip_sums, 0, scratch.strip_sums.size, 0.0)
    stop = min(problem.n_samples, (chunk + 1) * problem.chunk_samples)
    n_in_strips = 0
    for first in range(chunk * problem.chunk_samples, stop, problem.block_samples):
        count = min(problem.block_samples, stop - first)
        forward_block(problem, theta, first, count, scratch, G)
        if with_gradient:
            backward(problem, theta, count, scratch, G)
            n_in_strips += count
            if problem.sums_in_strips and (n_in_strips >= STRIP_SAMPLES or first + count == stop):
                add_strip_sums(problem, scratch, G)
                n_in_strips = 0
        if check(scratch.token, multiply_adds(problem, count)):
            return
    if with_gradient:
        multiply_by_W_y(problem, theta, G)
