"""The innermost loops of all matrix products: a tile of sums stays in registers.

``add_to_tile`` broadcasts numbers of A and multiplies them by vectors of B: C = A B;
``add_packed_to_tile`` does the same where rows of A lie side by side, and fetches the next ones.
``outer_tile`` multiplies vectors of A by vectors of B, both along samples: C = A Bᵀ; its lanes are
summed at the end.  ``dot_tile`` does so for rows of a matrix that is not in panels.

A tile has six rows, or four or one where fewer are left, and two or four vectors of columns: see
``simd.register_tiles``.
"""

from __future__ import annotations

from batchprop.compiler.jit import always_inlined, updating
from batchprop.simd.load_store import lanes_of, load_like, prefetch
from batchprop.simd.register_tiles import (
    add_sums,
    fma_outer,
    fma_rows,
    load_rows,
    zero_tile,
)
from batchprop.simd.vectors import NATIVE

# Columns that share the instructions of the loop: a core divides what it takes in per cycle among
# its two threads, and one of them may belong to somebody else.
UNROLLED = 4


@updating
def _fma_columns(tile, A, at_a, row_stride, column_stride, B, at_b, b_stride, count):
    """Return ``tile`` plus the products of ``count`` columns of A and rows of B, one by one."""
    for j in range(count):
        b = load_like(tile, B, at_b + j * b_stride)
        # tile[r] += A[r, j] B[j]
        tile = fma_rows(tile, A, at_a + j * column_stride, row_stride, b)
    return tile


@updating
def _fma_four(tile, A, at_a, row_stride, column_stride, B, at_b, b_stride):
    """The same for four columns, without a loop."""
    tile = fma_rows(tile, A, at_a, row_stride, load_like(tile, B, at_b))
    at_a, at_b = at_a + column_stride, at_b + b_stride
    tile = fma_rows(tile, A, at_a, row_stride, load_like(tile, B, at_b))
    at_a, at_b = at_a + column_stride, at_b + b_stride
    tile = fma_rows(tile, A, at_a, row_stride, load_like(tile, B, at_b))
    at_a, at_b = at_a + column_stride, at_b + b_stride
    return fma_rows(tile, A, at_a, row_stride, load_like(tile, B, at_b))


@updating
def add_to_tile(tile, A, at_a, row_stride, column_stride, B, at_b, b_stride, count):
    """Return ``tile`` + A B for ``count`` columns of A and rows of B.

    The tile's rows are ``row_stride`` apart in A, its columns ``column_stride``.  Rows of B are
    vectors as long as the tile's, ``b_stride`` apart.
    """
    for _ in range(count // UNROLLED):
        tile = _fma_four(tile, A, at_a, row_stride, column_stride, B, at_b, b_stride)
        at_a, at_b = at_a + UNROLLED * column_stride, at_b + UNROLLED * b_stride
    rest = count % UNROLLED
    return _fma_columns(tile, A, at_a, row_stride, column_stride, B, at_b, b_stride, rest)


@updating
def add_packed_to_tile(tile, A, at_a, column_stride, ahead, B, at_b, b_stride, count):
    """The same where six rows of A lie side by side, as in packed bands.

    Those ``ahead`` of them are fetched meanwhile: packed bands come from the second-level cache.
    """
    for _ in range(count // UNROLLED):
        prefetch(A, at_a + ahead)
        prefetch(A, at_a + ahead + UNROLLED // 2 * column_stride)
        tile = _fma_four(tile, A, at_a, 1, column_stride, B, at_b, b_stride)
        at_a, at_b = at_a + UNROLLED * column_stride, at_b + UNROLLED * b_stride
    return _fma_columns(tile, A, at_a, 1, column_stride, B, at_b, b_stride, count % UNROLLED)


@updating
def _fma_vectors(tile, rows, columns, A, at_a, B, at_b, width):
    """Return ``tile`` plus the products of one vector of each row of A and each row of B."""
    a, b = load_rows(A, at_a, width, rows, NATIVE), load_rows(B, at_b, width, columns, NATIVE)
    return fma_outer(tile, a, b)


@updating
def _fma_pairs(tile, rows, columns, A, at_a, B, at_b, width, count):
    """The same for ``count`` samples of one panel, two vectors at a time: they come in pairs."""
    lanes = lanes_of(A, NATIVE)
    for v in range(0, count, 2 * lanes):
        w = v + lanes
        tile = _fma_vectors(tile, rows, columns, A, at_a + v, B, at_b + v, width)
        tile = _fma_vectors(tile, rows, columns, A, at_a + w, B, at_b + w, width)
    return tile


@updating
def _fma_rest(tile, rows, columns, A, at_a, B, at_b, width, start, stop):
    """The same for samples ``start`` … ``stop`` − 1, one vector at a time."""
    for v in range(start, stop, lanes_of(A, NATIVE)):
        tile = _fma_vectors(tile, rows, columns, A, at_a + v, B, at_b + v, width)
    return tile


@always_inlined
def outer_tile(rows, columns, A, a, B, b, G):
    """G[a …, b …] += A[a …] B[b …]ᵀ, summed over samples, for a tile of rows and columns.

    A and B are ``Panels`` of the same samples and width, which is an even number of vectors; one of
    them has zeros after the last sample.  G is a ``Matrix`` of float64.
    """
    x, y, width, n_full = A.array, B.array, A.width, A.n_samples // A.width
    at_a, at_b = A.start + a * width, B.start + b * width
    tile = zero_tile(x, rows, columns, NATIVE)
    for _ in range(n_full):
        tile = _fma_pairs(tile, rows, columns, x, at_a, y, at_b, width, width)
        at_a, at_b = at_a + A.panel_stride, at_b + B.panel_stride
    rest = A.n_samples - n_full * width
    tile = _fma_rest(tile, rows, columns, x, at_a, y, at_b, width, 0, rest)
    add_sums(G.array, G.start + a * G.row_stride + b, G.row_stride, tile, columns)


@always_inlined
def dot_tile(rows, columns, A, a, B, b, G):
    """The same for rows that are not cut into panels: whole vectors, in an even or odd number."""
    x, y, width, pair = A.array, B.array, A.width, 2 * lanes_of(A.array, NATIVE)
    at_a, at_b, in_pairs = A.start + a * width, B.start + b * width, A.n_samples // pair * pair
    tile = zero_tile(x, rows, columns, NATIVE)
    tile = _fma_pairs(tile, rows, columns, x, at_a, y, at_b, width, in_pairs)
    tile = _fma_rest(tile, rows, columns, x, at_a, y, at_b, width, in_pairs, A.n_samples)
    add_sums(G.array, G.start + a * G.row_stride + b, G.row_stride, tile, columns)
