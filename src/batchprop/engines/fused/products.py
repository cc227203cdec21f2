"""The two matrix products of a full-batch step, over panels of samples.

``affine`` runs samples along vectors and broadcasts weights: W X + b.  ``add_outer`` also runs
samples along vectors, multiplies rows with rows and sums the lanes at the end: A Bᵀ.
"""

from __future__ import annotations

from batchprop.engines.fused.jit import helper, inlined
from batchprop.engines.fused.memory import load
from batchprop.engines.fused.tiles import (
    FOUR,
    ONE,
    add_sums,
    fma_outer,
    fma_rows,
    load_rows,
    splat_rows,
    store_rows,
    zero_tile,
)
from batchprop.engines.fused.vectors import NATIVE, WIDE


@inlined
def _affine_rows(rows, n_inner, w, start, row_stride, inner_stride, bias, X, panel, width, out, to):
    """out[k] = bias[k] + Σ_j w[k, j] X[j] for a few rows k."""
    if bias >= 0:
        tile = splat_rows(w, bias, 1, rows, WIDE)
    else:
        tile = zero_tile(w, rows, ONE, WIDE)
    for j in range(n_inner):
        x = load(X, panel + j * width, WIDE)
        tile = fma_rows(tile, w, start + j * inner_stride, row_stride, x)
    store_rows(out, to, width, tile)


@helper()
def affine(n_rows, n_inner, w, start, row_stride, inner_stride, bias, X, panel, width, out, to):
    """Write W X + b for one panel.

    W (n_rows, n_inner) stands in the flat ``w`` at ``start`` with the given strides, b at ``bias``
    (none where that is negative); X (n_inner, width) at ``panel``, the result at ``to`` of ``out``.
    """
    whole = n_rows - n_rows % 4
    for k in range(0, whole, 4):
        _affine_rows(
            FOUR, n_inner, w, start + k * row_stride, row_stride, inner_stride,
            bias + k if bias >= 0 else bias, X, panel, width, out, to + k * width,
        )  # fmt: skip
    for k in range(whole, n_rows):
        _affine_rows(
            ONE, n_inner, w, start + k * row_stride, row_stride, inner_stride,
            bias + k if bias >= 0 else bias, X, panel, width, out, to + k * width,
        )  # fmt: skip


@inlined
def _outer_tile(rows, columns, A, n_a, a, B, n_b, b, n_panels, width, step, G, to, row_stride):
    """G[r, c] += Σ_samples A[a + r] B[b + c] for a tile of rows and columns."""
    tile = zero_tile(A, rows, columns, NATIVE)
    for p in range(n_panels):
        at_a = (p * n_a + a) * width
        at_b = (p * n_b + b) * width
        for v in range(0, width, step):
            tile = fma_outer(
                tile,
                load_rows(A, at_a + v, width, rows, NATIVE),
                load_rows(B, at_b + v, width, columns, NATIVE),
            )
    add_sums(G, to, row_stride, tile, columns)


@helper()
def add_outer(A, n_a, B, n_b, n_panels, width, step, G, to):
    """Add A Bᵀ, summed over the samples of all panels, to the matrix (n_a, n_b) at ``to`` of G."""
    whole_a, whole_b = n_a - n_a % 4, n_b - n_b % 4
    for a in range(0, whole_a, 4):
        for b in range(0, whole_b, 4):
            _outer_tile(
                FOUR, FOUR, A, n_a, a, B, n_b, b, n_panels, width, step, G, to + a * n_b + b, n_b
            )
        for b in range(whole_b, n_b):
            _outer_tile(
                FOUR, ONE, A, n_a, a, B, n_b, b, n_panels, width, step, G, to + a * n_b + b, n_b
            )
    for a in range(whole_a, n_a):
        for b in range(0, whole_b, 4):
            _outer_tile(
                ONE, FOUR, A, n_a, a, B, n_b, b, n_panels, width, step, G, to + a * n_b + b, n_b
            )
        for b in range(whole_b, n_b):
            _outer_tile(
                ONE, ONE, A, n_a, a, B, n_b, b, n_panels, width, step, G, to + a * n_b + b, n_b
            )
