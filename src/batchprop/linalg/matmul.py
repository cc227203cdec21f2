"""The matrix products of a full-batch step, over panels of samples.

``affine`` runs samples along vectors and broadcasts weights: W X + b.  For gradients, A Bᵀ summed
over samples, there are two ways: ``add_outer`` also runs samples along vectors, multiplies rows
with rows and sums the lanes at the end; ``add_outer_strips`` runs the rows of B along vectors and
broadcasts A, which needs no sums and less memory traffic, but whole vectors of rows.
"""

from __future__ import annotations

from batchprop.compiler.jit import always_inlined, helper, never_inlined
from batchprop.simd.load_store import load, prefetch
from batchprop.simd.register_tiles import (
    FOUR,
    ONE,
    TWO,
    WIDE_STRIPS,
    add_sums,
    at_least,
    fma_outer,
    fma_rows,
    join,
    load_rows,
    splat_rows,
    store_rows,
    zero_tile,
)
from batchprop.simd.vectors import NATIVE, WIDE


@always_inlined
def affine_rows(
    rows, n_inner, w, start, row_stride, inner_stride, bias, least, X, panel, width, out, to
):
    """out[k] = bias[k] + Σ_j w[k, j] X[j], at least ``least``, for a few rows k."""
    if bias >= 0:
        tile = splat_rows(w, bias, 1, rows, WIDE)
    else:
        tile = zero_tile(w, rows, ONE, WIDE)
    for j in range(n_inner):
        x = load(X, panel + j * width, WIDE)
        tile = fma_rows(tile, w, start + j * inner_stride, row_stride, x)
    store_rows(out, to, width, at_least(tile, least))


@helper
def affine(
    n_rows, n_inner, w, start, row_stride, inner_stride, bias, least, X, panel, width, out, to
):
    """Write max(W X + b, least) for one panel.

    W (n_rows, n_inner) stands in the flat ``w`` at ``start`` with the given strides, b at ``bias``
    (none where that is negative); X (n_inner, width) at ``panel``, the result at ``to`` of ``out``.
    ``least`` is −∞ but for relu, which is so cheap that a pass over memory would double its cost.
    """
    whole = n_rows - n_rows % 4
    for k in range(0, whole, 4):
        affine_rows(
            FOUR, n_inner, w, start + k * row_stride, row_stride, inner_stride,
            bias + k if bias >= 0 else bias, least, X, panel, width, out, to + k * width,
        )  # fmt: skip
    pairs = n_rows - n_rows % 2
    for k in range(whole, pairs, 2):
        affine_rows(
            TWO, n_inner, w, start + k * row_stride, row_stride, inner_stride,
            bias + k if bias >= 0 else bias, least, X, panel, width, out, to + k * width,
        )  # fmt: skip
    for k in range(pairs, n_rows):
        affine_rows(
            ONE, n_inner, w, start + k * row_stride, row_stride, inner_stride,
            bias + k if bias >= 0 else bias, least, X, panel, width, out, to + k * width,
        )  # fmt: skip


@always_inlined
def outer_tile(rows, columns, A, a_panel, a, B, b_panel, b, count, width, step, G, to, stride):
    """G[r, c] += Σ_samples A[r] B[c] for a tile of rows and columns."""
    tile = zero_tile(A, rows, columns, NATIVE)
    for first in range(0, count, width):
        p = first // width
        at_a, at_b = p * a_panel + a, p * b_panel + b
        for v in range(0, min(width, count - first), step):
            tile = fma_outer(
                tile,
                load_rows(A, at_a + v, width, rows, NATIVE),
                load_rows(B, at_b + v, width, columns, NATIVE),
            )
    add_sums(G, to, stride, tile, columns)


@always_inlined
def _outer_rows(rows, A, a_panel, a, B, n_b, b_panel, count, width, step, G, to):
    """The same for all rows of B."""
    whole = n_b - n_b % 4
    for b in range(0, whole, 4):
        outer_tile(
            rows, FOUR, A, a_panel, a * width, B, b_panel, b * width, count, width, step,
            G, to + b, n_b,
        )  # fmt: skip
    for b in range(whole, n_b):
        outer_tile(
            rows, ONE, A, a_panel, a * width, B, b_panel, b * width, count, width, step,
            G, to + b, n_b,
        )  # fmt: skip


@never_inlined
def add_outer(A, n_a, a_panel, B, n_b, b_panel, count, width, step, G, to):
    """Add A Bᵀ, summed over the samples of all panels, to the matrix (n_a, n_b) at ``to`` of G.

    A and B have ``a_panel`` and ``b_panel`` numbers to a panel.
    """
    whole, pairs = n_a - n_a % 4, n_a - n_a % 2
    for a in range(0, whole, 4):
        _outer_rows(FOUR, A, a_panel, a, B, n_b, b_panel, count, width, step, G, to + a * n_b)
    for a in range(whole, pairs, 2):
        _outer_rows(TWO, A, a_panel, a, B, n_b, b_panel, count, width, step, G, to + a * n_b)
    for a in range(pairs, n_a):
        _outer_rows(ONE, A, a_panel, a, B, n_b, b_panel, count, width, step, G, to + a * n_b)


@always_inlined
def _strips_tile(rows, strips, A, at_a, S, at_s, samples, width, step, sums, to, stride):
    """sums[r, …] += Σ_i A[r, i] S[i, …] for a few rows and strips."""
    for r in range(len(rows)):  # the next rows' sums come from far away where there are many
        for c in range(0, len(strips) * step, step):
            prefetch(sums, min(to + (len(rows) + r) * stride, sums.size - stride) + c)
    tile = load_rows(sums, to, stride, rows, strips)
    for i in range(samples):
        s = join(load_rows(S, at_s + i * step, width * step, strips, NATIVE))
        tile = fma_rows(tile, A, at_a + i, width, s)
    store_rows(sums, to, stride, tile)


@always_inlined
def _strips_rows(strips, A, n_a, at_a, S, at_s, samples, width, step, sums, to, stride):
    """The same for all rows; the strips stay in the first-level cache meanwhile."""
    whole = n_a - n_a % 4
    for a in range(0, whole, 4):
        _strips_tile(
            FOUR, strips, A, at_a + a * width, S, at_s, samples, width, step,
            sums, to + a * stride, stride,
        )  # fmt: skip
    for a in range(whole, n_a):
        _strips_tile(
            ONE, strips, A, at_a + a * width, S, at_s, samples, width, step,
            sums, to + a * stride, stride,
        )  # fmt: skip


@never_inlined
def add_outer_strips(A, n_a, at_a, S, n_strips, samples, width, step, sums):
    """Add A Bᵀ, summed over the samples of one panel, to ``sums`` (n_a, n_strips · step).

    S holds B as strips.
    """
    stride = n_strips * step
    whole = n_strips - n_strips % len(WIDE_STRIPS)
    for strip in range(0, whole, len(WIDE_STRIPS)):
        _strips_rows(
            WIDE_STRIPS, A, n_a, at_a, S, strip * width * step, samples, width, step,
            sums, strip * step, stride,
        )  # fmt: skip
    for strip in range(whole, n_strips):
        _strips_rows(
            ONE, A, n_a, at_a, S, strip * width * step, samples, width, step,
            sums, strip * step, stride,
        )  # fmt: skip
