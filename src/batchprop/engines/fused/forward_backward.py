"""Chunks of samples: what one thread computes at a time, and in which order chunks are summed.

How samples are cut into chunks depends on the problem alone, never on threads, and chunks are
summed in their order: that is why loss and gradient have the same bits for any number of threads.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy.typing as npt
from numba import types

from batchprop.compiler.jit import helper, returning
from batchprop.engines.fused.activation_kernels import IDENTITY, RELU
from batchprop.engines.fused.hidden_layer import activate, delta, delta_of_outputs
from batchprop.engines.fused.packing import (
    Columns,
    leave_out,
    pack,
    pack_weights,
    turn_to_strips,
)
from batchprop.linalg.matmul import add_outer, add_outer_strips, affine
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
from batchprop.threads.cancellation import Token, check

Array = npt.NDArray[Any]

STRIP_SAMPLES = 1024  # that are summed up in strips before their sums go on in float64


class Problem(NamedTuple):
    """Sizes, data and how it is cut, as kernels see them."""

    e: int
    m: int
    s: int
    n_samples: int
    code: int  # of the activation
    X: Columns
    T: Columns
    weight: Columns
    chunk: int  # samples in a chunk
    n_chunks: int
    block: int  # samples that go forward and backward together
    strips: bool  # many inputs: dW_h with inputs along vectors


class Scratch(NamedTuple):
    """A thread's memory for one block."""

    X: Array  # panels of inputs, their rows padded to whole strips
    T: Array
    weight: Array
    H: Array  # Z, then H, then δ_h
    R: Array  # Y, then the weighted residuals
    g: Array  # a few rows of W_yᵀ R, where there is more than one output
    strips: Array  # of inputs, one panel
    sums: Array  # dW_h over a chunk, where it is summed in strips
    packed: Array  # the first sample of the block that X, T and weight hold; −1 at the start
    products: Array  # rows to multiply and products of rows, where JᵀJ is summed
    token: Token  # whether to go on


@returning(types.int64)
def work_of(problem, count):
    """Return about how many multiply-adds take as long as samples that go forward and backward."""
    return count * (problem.m * (2 * problem.e + 3 * problem.s + 16) + 8 * problem.e)


@returning(types.int64)
def padded(e, X):
    """Return the rows of a panel of inputs: whole strips."""
    step = lanes_of(X, NATIVE)
    return (e + step - 1) // step * step


@helper
def residual(problem, p, R, T, weight, G):
    """Turn Y into w ⊙ (Y − T) for one panel; add db_y = Σ w r and each output's Σ w r² to G."""
    s, width = problem.s, lanes_of(R, WIDE)
    to_b = problem.m * problem.e + problem.m + s * problem.m
    w = load(weight, p * width, WIDE)
    for o in range(s):
        at = (p * s + o) * width
        r = subtract(load(R, at, WIDE), load(T, at, WIDE))
        weighted = multiply(w, r)
        G[to_b + s + o] += total_product(weighted, r)
        G[to_b + o] += total(weighted)
        store(R, at, weighted)


@helper
def forward(problem, theta, p, valid, x_panel, X, H, Y):
    """Write H = σ(W_h X + b_h) and Y = W_y H + b_y for the ``valid`` samples of one panel."""
    e, m, s = problem.e, problem.m, problem.s
    width, step = lanes_of(H, WIDE), lanes_of(H, NATIVE)
    b_h, W_y = m * e, m * e + m
    b_y = W_y + s * m
    hidden = p * m * width
    least = 0.0 if problem.code == RELU else -math.inf
    affine(m, e, theta, 0, e, 1, b_h, least, X, p * x_panel, width, H, hidden)
    if problem.code != RELU and problem.code != IDENTITY:
        activate(problem.code, H, hidden, m, width, valid, step)
    affine(s, m, theta, W_y, m, 1, b_y, -math.inf, H, hidden, width, Y, p * s * width)


