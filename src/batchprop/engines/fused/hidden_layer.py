"""The hidden layer: H = σ(Z) forward, δ_h = σ′(Z) ⊙ (W_yᵀ δ_y) backward.

σ′ is computed from H, and δ_h overwrites H.  Weighted residuals wR = w ⊙ (Y − T) take the place of
δ_y: the missing factor 2/Σw is applied to the sums over all samples.
"""

from __future__ import annotations

import math

from batchprop.compiler.jit import always_inlined, helper, never_inlined, updating
from batchprop.engines.fused.activation_kernels import LOGISTIC, RELU, TANH, delta, sigma
from batchprop.linalg.matmul import NO_BIAS, affine
from batchprop.linalg.views import Bands, Panels
from batchprop.simd.load_store import lanes_of, load, store
from batchprop.simd.register_tiles import (
    ONE,
    TILE_ROWS,
    TWO,
    add_sums,
    add_tiles,
    fma_outer,
    fma_rows,
    fma_tiles,
    join,
    load_rows,
    repeat,
    splat_rows,
    split,
    store_rows,
    zero_tile,
)
from batchprop.simd.vectors import NATIVE, WIDE

LONG = 4  # registers that σ takes at a time: one row of a panel or two
LONG_ROWS = tuple(range(LONG // WIDE))
N_LONG = len(LONG_ROWS)
GENERAL, ONE_OUTPUT, SINGLE_INPUT = range(3)  # variants of the backward pass


@helper
def activate(code, from_x, theta, W_h, b_h, X, Z):
    """Write H = σ(Z), as far as there are samples.

    With ``from_x``, for a single input and N_LONG units or more, Z = W_h x + b_h stays in
    registers; W_h and b_h are indices in ``theta``.
    """
    array, width, lanes = Z.array, Z.width, lanes_of(Z.array, NATIVE)
    long = LONG * lanes
    for first in range(0, Z.n_samples, width):
        p = first // width
        start = Z.start + p * Z.panel_stride
        i, stop = start, start + Z.n_rows * width
        if from_x or Z.n_samples - first > width - lanes:
            while stop - i >= long or (from_x and i < stop):
                if from_x:
                    i = min(i, stop - long)  # the last rows may be computed twice
                    k, x = (i - start) // width, load(X.array, X.start + p * X.panel_stride, WIDE)
                    rows = splat_rows(theta, b_h + k, 1, LONG_ROWS, WIDE)
                    z = join(fma_rows(rows, theta, W_h + k, 1, x))
                else:
                    z = load(array, i, LONG)
                store(array, i, sigma(code, z))
                i += long
            while i < stop:
                store(array, i, sigma(code, load(array, i, NATIVE)))
                i += lanes
        else:
            for i in range(start, stop, width):
                for v in range(0, Z.n_samples - first, lanes):
                    store(array, i + v, sigma(code, load(array, i + v, NATIVE)))


@updating
def _delta_step(sums, activation, variant, rows, arrays, at, at_dh, at_x):
    """Compute δ_h of one vector of each row; return ``sums`` and what it adds to them.

    δ_h overwrites H, except for a single input.  ``sums`` are those of db_h, dW_y and dW_h, of
    which a variant may leave out some; ``arrays`` are H, W_yᵀ wR or wR, and X.
    """
    (db_h, dW_y, dW_h), (H, dH, X) = sums, arrays
    width = lanes_of(H, WIDE)
    h = load_rows(H, at, width, rows, NATIVE)
    if variant == GENERAL:
        dh = load_rows(dH, at_dh, width, rows, NATIVE)
    else:
        dh = repeat(load(dH, at_dh, NATIVE), rows)
    # δ_h = σ′(Z) ⊙ dH
    delta_h = split(delta(activation, join(h), join(dh)), h)
    # db_h += Σ δ_h
    db_h = add_tiles(db_h, delta_h)
    if variant != GENERAL:
        # dW_y += Σ h wr
        dW_y = fma_tiles(h, dh, dW_y)
    if variant == SINGLE_INPUT:
        # dW_h += Σ δ_h x
        dW_h = fma_outer(dW_h, delta_h, load_rows(X, at_x, 0, ONE, NATIVE))
    else:
        store_rows(H, at, width, delta_h)
    return db_h, dW_y, dW_h


@always_inlined
def _delta_rows(activation, variant, rows, k, r, problem, scratch, count, G):
    """Overwrite rows k, k + 1, … of H by δ_h; add their sums to G.

    In the GENERAL variant rows r, r + 1, … of ``scratch.dH`` hold these rows of W_yᵀ wR.
    """
    H, dH = scratch.H, scratch.weighted_residuals
    width, lanes = lanes_of(H, WIDE), lanes_of(H, NATIVE)
    h_panel, dh_panel, x_panel = problem.h_rows * width, width, problem.x_rows * width
    at, at_dh, at_x = k * width, 0, scratch.panel[0] * x_panel
    if variant == GENERAL:
        dH, at_dh, dh_panel = scratch.dH, r * width, TILE_ROWS * width
    zeros, arrays = zero_tile(H, rows, ONE, NATIVE), (H, dH, scratch.X)
    sums, n_full = (zeros, zeros, zeros), count // width
    for _ in range(n_full):
        for v in range(0, width, 2 * lanes):
            w = v + lanes
            sums = _delta_step(sums, activation, variant, rows, arrays, at + v, at_dh + v, at_x + v)
            sums = _delta_step(sums, activation, variant, rows, arrays, at + w, at_dh + w, at_x + w)
        at, at_dh, at_x = at + h_panel, at_dh + dh_panel, at_x + x_panel
    for v in range(0, count - n_full * width, lanes):
        sums = _delta_step(sums, activation, variant, rows, arrays, at + v, at_dh + v, at_x + v)
    db_h, dW_y, dW_h = sums
    add_sums(G, problem.b_h_start + k, 1, db_h, ONE)
    if variant != GENERAL:
        add_sums(G, problem.W_y_start + k, 1, dW_y, ONE)
    if variant == SINGLE_INPUT:
        add_sums(G, k, 1, dW_h, ONE)


@always_inlined
def _delta_of(activation, variant, k, n, problem, scratch, count, G):
    """Call ``_delta_rows`` for n rows from k on, two at a time."""
    r = 0
    while n - r >= 2:
        _delta_rows(activation, variant, TWO, k + r, r, problem, scratch, count, G)
        r += 2
    if r < n:
        _delta_rows(activation, variant, ONE, k + r, r, problem, scratch, count, G)


@always_inlined
def _delta(variant, k, n, problem, scratch, count, G):
    """Call ``_delta_of`` with a constant where σ′ takes one or two operations.

    Choosing σ′ in the loop would take as long.
    """
    if problem.activation == RELU:
        _delta_of(RELU, variant, k, n, problem, scratch, count, G)
    elif problem.activation == TANH:
        _delta_of(TANH, variant, k, n, problem, scratch, count, G)
    elif problem.activation == LOGISTIC:
        _delta_of(LOGISTIC, variant, k, n, problem, scratch, count, G)
    else:
        _delta_of(problem.activation, variant, k, n, problem, scratch, count, G)


@never_inlined
def delta_one_output(k, n, problem, scratch, count, G):
    """For one output: overwrite n rows of H by δ_h = σ′(Z) ⊙ wR; add db_h and dW_y = Σ h wr to G.

    The factor W_y[k] of row k of δ_h is left out: ``forward_backward.multiply_by_W_y`` applies it
    to the sums.  For a single input dW_h = Σ δ_h x is added to G as well, and δ_h is never written.
    """
    if problem.e == 1:
        _delta(SINGLE_INPUT, k, n, problem, scratch, count, G)
    else:
        _delta(ONE_OUTPUT, k, n, problem, scratch, count, G)


@never_inlined
def delta_several_outputs(k, n, problem, theta, scratch, count, G):
    """For several outputs: overwrite n ≤ 6 rows of H by δ_h = σ′(Z) ⊙ (W_yᵀ wR); add db_h to G."""
    m, s, width = problem.m, problem.s, lanes_of(scratch.H, WIDE)
    W_yT = Bands(theta, problem.W_y_start + k, n, s, 0, 1, m)
    wR = Panels(scratch.weighted_residuals, 0, s, count, width, s * width)
    dH = Panels(scratch.dH, 0, n, count, width, TILE_ROWS * width)
    # dH = W_yᵀ wR
    affine(W_yT, NO_BIAS, -math.inf, wR, dH, TILE_ROWS, s)
    # W_yᵀ wR takes longer than choosing σ′, and each ``_delta`` is compiled in four forms
    _delta_of(problem.activation, GENERAL, k, n, problem, scratch, count, G)
