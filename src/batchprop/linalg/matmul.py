"""The matrix products of a full-batch step, over panels of samples.

``affine`` runs samples along vectors and broadcasts weights: W X + b.  For gradients, A Bᵀ summed
over samples, there are two ways: ``add_outer`` also runs samples along vectors, multiplies rows
with rows and sums the lanes at the end; ``add_outer_strips`` runs the rows of B along vectors and
broadcasts A.  The latter needs no lane sums and less memory traffic, but whole vectors of rows.

Each product is computed in register tiles.  ``rows`` and ``columns`` are tuples of row numbers
that say how large a tile is: see ``simd.register_tiles``.
"""

from __future__ import annotations

from batchprop.compiler.jit import always_inlined, helper, never_inlined
from batchprop.simd.load_store import lanes_of, load, prefetch
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

NO_BIAS = -1


@always_inlined
def affine_rows(rows, k, W, b, least, X, out):
    """Write the rows k … of max(W X + b, least): see ``affine``."""
    if b >= 0:
        tile = splat_rows(W.array, b + k, 1, rows, WIDE)
    else:
        tile = zero_tile(W.array, rows, ONE, WIDE)
    first = W.start + k * W.row_stride
    for j in range(W.n_columns):
        x = load(X.array, X.start + j * X.width, WIDE)
        # out[k …] += W[k …, j] X[j]
        tile = fma_rows(tile, W.array, first + j * W.column_stride, W.row_stride, x)
    store_rows(out.array, out.start + k * out.width, out.width, at_least(tile, least))


@helper
def affine(W, b, least, X, out):
    """Write max(W X + b, least) for one panel.

    W is a ``Matrix``, X and ``out`` are ``Panels`` that hold one; ``b`` is the index of the first
    bias in W's array, or ``NO_BIAS``.  ``least`` is −∞ except for relu, which is so cheap that a
    pass over memory would double its cost.
    """
    fours, twos = W.n_rows - W.n_rows % 4, W.n_rows - W.n_rows % 2
    for k in range(0, fours, 4):
        affine_rows(FOUR, k, W, b, least, X, out)
    for k in range(fours, twos, 2):
        affine_rows(TWO, k, W, b, least, X, out)
    for k in range(twos, W.n_rows):
        affine_rows(ONE, k, W, b, least, X, out)


@always_inlined
def outer_tile(rows, columns, A, a, B, b, G):
    """G[a …, b …] += A[a …] B[b …]ᵀ, summed over samples, for a tile of rows and columns.

    A and B are ``Panels`` of the same samples and width; G is a ``Matrix`` of float64.
    """
    width, lanes = A.width, lanes_of(A.array, NATIVE)
    tile = zero_tile(A.array, rows, columns, NATIVE)
    for first in range(0, A.n_samples, width):
        p = first // width
        at_a = p * A.panel_stride + (A.start + a * width)
        at_b = p * B.panel_stride + (B.start + b * width)
        for v in range(0, min(width, A.n_samples - first), lanes):
            tile = fma_outer(
                tile,
                load_rows(A.array, at_a + v, width, rows, NATIVE),
                load_rows(B.array, at_b + v, width, columns, NATIVE),
            )
    add_sums(G.array, G.start + a * G.row_stride + b, G.row_stride, tile, columns)


@always_inlined
def _outer_rows(rows, A, a, B, G):
    """G[a …] += A[a …] Bᵀ, for a few rows of A and all of B."""
    fours = B.n_rows - B.n_rows % 4
    for b in range(0, fours, 4):
        outer_tile(rows, FOUR, A, a, B, b, G)
    for b in range(fours, B.n_rows):
        outer_tile(rows, ONE, A, a, B, b, G)


@never_inlined
def add_outer(A, B, G):
    """G += A Bᵀ, summed over samples: A and B are ``Panels``, G is a ``Matrix`` of float64."""
    fours, twos = A.n_rows - A.n_rows % 4, A.n_rows - A.n_rows % 2
    for a in range(0, fours, 4):
        _outer_rows(FOUR, A, a, B, G)
    for a in range(fours, twos, 2):
        _outer_rows(TWO, A, a, B, G)
    for a in range(twos, A.n_rows):
        _outer_rows(ONE, A, a, B, G)


@always_inlined
def _strips_tile(rows, strips, A, a, S, strip, G):
    """G[a …, strip …] += Σ_i A[a …, i] S[i, strip …], for a few rows and strips."""
    lanes, stride = S.lanes, G.row_stride
    start = G.start + a * stride + strip * lanes
    for r in range(len(rows)):  # prefetch the sums of the next rows: they may exceed the cache
        for c in range(0, len(strips) * lanes, lanes):
            prefetch(G.array, min(start + (len(rows) + r) * stride, G.array.size - stride) + c)
    tile = load_rows(G.array, start, stride, rows, strips)
    at_a, at_s = A.start + a * A.width, strip * S.width * lanes
    for i in range(A.n_samples):
        s = join(load_rows(S.array, at_s + i * lanes, S.width * lanes, strips, NATIVE))
        tile = fma_rows(tile, A.array, at_a + i, A.width, s)
    store_rows(G.array, start, stride, tile)


@always_inlined
def _strips_rows(strips, A, S, strip, G):
    """The same for all rows of A; the strips stay in the first-level cache meanwhile."""
    fours = A.n_rows - A.n_rows % 4
    for a in range(0, fours, 4):
        _strips_tile(FOUR, strips, A, a, S, strip, G)
    for a in range(fours, A.n_rows):
        _strips_tile(ONE, strips, A, a, S, strip, G)


@never_inlined
def add_outer_strips(A, S, G):
    """G += A Sᵀ, summed over the samples of one panel.

    A is ``Panels`` that hold one, S is ``Strips``; G is a ``Matrix`` of their dtype, with a column
    for each row of whole strips.
    """
    wide = S.n_strips - S.n_strips % len(WIDE_STRIPS)
    for strip in range(0, wide, len(WIDE_STRIPS)):
        _strips_rows(WIDE_STRIPS, A, S, strip, G)
    for strip in range(wide, S.n_strips):
        _strips_rows(ONE, A, S, strip, G)
