"""Which products of rows JᵀJ is assembled from, and where their sums are stored.

With x⁺ = [x; 1] and h⁺ = [h; 1] a sample's derivatives are ∂y_o/∂W_h[k, j] = W_y[o, k] σ′_k x⁺_j
and ∂y_o/∂W_y[o, l] = h⁺_l.  JᵀJ needs only three sums over samples, for any number of outputs:

    Q_hh[k, (j, j′), l] = Σ w σ′_k x⁺_j x⁺_j′ σ′_l        k ≤ l, j ≤ j′
    Q_hy[k, j, l]       = Σ w σ′_k x⁺_j h⁺_l
    Q_yy[l, l′]         = Σ w h⁺_l h⁺_l′                  l ≤ l′

Each is a matrix product.  Its left rows, (k, j, j′), (k, j) or l, are computed six at a time; the
right rows, σ′ or h⁺, already exist.  Sums are stored in tiles, one after the other: a tile has six
rows, and the columns from the first one that any of these rows needs.
"""

from __future__ import annotations

from functools import cache

from numba import types

from batchprop.compiler.jit import returning
from batchprop.parameters import Shape
from batchprop.simd.register_tiles import TILE_ROWS


def input_pairs(e: int) -> int:
    """Return how many products x⁺_j x⁺_j′ with j ≤ j′ there are."""
    return (e + 1) * (e + 2) // 2


def panel_rows(e: int, m: int) -> int:
    """Return the rows of a panel: σ′, h⁺, those that the last tile reads beyond h⁺, w x⁺, x⁺."""
    return m + (m + 1) + TILE_ROWS + 2 * (e + 1)


def padded_columns(count: int) -> int:
    """Return the columns of a tile that needs ``count``: an even number."""
    return count + count % 2


@cache  # a sum over many rows if e is large
def n_row_product_sums(shape: Shape) -> int:
    """Return the length of all tiles, for any number of outputs.

    For one output it is 0.60 P² for 1-10-1, 0.47 P² for 1-50-1 and 0.32 P² for 10-50-1.
    """
    e, m, _ = shape
    pairs = input_pairs(e)
    Q_hh = sum(padded_columns(m - row // pairs) for row in range(0, m * pairs, TILE_ROWS))
    Q_hy = -(-m * (e + 1) // TILE_ROWS) * padded_columns(m + 1)
    Q_yy = sum(padded_columns(m + 1 - row) for row in range(0, m + 1, TILE_ROWS))
    return TILE_ROWS * (Q_hh + Q_hy + Q_yy)


# the same, for kernels
pairs_of = returning(types.int64)(input_pairs)
panel_rows_of = returning(types.int64)(panel_rows)
padded_columns_of = returning(types.int64)(padded_columns)
