"""Which products of rows JᵀJ is made of, and where their sums stand.

With x̂ = [x; 1] and ĥ = [h; 1] a sample's derivatives are ∂y_o/∂W_h[k, j] = W_y[o, k] σ′_k x̂_j and
∂y_o/∂W_y[o, l] = ĥ_l.  All that JᵀJ needs of the samples are three sums, for any number of outputs:

    A[k, (j, j′), l] = Σ w σ′_k x̂_j x̂_j′ σ′_l        k ≤ l, j ≤ j′
    D[k, j, l]       = Σ w σ′_k x̂_j ĥ_l
    B[l, l′]         = Σ w ĥ_l ĥ_l′                  l ≤ l′

Each is a matrix product: rows that are multiplied out for six at a time, (k, j, j′), (k, j) or l,
with rows that are there anyway, σ′ or ĥ.  The sums stand in tiles, one after the other: six rows,
and for each of them the columns from the first one that any of them needs.
"""

from __future__ import annotations

from numba import types

from batchprop.compiler.jit import returning
from batchprop.parameters import Shape

ROWS = 6  # to a tile


def input_pairs(e: int) -> int:
    """Return how many products x̂_j x̂_j′ with j ≤ j′ there are."""
    return (e + 1) * (e + 2) // 2


def panel_rows(e: int, m: int) -> int:
    """Return the rows of a panel: σ′, ĥ, as many as a last tile reads too far, w x̂, x̂."""
    return m + (m + 1) + ROWS + 2 * (e + 1)


def even(count: int) -> int:
    """Return the columns of a tile that has use for ``count``."""
    return count + count % 2


def n_sums(shape: Shape) -> int:
    """Return the length of all tiles, about a quarter of P² and a little more."""
    e, m, _ = shape
    pairs = input_pairs(e)
    A = sum(even(m - row // pairs) for row in range(0, m * pairs, ROWS))
    D = -(-m * (e + 1) // ROWS) * even(m + 1)
    B = sum(even(m + 1 - row) for row in range(0, m + 1, ROWS))
    return ROWS * (A + D + B)


# the same, for kernels
pairs_of = returning(types.int64)(input_pairs)
panel_rows_of = returning(types.int64)(panel_rows)
columns_of = returning(types.int64)(even)
