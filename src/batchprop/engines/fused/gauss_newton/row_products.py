"""The sums Q_hh, Q_hy and Q_yy over a block of samples: see ``row_product_layout``.

``chunk_sums`` calls ``add_row_products`` by its address between the forward and the backward pass
of a block, so that runs without JᵀJ need not compile it.
"""

from __future__ import annotations

from numba import types

from batchprop.compiler.jit import always_inlined, helper, kernel_by_address, returning
from batchprop.engines.fused.activation_kernels import sigma_prime
from batchprop.engines.fused.gauss_newton.row_product_layout import (
    padded_columns_of,
    pairs_of,
    panel_rows_of,
)
from batchprop.engines.fused.task import products_start
from batchprop.linalg.micro_kernel import outer_tile
from batchprop.linalg.views import Matrix, Panels
from batchprop.simd.load_store import fill, lanes_of, load, multiply, prefetch, store
from batchprop.simd.register_tiles import BROAD, SIX, TILE_ROWS, TWO
from batchprop.simd.vectors import WIDE
from batchprop.threads.cancellation import WRITTEN, check, is_cancelled

N_BROAD = len(BROAD)
PRODUCT_WORK = 4  # multiply-adds that take as long as one product of rows
# multiply-adds, and sums that are set to 0, between two checks for cancellation
WORK_PER_CHECK, ZEROED_PER_CHECK = 1 << 20, 1 << 20
NO_ROW = -1


@helper
def fill_panel(problem, p, scratch):
    """Write the rows σ′, h⁺, w x⁺ and x⁺ of one panel."""
    e, m, U = problem.e, problem.m, scratch.row_products
    width, n_rows = lanes_of(U, WIDE), panel_rows_of(e, m)
    hidden, panel = p * problem.h_rows * width, p * n_rows * width
    panel_of_x = scratch.panel[0] + p
    w = load(scratch.weight, panel_of_x * width, WIDE)
    # σ′ and h
    for k in range(m):
        h = load(scratch.H, hidden + k * width, WIDE)
        store(U, panel + k * width, sigma_prime(problem.activation, h))
        store(U, panel + (m + k) * width, h)
    # h⁺_m = 1
    ones = panel + 2 * m * width
    fill(U, ones, ones + width, 1.0)
    weighted = panel + (n_rows - 2 * (e + 1)) * width
    plain = weighted + (e + 1) * width
    # x and w x
    for j in range(e):
        x = load(scratch.X, (panel_of_x * problem.x_rows + j) * width, WIDE)
        store(U, plain + j * width, x)
        store(U, weighted + j * width, multiply(w, x))
    # x⁺_e = 1 and w x⁺_e = w
    fill(U, plain + e * width, plain + (e + 1) * width, 1.0)
    store(U, weighted + e * width, w)


