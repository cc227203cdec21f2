"""Forward and backward over the blocks of one chunk of samples: the sums of loss and gradient.

All sums are plain sums over samples.  Residuals R = w ⊙ (Y − T) stand for δ_y, so that the sums are
half the gradient's, times Σw: ``evaluation`` puts the factors in.  A chunk is what one thread sums
at a time.
"""

from __future__ import annotations

import math

from numba import types

from batchprop.compiler.jit import helper, returning
from batchprop.engines.fused.activation_kernels import IDENTITY, RELU
from batchprop.engines.fused.hidden_layer import activate, delta, delta_of_outputs
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
def work_of(problem, count):
    """Return about how many multiply-adds take as long as samples that go forward and backward."""
    return count * (problem.m * (2 * problem.e + 3 * problem.s + 16) + 8 * problem.e)


@helper
def pack_block(problem, first, count, scratch):
    """Pack a block of samples, unless the last evaluation left it packed."""
    if scratch.packed[0] == first:
        return
    e, s = problem.e, problem.s
    strips, width = scratch.strips, lanes_of(scratch.X, WIDE)
    X = Panels(scratch.X, 0, e, count, width, problem.x_rows * width)
    T = Panels(scratch.T, 0, s, count, width, s * width)
    w = Panels(scratch.weight, 0, 1, count, width, width)
    pack(problem.X, first, X, strips)
    pack(problem.T, first, T, strips)
    pack_weights(problem.weight, first, w, strips)
    if problem.weight.address != 0:
        zero_unweighted(w, X)
        zero_unweighted(w, T)
    scratch.packed[0] = first


@helper
def forward(problem, theta, X, H, Y):
    """Write H = σ(W_h X + b_h) and Y = W_y H + b_y for one panel."""
    e, m, s, relu = problem.e, problem.m, problem.s, problem.activation == RELU
    W_h, W_y = Matrix(theta, 0, m, e, e, 1), Matrix(theta, problem.W_y, s, m, m, 1)
    # Z = W_h X + b_h; for relu H = max(Z, 0)
    affine(W_h, problem.b_h, 0.0 if relu else -math.inf, X, H)
    # H = σ(Z)
    if not relu and problem.activation != IDENTITY:
        activate(problem.activation, H)
    # Y = W_y H + b_y
    affine(W_y, problem.b_y, -math.inf, H, Y)


@helper
def forward_panel(problem, theta, p, count, scratch):
    """Write H and Y for panel p of a block that has ``count`` samples."""
    e, m, s, width = problem.e, problem.m, problem.s, lanes_of(scratch.H, WIDE)
    n, x_panel = min(width, count - p * width), problem.x_rows * width
    X = Panels(scratch.X, p * x_panel, e, n, width, x_panel)
    H = Panels(scratch.H, p * m * width, m, n, width, m * width)
    Y = Panels(scratch.R, p * s * width, s, n, width, s * width)
    forward(problem, theta, X, H, Y)


@helper
def residual(problem, p, scratch, G):
    """Turn Y into R = w ⊙ (Y − T) for one panel; add db_y and each output's loss to G."""
    s, width = problem.s, lanes_of(scratch.R, WIDE)
    db_y, loss = problem.b_y, problem.b_y + s
    w = load(scratch.weight, p * width, WIDE)
    for o in range(s):
        at = (p * s + o) * width
        # R = w ⊙ (Y − T)
        r = subtract(load(scratch.R, at, WIDE), load(scratch.T, at, WIDE))
        weighted = multiply(w, r)
        # L_o += Σ w r²
        G[loss + o] += total_product(weighted, r)
        # db_y += Σ w r
        G[db_y + o] += total(weighted)
        store(scratch.R, at, weighted)


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
    """Add the gradient sums of a block to G; the hidden layer is overwritten by δ_h."""
    e, m, s, width = problem.e, problem.m, problem.s, lanes_of(scratch.H, WIDE)
    X = Panels(scratch.X, 0, e, count, width, problem.x_rows * width)
    H = Panels(scratch.H, 0, m, count, width, m * width)
    R = Panels(scratch.R, 0, s, count, width, s * width)
    if s > 1:
        # dW_y += R Hᵀ
        add_outer(R, H, Matrix(G, problem.W_y, s, m, m, 1))
        # δ_h = σ′(Z) ⊙ (W_yᵀ R),  db_h += Σ δ_h
        delta_of_outputs(problem, theta, scratch, count, G)
    else:
        # δ_h = σ′(Z) ⊙ R, its factor W_y aside,  db_h += Σ δ_h,  dW_y += R Hᵀ
        delta(problem, scratch, count, G)
    # dW_h += δ_h Xᵀ, which ``delta`` has added for a single input
    if problem.strips:
        _add_strips(problem, count, scratch)
    elif s > 1 or e > 1:
        add_outer(H, X, Matrix(G, 0, m, e, e, 1))


@helper
def _add_strips(problem, count, scratch):
    """Add δ_h Xᵀ to the sums in strips, panel by panel."""
    m, rows = problem.m, problem.x_rows
    width, step = lanes_of(scratch.H, WIDE), lanes_of(scratch.H, NATIVE)
    strips = Strips(scratch.strips, rows // step, width, step)
    sums = Matrix(scratch.strip_sums, 0, m, rows, rows, 1)
    for p in range((count + width - 1) // width):
        n = min(width, count - p * width)
        turn_to_strips(Panels(scratch.X, p * rows * width, rows, n, width, 0), strips)
        # dW_h += δ_h Xᵀ
        delta_h = Panels(scratch.H, p * m * width, m, n, width, 0)
        add_outer_strips(delta_h, strips, sums)


@helper
def flush_strips(problem, scratch, G):
    """Move what was summed in strips to G, where sums are float64."""
    e, sums = problem.e, scratch.strip_sums
    for k in range(problem.m):
        for j in range(e):
            G[k * e + j] += sums[k * problem.x_rows + j]
    fill(sums, 0, sums.size, 0.0)


@helper
def finish(problem, theta, G):
    """Multiply the sums of δ_h by the factor W_y that it lacks if there is one output."""
    e, b_h, W_y = problem.e, problem.b_h, problem.W_y
    if problem.s == 1:
        for k in range(problem.m):
            # dW_h[k] = W_y[k] Σ δ_h[k] xᵀ
            for j in range(k * e, (k + 1) * e):
                G[j] *= theta[W_y + k]
            # db_h[k] = W_y[k] Σ δ_h[k]
            G[b_h + k] *= theta[W_y + k]


@helper
def chunk_sums(problem, theta, chunk, scratch, G, with_gradient):
    """Write the sums over one chunk to G: half the gradient's, then each output's loss."""
    fill(G, 0, G.size, 0.0)
    if problem.strips and with_gradient:
        fill(scratch.strip_sums, 0, scratch.strip_sums.size, 0.0)
    stop = min(problem.n_samples, (chunk + 1) * problem.chunk)
    n_in_strips = 0
    for first in range(chunk * problem.chunk, stop, problem.block):
        count = min(problem.block, stop - first)
        forward_block(problem, theta, first, count, scratch, G)
        if with_gradient:
            backward(problem, theta, count, scratch, G)
            n_in_strips += count
            if problem.strips and (n_in_strips >= STRIP_SAMPLES or first + count == stop):
                flush_strips(problem, scratch, G)
                n_in_strips = 0
        if check(scratch.token, work_of(problem, count)):
            return
    if with_gradient:
        finish(problem, theta, G)