@helper
def backward(problem, theta, count, x_panel, scratch, G):
    """Add the gradient sums of a block to G; the hidden layer is overwritten by δ_h."""
    code, e, m, s = problem.code, problem.e, problem.m, problem.s
    b_h, W_y = m * e, m * e + m
    X, R, H = scratch.X, scratch.R, scratch.H
    width, step = lanes_of(H, WIDE), lanes_of(H, NATIVE)
    if s > 1:
        add_outer(R, s, s * width, H, m, m * width, count, width, step, G, W_y)
        delta_of_outputs(code, H, m, R, s, theta, W_y, scratch.g, count, width, step, G, b_h)
    else:  # what is left out, W_y[k], is put in by ``finish``
        delta(e == 1, code, H, m, R, X, x_panel, count, width, step, G, b_h, W_y)
        if e == 1:
            return
    if not problem.strips:
        add_outer(H, m, m * width, X, e, x_panel, count, width, step, G, 0)
        return
    n_strips = x_panel // (width * step)
    for p in range((count + width - 1) // width):
        turn_to_strips(X, p * x_panel, n_strips, width, step, scratch.strips, 0)
        samples = min(width, count - p * width)
        add_outer_strips(
            H, m, p * m * width, scratch.strips, n_strips, samples, width, step, scratch.sums
        )


@helper
def flush_strips(problem, x_panel, scratch, G):
    """Move what was summed in strips to G, where sums are float64."""
    stride = x_panel // lanes_of(scratch.sums, WIDE)
    for k in range(problem.m):
        for j in range(problem.e):
            G[k * problem.e + j] += scratch.sums[k * stride + j]
    fill(scratch.sums, 0, scratch.sums.size, 0.0)


@helper
def finish(problem, theta, G):
    """Complete the sums of a chunk."""
    e, m = problem.e, problem.m
    W_y = m * e + m
    if problem.s == 1:  # the factor W_y[k] of δ_h
        for k in range(m):
            for j in range(k * e, (k + 1) * e):
                G[j] *= theta[W_y + k]
            G[m * e + k] *= theta[W_y + k]


@returning(types.int64)
def pack_block(problem, first, count, scratch):
    """Pack a block of samples; return the length of a panel of inputs."""
    e, s, strips = problem.e, problem.s, scratch.strips
    width, step = lanes_of(strips, WIDE), lanes_of(strips, NATIVE)
    rows = padded(e, strips)
    if scratch.packed[0] != first:  # still there from the last step, if that was all
        pack(problem.X, e, rows, first, count, width, step, strips, scratch.X)
        pack(problem.T, s, s, first, count, width, step, strips, scratch.T)
        pack_weights(problem.weight, first, count, width, step, strips, scratch.weight)
        if problem.weight.address != 0:
            leave_out(e, rows, count, width, scratch.weight, scratch.X)
            leave_out(s, s, count, width, scratch.weight, scratch.T)
        scratch.packed[0] = first
    return rows * width


@helper
def forward_block(problem, theta, first, count, scratch, G):
    """Take a block forward to its weighted residuals; add its loss and db_y to G."""
    width = lanes_of(scratch.H, WIDE)
    x_panel = pack_block(problem, first, count, scratch)
    for p in range((count + width - 1) // width):
        valid = min(width, count - p * width)
        forward(problem, theta, p, valid, x_panel, scratch.X, scratch.H, scratch.R)
        residual(problem, p, scratch.R, scratch.T, scratch.weight, G)


@helper
def chunk_sums(problem, theta, chunk, scratch, G, with_gradient):
    """Write the sums over one chunk to G: half the gradient's, then each output's loss."""
    x_panel = padded(problem.e, scratch.X) * lanes_of(scratch.X, WIDE)
    fill(G, 0, G.size, 0.0)
    if problem.strips and with_gradient:
        fill(scratch.sums, 0, scratch.sums.size, 0.0)
    stop = min(problem.n_samples, (chunk + 1) * problem.chunk)
    summed = 0
    for first in range(chunk * problem.chunk, stop, problem.block):
        count = min(problem.block, stop - first)
        forward_block(problem, theta, first, count, scratch, G)
        if with_gradient:
            backward(problem, theta, count, x_panel, scratch, G)
            summed += count
            if problem.strips and (summed >= STRIP_SAMPLES or first + count == stop):
                flush_strips(problem, x_panel, scratch, G)
                summed = 0
        if check(scratch.token, work_of(problem, count)):
            return
    if with_gradient:
        finish(problem, theta, G)
