"""The matrix products of a full-batch step, over panels of samples.

``affine`` runs samples along vectors and broadcasts weights: W X + b.  For gradients, A Bᵀ summed
over samples, there are two ways.  ``outer_rows`` and its like also run samples along vectors,
multiply rows with rows and sum the lanes at the end.  ``add_outer_transposed`` runs the rows of B
along vectors and broadcasts A: no lanes are summed, but B must be transposed.

``affine`` computes rows in tiles of six and four, and the last three or fewer one by one;
``add_outer`` in tiles of six, then one by one; ``add_outer_transposed`` always six.
"""

from __future__ import annotations

import math

from numba import types

from batchprop.compiler.jit import always_inlined, helper, never_inlined, returning
from batchprop.linalg.micro_kernel import add_packed_to_tile, add_to_tile, outer_tile
from batchprop.linalg.views import Panels
from batchprop.simd.load_store import lanes_of, prefetch
from batchprop.simd.register_tiles import (
    BROAD,
    FOUR,
    ONE,
    SIX,
    TILE_ROWS,
    TWO,
    WIDE_STRIPS,
    add_tiles,
    at_least,
    fma_tiles,
    load_rows,
    splat_rows,
    store_rows,
    sum_rows,
    zero_tile,
)
from batchprop.simd.transposition import interleave
from batchprop.simd.vectors import NATIVE, WIDE

NO_BIAS = -1
N_BROAD = len(BROAD)
N_WIDE = len(WIDE_STRIPS)


@always_inlined
def _affine_tile(rows, W, at, bias, least, j, count, X, out, k):
    """Rows k … of one panel, for ``count`` columns of W from j on, the first of them at ``at``."""
    at_out = out.start + k * out.width
    if j > 0:
        tile = load_rows(out.array, at_out, out.width, rows, WIDE)
    elif bias >= 0:
        tile = splat_rows(W.array, bias + k, 1, rows, WIDE)
    else:
        tile = zero_tile(W.array, rows, ONE, WIDE)
    at_x, width = X.start + j * X.width, lanes_of(X.array, WIDE)
    if W.column_stride == 1:
        tile = add_to_tile(tile, W.array, at, W.row_stride, 1, X.array, at_x, width, count)
    else:  # rows are adjacent
        tile = add_packed_to_tile(
            tile, W.array, at, W.column_stride, W.band_stride, X.array, at_x, width, count
        )
    if least > -math.inf:
        tile = at_least(tile, least)
    store_rows(out.array, at_out, out.width, tile)


@always_inlined
def _affine_row(W, at, bias, least, X, out, k):
    """One row, all columns, in four sums side by side: a single sum would wait for itself."""
    at_out, at_x, stride = out.start + k * out.width, X.start, W.column_stride
    sums = zero_tile(W.array, FOUR, ONE, WIDE)
    fours = W.n_columns - W.n_columns % 4
    for i in range(0, fours, 4):
        w = splat_rows(W.array, at + i * stride, stride, FOUR, WIDE)
        sums = fma_tiles(w, load_rows(X.array, at_x + i * X.width, X.width, FOUR, WIDE), sums)
    if bias >= 0:
        row = splat_rows(W.array, bias + k, 0, ONE, WIDE)
    else:
        row = zero_tile(W.array, ONE, ONE, WIDE)
    at, at_x = at + fours * stride, at_x + fours * X.width
    row = add_to_tile(row, W.array, at, 0, stride, X.array, at_x, X.width, W.n_columns - fours)
    row = add_tiles(row, sum_rows(sums))
    if least > -math.inf:
        row = at_least(row, least)
    store_rows(out.array, at_out, 0, row)


@helper
def _affine_panel(W, bias, least, j, count, first, stop, X, out):
    """Rows first … stop − 1 of one panel, for ``count`` columns of W from j on.

    The last one to three rows are computed with the last columns, from all columns at once: the
    order of additions must not depend on the cuts.
    """
    k, band = first, W.start + first // TILE_ROWS * W.band_stride
    at = band + j * W.column_stride
    bound = least if j + count == W.n_columns else -math.inf
    while stop - k >= TILE_ROWS:
        _affine_tile(SIX, W, at, bias, bound, j, count, X, out, k)
        k, at, band = k + TILE_ROWS, at + W.band_stride, band + W.band_stride
    if stop - k >= 4:
        _affine_tile(FOUR, W, at, bias, bound, j, count, X, out, k)
        k, band = k + 4, band + 4 * W.row_stride
    if j + count == W.n_columns:
        while k < stop:
            _affine_row(W, band, bias, least, X, out, k)
            k, band = k + 1, band + W.row_stride


@never_inlined
def affine(W, bias, least, X, out, cache_rows, cache_columns):
    """Write max(W X + b, least) for the samples of X.

    W is ``Bands``, X and ``out`` are ``Panels``; ``bias`` is the index of the first bias in W's
    array, or ``NO_BIAS``.  ``least`` is −∞ except for relu, which is so cheap that a pass over
    memory would double its cost.  ``cache_rows`` (a multiple of six, or all rows) by
    ``cache_columns`` of W stay in the second-level cache for all panels; ``cache_columns`` rows of
    a panel stay in the first-level cache for all of W's rows.
    """
    for j in range(0, W.n_columns, cache_columns):
        count = min(cache_columns, W.n_columns - j)
        for first in range(0, W.n_rows, cache_rows):
            stop = min(first + cache_rows, W.n_rows)
            for i in range(0, X.n_samples, X.width):
                p = i // X.width
                x = Panels(X.array, X.start + p * X.panel_stride, X.n_rows, X.width, X.width, 0)
                y = Panels(
                    out.array, out.start + p * out.panel_stride, W.n_rows, X.width, X.width, 0
                )
                _affine_panel(W, bias, least, j, count, first, stop, x, y)