@always_inlined
def _multiply_rows(U, a, b, c, Q, r):
    """Row r of Q = the rows a ⊙ b ⊙ c of U, without c if it is ``NO_ROW``."""
    width = U.width
    for p in range((U.n_samples + width - 1) // width):
        at = U.start + p * U.panel_stride
        product = multiply(load(U.array, at + a * width, WIDE), load(U.array, at + b * width, WIDE))
        if c >= 0:
            product = multiply(product, load(U.array, at + c * width, WIDE))
        store(Q.array, Q.start + p * Q.panel_stride + r * width, product)


@helper
def _add_tile(Q, U, tile):
    """tile += Q Uᵀ, summed over samples: six rows of Q with all rows of U."""
    broad = U.n_rows - U.n_rows % N_BROAD
    for b in range(0, broad, N_BROAD):
        outer_tile(SIX, BROAD, Q, 0, U, b, tile)
    if broad < U.n_rows:
        outer_tile(SIX, TWO, Q, 0, U, broad, tile)


@returning(types.int64)
def _unreported(work, token):
    """Report ``work`` if it exceeds WORK_PER_CHECK; return what is unreported, −1 if cancelled."""
    if work <= WORK_PER_CHECK:
        return work
    return -1 if check(token, work) else 0


@returning(types.int64)
def _add_Q_hh(problem, U, Q, G, start, token):
    """Q_hh[k, (j, j′), l] += Σ σ′_k w x⁺_j x⁺_j′ σ′_l, l ≥ k; return where its tiles end in G.

    The rows (k, j, j′) are in lexicographic order; ``assemble`` reads them in the same order.
    """
    e, m, count, pairs = problem.e, problem.m, U.n_samples, pairs_of(problem.e)
    plain = U.n_rows - (e + 1)
    weighted = plain - (e + 1)
    work = k = j = j_2 = 0
    for row in range(0, m * pairs, TILE_ROWS):
        first = k
        for line in range(start, start + TILE_ROWS * padded_columns_of(m - k), 8):
            prefetch(G, line)  # the sums may exceed the cache
        for r in range(min(TILE_ROWS, m * pairs - row)):
            # σ′_k w x⁺_j x⁺_j′
            _multiply_rows(U, k, weighted + j, plain + j_2, Q, r)
            j_2 += 1
            if j_2 > e:
                j += 1
                j_2 = j
            if j > e:
                k += 1
                j = j_2 = 0
        n = padded_columns_of(m - first)
        sigma_primes = Panels(U.array, first * U.width, n, count, U.width, U.panel_stride)
        _add_tile(Q, sigma_primes, Matrix(G, start, TILE_ROWS, n, n, 1))
        start += TILE_ROWS * n
        work = _unreported(work + TILE_ROWS * (n + PRODUCT_WORK) * count, token)
        if work < 0:
            return start
    return start


@returning(types.int64)
def _add_Q_hy(problem, U, Q, G, start, token):
    """Q_hy[k, j, l] += Σ σ′_k w x⁺_j h⁺_l; return where its tiles end in G."""
    e, m, count, n = problem.e, problem.m, U.n_samples, padded_columns_of(problem.m + 1)
    weighted = U.n_rows - 2 * (e + 1)
    hidden = Panels(U.array, m * U.width, n, count, U.width, U.panel_stride)
    work = 0
    for row in range(0, m * (e + 1), TILE_ROWS):
        for r in range(min(TILE_ROWS, m * (e + 1) - row)):
            k, j = (row + r) // (e + 1), (row + r) % (e + 1)
            # σ′_k w x⁺_j
            _multiply_rows(U, k, weighted + j, NO_ROW, Q, r)
        _add_tile(Q, hidden, Matrix(G, start, TILE_ROWS, n, n, 1))
        start += TILE_ROWS * n
        work = _unreported(work + TILE_ROWS * (n + PRODUCT_WORK) * count, token)
        if work < 0:
            return start
    return start


@helper
def _add_Q_yy(problem, U, Q, G, start, token):
    """Q_yy[l, l′] += Σ w h⁺_l h⁺_l′, l′ ≥ l."""
    m, count, work = problem.m, U.n_samples, 0
    w = U.n_rows - (problem.e + 1) - 1
    for row in range(0, m + 1, TILE_ROWS):
        for r in range(min(TILE_ROWS, m + 1 - row)):
            # w h⁺_l
            _multiply_rows(U, m + row + r, w, NO_ROW, Q, r)
        n = padded_columns_of(m + 1 - row)
        hidden = Panels(U.array, (m + row) * U.width, n, count, U.width, U.panel_stride)
        _add_tile(Q, hidden, Matrix(G, start, TILE_ROWS, n, n, 1))
        start += TILE_ROWS * n
        work = _unreported(work + TILE_ROWS * (n + PRODUCT_WORK) * count, token)
        if work < 0:
            return


@kernel_by_address
def add_row_products(problem, count, scratch, G, is_first):
    """Add a block's Q_hh, Q_hy and Q_yy to G while H is the hidden layer.

    The first block of a chunk sets them to 0 before.  If the run is cancelled, the sums are not
    complete.
    """
    if is_first:
        for low in range(products_start(problem), G.size, ZEROED_PER_CHECK):
            high = min(low + ZEROED_PER_CHECK, G.size)
            fill(G, low, high, 0.0)
            if high < G.size and check(scratch.token, WRITTEN * ZEROED_PER_CHECK):
                return
    array, n_rows = scratch.row_products, panel_rows_of(problem.e, problem.m)
    width = lanes_of(array, WIDE)
    for p in range((count + width - 1) // width):
        fill_panel(problem, p, scratch)
    U = Panels(array, 0, n_rows, count, width, n_rows * width)
    Q = Panels(array, problem.block_samples * n_rows, TILE_ROWS, count, width, TILE_ROWS * width)
    start = _add_Q_hh(problem, U, Q, G, products_start(problem), scratch.token)
    if not is_cancelled(scratch.token):
        start = _add_Q_hy(problem, U, Q, G, start, scratch.token)
    if not is_cancelled(scratch.token):
        _add_Q_yy(problem, U, Q, G, start, scratch.token)
