"""The hidden layer: H = σ(Z) forward, δ_h = σ′(Z) ⊙ (W_yᵀ δ_y) backward.

σ′ is computed from H, and δ_h overwrites H.  Weighted residuals wR = w ⊙ (Y − T) take the place of
δ_y: the missing factor 2/Σw is applied to the sums over all samples.
"""

from __future__ import annotations

import math

from batchprop.compiler.jit import always_inlined, helper, never_inlined
from batchprop.engines.fused.activation_kernels import sigma, sigma_prime
from batchprop.linalg.matmul import NO_BIAS, affine_rows
from batchprop.linalg.views import Matrix, Panels
from batchprop.simd.load_store import lanes_of, load, store
from batchprop.simd.register_tiles import (
    FOUR,
    ONE,
    add_sums,
    add_tiles,
    fma_outer,
    fma_tiles,
    join,
    load_rows,
    multiply_tiles,
    repeat,
    split,
    store_rows,
    zero_tile,
)
from batchprop.simd.vectors import NATIVE, WIDE

GENERAL, ONE_OUTPUT, SINGLE_INPUT = range(3)  # variants of the backward pass


@helper
def activate(code, Z):
    """Write H = σ(Z) over the rows of one panel, as far as there are samples."""
    array, width, lanes = Z.array, Z.width, lanes_of(Z.array, NATIVE)
    stop = Z.start + Z.n_rows * width
    if Z.n_samples > width - lanes:
        for i in range(Z.start, stop, width):
            store(array, i, sigma(code, load(array, i, WIDE)))
    else:
        for i in range(Z.start, stop, width):
            for v in range(0, Z.n_samples, lanes):
                store(array, i + v, sigma(code, load(array, i + v, NATIVE)))


@always_inlined
def _delta_rows(variant, rows, k, problem, scratch, count, G):
    """Overwrite rows k, k + 1, … of H by δ_h; add their sums to G.

    In the GENERAL variant ``scratch.dH`` holds these rows of W_yᵀ wR.
    """
    H, X, wR, dH = scratch.H, scratch.X, scratch.weighted_residuals, scratch.dH
    width, lanes = lanes_of(H, WIDE), lanes_of(H, NATIVE)
    db_h = zero_tile(H, rows, ONE, NATIVE)
    dW_y = zero_tile(H, rows, ONE, NATIVE)
    dW_h = zero_tile(H, rows, ONE, NATIVE)
    for first in range(0, count, width):
        p = first // width
        at = (p * problem.m + k) * width
        for v in range(0, min(width, count - first), lanes):
            h = load_rows(H, at + v, width, rows, NATIVE)
            if variant == GENERAL:
                dh = load_rows(dH, first * len(rows) + v, width, rows, NATIVE)
            else:
                dh = repeat(load(wR, first + v, NATIVE), rows)
            # δ_h = σ′(Z) ⊙ dH
            delta_h = multiply_tiles(split(sigma_prime(problem.activation, join(h)), h), dh)
            # db_h += Σ δ_h
            db_h = add_tiles(db_h, delta_h)
            if variant != GENERAL:
                # dW_y += Σ h wr
                dW_y = fma_tiles(h, dh, dW_y)
            if variant == SINGLE_INPUT:
                # dW_h += Σ δ_h x
                x = load_rows(X, p * problem.x_rows * width + v, 0, ONE, NATIVE)
                dW_h = fma_outer(dW_h, delta_h, x)
            else:
                store_rows(H, at + v, width, delta_h)
    add_sums(G, problem.b_h_start + k, 1, db_h, ONE)
    if variant != GENERAL:
        add_sums(G, problem.W_y_start + k, 1, dW_y, ONE)
    if variant == SINGLE_INPUT:
        add_sums(G, k, 1, dW_h, ONE)


@always_inlined
def _delta_one_output(variant, problem, scratch, count, G):
    fours = problem.m - problem.m % 4
    for k in range(0, fours, 4):
        _delta_rows(variant, FOUR, k, problem, scratch, count, G)
    for k in range(fours, problem.m):
        _delta_rows(variant, ONE, k, problem, scratch, count, G)


@never_inlined
def delta_one_output(problem, scratch, count, G):
    """For one output: overwrite H by δ_h = σ′(Z) ⊙ wR; add db_h = Σ δ_h and dW_y = Σ h wr to G.

    The factor W_y[k] of row k of δ_h is left out: ``forward_backward.multiply_by_W_y`` applies it
    to the sums.  For a single input dW_h = Σ δ_h x is added to G as well, and δ_h is never written.
    """
    if problem.e == 1:
        _delta_one_output(SINGLE_INPUT, problem, scratch, count, G)
    else:
        _delta_one_output(ONE_OUTPUT, problem, scratch, count, G)


@always_inlined
def _delta_rows_several_outputs(rows, k, problem, theta, scratch, count, G):
    """Overwrite rows k, k + 1, … of H by δ_h; their rows of W_yᵀ wR stay in cache."""
    n, m, s, width = len(rows), problem.m, problem.s, lanes_of(scratch.H, WIDE)
    W_yT = Matrix(theta, problem.W_y_start + k, n, s, 1, m)
    for p in range((count + width - 1) // width):
        # dH = W_yᵀ wR
        wR = Panels(scratch.weighted_residuals, p * s * width, s, width, width, 0)
        dH = Panels(scratch.dH, p * n * width, n, width, width, 0)
        affine_rows(rows, 0, W_yT, NO_BIAS, -math.inf, wR, dH)
    _delta_rows(GENERAL, rows, k, problem, scratch, count, G)


@never_inlined
def delta_several_outputs(problem, theta, scratch, count, G):
    """For several outputs: overwrite H by δ_h = σ′(Z) ⊙ (W_yᵀ wR); add db_h = Σ δ_h to G."""
    fours = problem.m - problem.m % 4
    for k in range(0, fours, 4):
        _delta_rows_several_outputs(FOUR, k, problem, theta, scratch, count, G)
    for k in range(fours, problem.m):
        _delta_rows_several_outputs(ONE, k, problem, theta, scratch, count, G)