@never_inlined
def pack_bands(W, out):
    """Copy W, a ``Matrix`` whose columns are adjacent, to ``Bands`` whose rows are side by side."""
    lanes = lanes_of(W.array, NATIVE)
    for k in range(0, W.n_rows, TILE_ROWS):
        source = W.start + k * W.row_stride
        to = out.start + k // TILE_ROWS * out.band_stride
        if W.n_rows - k >= TILE_ROWS and W.n_columns >= lanes:
            for i in range(0, W.n_columns, lanes):
                j = min(i, W.n_columns - lanes)  # the last columns may be copied twice
                rows = load_rows(W.array, source + j, W.row_stride, SIX, NATIVE)
                store_rows(out.array, to + j * TILE_ROWS, lanes, interleave(rows))
        else:
            for r in range(min(TILE_ROWS, W.n_rows - k)):
                for j in range(W.n_columns):
                    out.array[to + j * TILE_ROWS + r] = W.array[source + r * W.row_stride + j]


@always_inlined
def outer_rows(rows, A, a, B, G):
    """G[a …] += A[a …] Bᵀ, for a few rows of A and all of B."""
    b = 0
    while B.n_rows - b >= N_BROAD:
        outer_tile(rows, BROAD, A, a, B, b, G)
        b += N_BROAD
    while b < B.n_rows:
        outer_tile(rows, ONE, A, a, B, b, G)
        b += 1


@always_inlined
def outer_columns(columns, A, B, b, G):
    """G[:, b …] += A B[b …]ᵀ, for all rows of A and a few of B."""
    a = 0
    while A.n_rows - a >= N_BROAD:
        outer_tile(BROAD, columns, A, a, B, b, G)
        a += N_BROAD
    while a < A.n_rows:
        outer_tile(ONE, columns, A, a, B, b, G)
        a += 1


@never_inlined
def add_outer(A, B, G):
    """G += A Bᵀ, summed over samples: A and B are ``Panels``, G is a ``Matrix`` of float64."""
    a = 0
    while A.n_rows - a >= TILE_ROWS:
        outer_rows(SIX, A, a, B, G)
        a += TILE_ROWS
    while a < A.n_rows:
        outer_rows(ONE, A, a, B, G)
        a += 1


@always_inlined
def _transposed_tile(strips, A, a, BT, at_bt, C, at_c):
    """C[a …, strips] += A[a …] B[strips]ᵀ, for six rows and a group of strips."""
    width, left = lanes_of(A.array, WIDE), A.n_samples
    at_a, stride = A.start + a * width, len(strips) * lanes_of(A.array, NATIVE)
    tile = load_rows(C.array, at_c, C.row_stride, SIX, strips)
    for r in range(TILE_ROWS, 2 * TILE_ROWS):  # the sums of the next rows may exceed the cache
        for column in range(0, stride, lanes_of(A.array, NATIVE)):
            prefetch(C.array, at_c + r * C.row_stride + column)
    while left > 0:
        next_a = at_a + A.panel_stride
        for r in range(TILE_ROWS):  # the next panel's rows are not where the processor expects them
            prefetch(A.array, next_a + r * width)
        tile = add_to_tile(tile, A.array, at_a, width, 1, BT.array, at_bt, stride, min(width, left))
        at_a, at_bt, left = next_a, at_bt + width * stride, left - width
    store_rows(C.array, at_c, C.row_stride, tile)


@helper
def _transposed_rows(strips, A, BT, strip, C, first, stop):
    """The same for rows first … stop − 1; the strips stay in the first-level cache meanwhile."""
    column = strip * lanes_of(BT.array, NATIVE)
    at_bt, at_c = column * BT.n_allocated, C.start + first * C.row_stride + column
    for a in range(first, stop, TILE_ROWS):
        _transposed_tile(strips, A, a, BT, at_bt, C, at_c)
        at_c += TILE_ROWS * C.row_stride


@returning(types.int64)
def strips_in_group(n_left):
    """Return how many of the strips that are left form the next group of a ``Transpose``."""
    return N_WIDE if n_left >= N_WIDE else min(n_left, 2)


@never_inlined
def add_outer_transposed(A, BT, C, cache_rows):
    """C += A Bᵀ, summed over samples: A is ``Panels``, BT is the ``Transpose`` of B.

    C is a ``Matrix`` of their dtype, with a column for each row of whole strips.  Rows are read
    from A and added to C in sixes: the numbers behind A's last row are read as well, and C has room
    for their sums.  ``cache_rows`` rows of A, a multiple of six, stay in the second-level cache for
    all strips.
    """
    for first in range(0, A.n_rows, cache_rows):
        stop = min(first + cache_rows, A.n_rows)
        strip = 0
        while strip < BT.n_strips:
            group = strips_in_group(BT.n_strips - strip)
            if group == N_WIDE:
                _transposed_rows(WIDE_STRIPS, A, BT, strip, C, first, stop)
            elif group == 2:
                _transposed_rows(TWO, A, BT, strip, C, first, stop)
            else:
                _transposed_rows(ONE, A, BT, strip, C, first, stop)
            strip += group
