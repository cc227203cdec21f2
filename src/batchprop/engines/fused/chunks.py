"""Chunks of samples: what one thread computes at a time, and in which order chunks are summed.

How samples are cut into chunks depends on the problem alone, never on threads, and chunks are
summed in their order: that is why loss and gradient have the same bits for any number of threads.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from batchprop.engines.fused.hidden import activate, delta
from batchprop.engines.fused.jit import helper
from batchprop.engines.fused.memory import load, multiply, store, subtract, total, total_product
from batchprop.engines.fused.packing import Columns, pack, pack_weights
from batchprop.engines.fused.products import add_outer, affine
from batchprop.engines.fused.vectors import WIDE


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
    width: int  # samples in a panel: lanes of a wide vector
    step: int  # lanes of a native vector
    backward: bool  # False: the loss only


class Scratch(NamedTuple):
    """A thread's panels for one block."""

    X: np.ndarray
    T: np.ndarray
    weight: np.ndarray
    H: np.ndarray  # Z, then H, then δ_h
    R: np.ndarray  # Y, then the weighted residuals
    D: np.ndarray  # W_yᵀ R, where there is more than one output


@helper()
def residual(problem, p, R, T, weight, G):
    """Turn Y into w ⊙ (Y − T) for one panel; add Σ w ‖r‖² and db_y = Σ w r to G."""
    width, s = problem.width, problem.s
    to_b = problem.m * problem.e + problem.m + s * problem.m
    w = load(weight, p * width, WIDE)
    for o in range(s):
        at = (p * s + o) * width
        r = subtract(load(R, at, WIDE), load(T, at, WIDE))
        weighted = multiply(w, r)
        G[to_b + s] += total_product(weighted, r)
        G[to_b + o] += total(weighted)
        store(R, at, weighted)


@helper()
def forward(problem, theta, p, X, H, Y):
    """Write H = σ(W_h X + b_h) and Y = W_y H + b_y for one panel."""
    e, m, s, width = problem.e, problem.m, problem.s, problem.width
    b_h, W_y = m * e, m * e + m
    b_y = W_y + s * m
    hidden = p * m * width
    affine(m, e, theta, 0, e, 1, b_h, X, p * e * width, width, H, hidden)
    activate(problem.code, H, hidden, hidden + m * width, width)
    affine(s, m, theta, W_y, m, 1, b_y, H, hidden, width, Y, p * s * width)


@helper()
def backward(problem, theta, n_panels, scratch, G):
    """Add the gradient sums of a block to G; the hidden layer is overwritten by δ_h."""
    e, m, s, width, step = problem.e, problem.m, problem.s, problem.width, problem.step
    b_h, W_y = m * e, m * e + m
    X, R, H, D = scratch.X, scratch.R, scratch.H, scratch.D
    if s == 1:
        # g = W_y[k] r: the factor W_y[k] is left for the end of the chunk, and Σ h r is dW_y
        delta(problem.code, H, m, R, width, 0, n_panels, width, step, G, b_h, W_y)
    else:
        add_outer(R, s, H, m, n_panels, width, step, G, W_y)
        for p in range(n_panels):  # g = W_yᵀ r
            affine(m, s, theta, W_y, 1, m, -1, R, p * s * width, width, D, p * m * width)
        delta(problem.code, H, m, D, m * width, width, n_panels, width, step, G, b_h, -1)
    add_outer(H, m, X, e, n_panels, width, step, G, 0)


@helper()
def chunk_sums(problem, theta, chunk, scratch, G):
    """Write the sums over one chunk of samples to G: half the gradient's and, last, the loss's."""
    e, m, s, width = problem.e, problem.m, problem.s, problem.width
    G[:] = 0
    stop = min(problem.n_samples, (chunk + 1) * problem.chunk)
    for first in range(chunk * problem.chunk, stop, problem.block):
        count = min(problem.block, stop - first)
        n_panels = (count + width - 1) // width
        pack(problem.X, e, first, count, width, scratch.X)
        pack(problem.T, s, first, count, width, scratch.T)
        pack_weights(problem.weight, first, count, width, scratch.weight)
        for p in range(n_panels):
            forward(problem, theta, p, scratch.X, scratch.H, scratch.R)
            residual(problem, p, scratch.R, scratch.T, scratch.weight, G)
        if problem.backward:
            backward(problem, theta, n_panels, scratch, G)
    if s == 1 and problem.backward:
        W_y = m * e + m
        for k in range(m):
            for j in range(k * e, (k + 1) * e):
                G[j] *= theta[W_y + k]
            G[m * e + k] *= theta[W_y + k]
