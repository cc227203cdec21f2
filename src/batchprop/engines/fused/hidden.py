"""The elementwise passes over the hidden layer: H = σ(Z), and δ_h = σ′(Z) ⊙ g."""

from __future__ import annotations

from batchprop.engines.fused.jit import helper, inlined
from batchprop.engines.fused.memory import load, store
from batchprop.engines.fused.sigma import sigma, slope
from batchprop.engines.fused.tiles import (
    FOUR,
    ONE,
    add_sums,
    add_tiles,
    fma_tiles,
    join,
    load_rows,
    multiply_tiles,
    split,
    store_rows,
    zero_tile,
)
from batchprop.engines.fused.vectors import NATIVE, WIDE


@helper()
def activate(code, Z, start, stop, width):
    """Write H = σ(Z) over Z[start:stop], whole panels."""
    for i in range(start, stop, width):
        store(Z, i, sigma(code, load(Z, i, WIDE)))


@inlined
def _delta_rows(code, rows, H, m, k, D, d_panel, d_row, n_panels, width, step, G, to_b, to_y):
    """The rows k … of δ_h = σ′ ⊙ g, written over H, and what they sum to."""
    sum_b = zero_tile(H, rows, ONE, NATIVE)
    sum_y = zero_tile(H, rows, ONE, NATIVE)
    for p in range(n_panels):
        at = (p * m + k) * width
        from_d = p * d_panel + k * d_row
        for v in range(0, width, step):
            h = load_rows(H, at + v, width, rows, NATIVE)
            g = load_rows(D, from_d + v, d_row, rows, NATIVE)
            delta_h = multiply_tiles(split(slope(code, join(h)), h), g)
            sum_b = add_tiles(sum_b, delta_h)
            sum_y = fma_tiles(h, g, sum_y)
            store_rows(H, at + v, width, delta_h)
    add_sums(G, to_b + k, 1, sum_b, ONE)
    if to_y >= 0:
        add_sums(G, to_y + k, 1, sum_y, ONE)


@helper()
def delta(code, H, m, D, d_panel, d_row, n_panels, width, step, G, to_b, to_y):
    """Turn H into δ_h = σ′ ⊙ g and add db_h = Σ δ_h, and Σ h ⊙ g, to ``G``.

    g stands in D: (m, width) a panel, or one row for all units where ``d_row`` is 0.
    """
    whole = m - m % 4
    for k in range(0, whole, 4):
        _delta_rows(code, FOUR, H, m, k, D, d_panel, d_row, n_panels, width, step, G, to_b, to_y)
    for k in range(whole, m):
        _delta_rows(code, ONE, H, m, k, D, d_panel, d_row, n_panels, width, step, G, to_b, to_y)
