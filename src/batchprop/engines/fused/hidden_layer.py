"""The hidden layer: Z → H = σ(Z) forward, H → δ_h = σ′(Z) ⊙ g backward."""

from __future__ import annotations

import math

from batchprop.compiler.jit import always_inlined, helper, never_inlined
from batchprop.engines.fused.activation_kernels import sigma, slope
from batchprop.linalg.matmul import affine_rows
from batchprop.simd.load_store import load, store
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

GENERAL, ONE_OUTPUT, SINGLE_INPUT = range(3)  # what the backward pass can leave out


@helper
def activate(code, Z, start, rows, width, valid, step):
    """Write H = σ(Z) over the rows of one panel, as far as there are samples."""
    if valid > width - step:
        for i in range(start, start + rows * width, width):
            store(Z, i, sigma(code, load(Z, i, WIDE)))
    else:
        for i in range(start, start + rows * width, width):
            for v in range(0, valid, step):
                store(Z, i + v, sigma(code, load(Z, i + v, NATIVE)))


@always_inlined
def _delta_rows(form, code, rows, H, m, k, g, X, x_panel, count, width, step, G, to_b, to_y):
    """The rows k … of δ_h = σ′ ⊙ g, written over H, and what they sum to.

    In the GENERAL form a panel of g has just these rows.
    """
    sum_b = zero_tile(H, rows, ONE, NATIVE)
    sum_y = zero_tile(H, rows, ONE, NATIVE)
    sum_x = zero_tile(H, rows, ONE, NATIVE)
    for first in range(0, count, width):
        p = first // width
        at = (p * m + k) * width
        for v in range(0, min(width, count - first), step):
            h = load_rows(H, at + v, width, rows, NATIVE)
            if form == GENERAL:
                from_outputs = load_rows(g, first * len(rows) + v, width, rows, NATIVE)
            else:
                from_outputs = repeat(load(g, first + v, NATIVE), rows)
            delta_h = multiply_tiles(split(slope(code, join(h)), h), from_outputs)
            sum_b = add_tiles(sum_b, delta_h)
            if form != GENERAL:
                sum_y = fma_tiles(h, from_outputs, sum_y)
            if form == SINGLE_INPUT:
                x = load_rows(X, p * x_panel + v, 0, ONE, NATIVE)
                sum_x = fma_outer(sum_x, delta_h, x)
            else:
                store_rows(H, at + v, width, delta_h)
    add_sums(G, to_b + k, 1, sum_b, ONE)
    if form != GENERAL:
        add_sums(G, to_y + k, 1, sum_y, ONE)
    if form == SINGLE_INPUT:
        add_sums(G, k, 1, sum_x, ONE)


@always_inlined
def _delta(form, code, H, m, r, X, x_panel, count, width, step, G, to_b, to_y):
    whole = m - m % 4
    for k in range(0, whole, 4):
        _delta_rows(form, code, FOUR, H, m, k, r, X, x_panel, count, width, step, G, to_b, to_y)
    for k in range(whole, m):
        _delta_rows(form, code, ONE, H, m, k, r, X, x_panel, count, width, step, G, to_b, to_y)


@never_inlined
def delta(single_input, code, H, m, r, X, x_panel, count, width, step, G, to_b, to_y):
    """For one output: turn H into δ_h = σ′ ⊙ r, the factor W_y[k] left out of row k.

    Adds Σ δ_h to ``to_b`` of G and Σ h ⊙ r = dW_y to ``to_y``.  Of a single input dW_h = Σ δ_h x is
    added up on the way, to the beginning of G, and δ_h is never written.
    """
    if single_input:
        _delta(SINGLE_INPUT, code, H, m, r, X, x_panel, count, width, step, G, to_b, to_y)
    else:
        _delta(ONE_OUTPUT, code, H, m, r, X, x_panel, count, width, step, G, to_b, to_y)


@always_inlined
def _delta_of(rows, code, H, m, k, R, s, theta, W_y, g, count, width, step, G, to_b):
    """The rows k … for any number of outputs: g is made for a few rows, and never leaves cache."""
    n = len(rows)
    for p in range((count + width - 1) // width):
        affine_rows(
            rows, s, theta, W_y + k, 1, m, -1, -math.inf, R, p * s * width, width, g, p * n * width
        )
    _delta_rows(GENERAL, code, rows, H, m, k, g, g, 0, count, width, step, G, to_b, 0)


@never_inlined
def delta_of_outputs(code, H, m, R, s, theta, W_y, g, count, width, step, G, to_b):
    """Turn H into δ_h = σ′ ⊙ (W_yᵀ R) and add db_h = Σ δ_h to ``to_b`` of G.

    W_y (s, m) stands at ``W_y`` of θ; ``g`` is memory for four rows of all panels.
    """
    whole = m - m % 4
    for k in range(0, whole, 4):
        _delta_of(FOUR, code, H, m, k, R, s, theta, W_y, g, count, width, step, G, to_b)
    for k in range(whole, m):
        _delta_of(ONE, code, H, m, k, R, s, theta, W_y, g, count, width, step, G, to_b)
