"""Which products of rows JᵀJ is assembled from, and where their sums stand.

With x̂ = [x; 1] and ĥ = [h; 1] a sample's derivatives are ∂y_o/∂W_h[k, j] = W_y[o, k] σ′_k x̂_j and
∂y_o/∂W_y[o, l] = ĥ_l.  JᵀJ needs only three sums over samples, for any number of outputs:

    Q_hh[k, (j, j′), l] = Σ w σ′_k x̂_j x̂_j′ σ′_l        k ≤ l, j ≤ j′
    Q_hy[k, j, l]       = Σ w σ′_k x̂_j ĥ_l
    Q_yy[l, l′]         = Σ w ĥ_l ĥ_l′                  l ≤ l′

Each is a matrix product.  Its left rows, (k, j, j′), (k, j) or l, are multiplied out six at a time;
its right rows, σ′ or ĥ, are there anyway.  The sums stand in tiles, one after the other: a tile has
six rows, and the columns from the first one that any of these rows needs.
"""

from __future__ import annotations

from numba import types

from batchprop.compiler.jit import returning
from batchprop.parameters import Shape

ROWS = 6  # of a tile


def input_pairs(e: int) -> int:
    """Return how many products x̂_j x̂_j′ with j ≤ j′ there are."""
    return (e + 1) * (e + 2) // 2


def panel_rows(e: int, m: int) -> int:
    """Return the rows of a panel: σ′, ĥ, as many as a last tile reads too far, w x̂, x̂."""
    return m + (m + 1) + ROWS + 2 * (e + 1)


def even(count: int) -> int:
    """Return the columns of a tile that needs ``count``."""
    return count + count % 2


def n_sums(shape: Shape) -> int:
    """Return the length of all tiles, a little more than a quarter of P²."""
    e, m, _ = shape
    pairs = input_pairs(e)
    Q_hh = sum(even(m - row // pairs) for row in range(0, m * pairs, ROWS))
    Q_hy = -(-m * (e + 1) // ROWS) * even(m + 1)
    Q_yy = sum(even(m + 1 - row) for row in range(0, m + 1, ROWS))
    return ROWS * (Q_hh + Q_hy + Q_yy)


# the same, for kernels
pairs_of = returning(types.int64)(input_pairs)
panel_rows_of = returning(types.int64)(panel_rows)
columns_of = returning(types.int64)(even)


@returning(types.int64)
def products_start(problem):
    """Return where the tiles begin in a row of sums: after the gradient's and the losses'."""
    return problem.b_y + 2 * problem.s
