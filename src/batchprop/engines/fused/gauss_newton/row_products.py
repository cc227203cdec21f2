"""The sums over a block of samples that JᵀJ is made of: see ``layout``."""

from __future__ import annotations

from batchprop.compiler.jit import always_inlined, helper
from batchprop.engines.fused.activation_kernels import slope
from batchprop.engines.fused.gauss_newton.row_product_layout import ROWS, columns_of, pairs_of
from batchprop.linalg.matmul import outer_tile
from batchprop.simd.load_store import fill, lanes_of, load, multiply, prefetch, store
from batchprop.simd.register_tiles import BROAD, SIX, TWO
from batchprop.simd.vectors import NATIVE, WIDE
from batchprop.threads.cancellation import check

N_BROAD = len(BROAD)
OWN = 4  # multiply-adds that take as long as to make one product of rows
LUMP = 1 << 20  # multiply-adds between two looks at whether to go on


@helper
def fill_panel(problem, p, n_rows, x_panel, scratch):
    """Write the rows σ′, ĥ, w x̂ and x̂ of one panel."""
    e, m, U = problem.e, problem.m, scratch.products
    width = lanes_of(U, WIDE)
    hidden, panel = p * m * width, p * n_rows * width
    w = load(scratch.weight, p * width, WIDE)
    for k in range(m):
        h = load(scratch.H, hidden + k * width, WIDE)
        store(U, panel + k * width, slope(problem.code, h))
        store(U, panel + (m + k) * width, h)
    one = panel + 2 * m * width
    fill(U, one, one + width, 1.0)
    weighted = panel + (n_rows - 2 * (e + 1)) * width
    plain = weighted + (e + 1) * width
    for j in range(e):
        x = load(scratch.X, p * x_panel + j * width, WIDE)
        store(U, plain + j * width, x)
        store(U, weighted + j * width, multiply(w, x))
    fill(U, plain + e * width, plain + (e + 1) * width, 1.0)
    store(U, weighted + e * width, w)


@always_inlined
def _product(U, n_rows, a, b, c, Q, q, r, count, width):
    """Row r of Q is the product of the rows a, b and, unless negative, c of U."""
    for p in range((count + width - 1) // width):
        panel = p * n_rows * width
        product = multiply(load(U, panel + a * width, WIDE), load(U, panel + b * width, WIDE))
        if c >= 0:
            product = multiply(product, load(U, panel + c * width, WIDE))
        store(Q, q + (p * ROWS + r) * width, product)


@helper
def _add_tiles(Q, q, U, n_rows, first, n, count, width, step, G, to):
    """Add the products of six rows of Q with n rows of U, from ``first`` on, to a tile of G."""
    whole = n - n % N_BROAD
    for b in range(0, whole, N_BROAD):
        outer_tile(
            SIX, BROAD, Q, ROWS * width, q, U, n_rows * width, (first + b) * width,
            count, width, step, G, to + b, n,
        )  # fmt: skip
    if whole < n:
        outer_tile(
            SIX, TWO, Q, ROWS * width, q, U, n_rows * width, (first + whole) * width,
            count, width, step, G, to + whole, n,
        )  # fmt: skip


@helper
def add_products(problem, count, n_rows, x_panel, scratch, G, start):
    """Add a block's A, D and B to G from ``start`` on; H is the hidden layer's.

    What is left to do when the run is cancelled is left out.
    """
    e, m, U = problem.e, problem.m, scratch.products
    width, step = lanes_of(U, WIDE), lanes_of(U, NATIVE)
    for p in range((count + width - 1) // width):
        fill_panel(problem, p, n_rows, x_panel, scratch)
    q = problem.block * n_rows
    weighted = n_rows - 2 * (e + 1)
    plain = weighted + e + 1
    to = start

    token, done = scratch.token, 0
    pairs = pairs_of(e)
    k = j = other = 0
    for row in range(0, m * pairs, ROWS):  # A: σ′_k w x̂_j x̂_j′ with σ′_l, l ≥ k
        from_unit = k
        for line in range(to, to + ROWS * columns_of(m - k), 8):  # for many sums come from far away
            prefetch(G, line)
        for r in range(min(ROWS, m * pairs - row)):
            _product(U, n_rows, k, weighted + j, plain + other, U, q, r, count, width)
            other += 1
            if other > e:
                j += 1
                other = j
            if j > e:
                k += 1
                j = other = 0
        n = columns_of(m - from_unit)
        _add_tiles(U, q, U, n_rows, from_unit, n, count, width, step, G, to)
        to += ROWS * n
        done += ROWS * (n + OWN) * count
        if done > LUMP:
            if check(token, done):
                return
            done = 0

    n = columns_of(m + 1)
    for row in range(0, m * (e + 1), ROWS):  # D: σ′_k w x̂_j with ĥ
        for r in range(min(ROWS, m * (e + 1) - row)):
            k, j = (row + r) // (e + 1), (row + r) % (e + 1)
            _product(U, n_rows, k, weighted + j, -1, U, q, r, count, width)
        _add_tiles(U, q, U, n_rows, m, n, count, width, step, G, to)
        to += ROWS * n
        done += ROWS * (n + OWN) * count
        if done > LUMP:
            if check(token, done):
                return
            done = 0

    for row in range(0, m + 1, ROWS):  # B: w ĥ_l with ĥ_l′, l′ ≥ l
        for r in range(min(ROWS, m + 1 - row)):
            _product(U, n_rows, m + row + r, weighted + e, -1, U, q, r, count, width)
        n = columns_of(m + 1 - row)
        _add_tiles(U, q, U, n_rows, m + row, n, count, width, step, G, to)
        to += ROWS * n
        done += ROWS * (n + OWN) * count
        if done > LUMP:
            if check(token, done):
                return
            done = 0
