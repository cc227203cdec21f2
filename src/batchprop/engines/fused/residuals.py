"""What the backward pass of a block starts from: weighted residuals, or second differences."""

from __future__ import annotations

from batchprop.compiler.jit import helper, never_inlined
from batchprop.simd.load_store import (
    add_lanes,
    add_product,
    lanes_of,
    load,
    multiply,
    store,
    subtract,
    total,
    zero_sums,
)
from batchprop.simd.vectors import WIDE


@helper
def residuals(problem, n_panels, scratch, G):
    """Overwrite Y by wR = w ⊙ (Y − T) in a block; add db_y and each output's loss to G."""
    Y, T, s = scratch.weighted_residuals, scratch.T, problem.s
    width, db_y_start, panel = lanes_of(Y, WIDE), problem.b_y_start, scratch.panel[0]
    for o in range(s):
        zeros = zero_sums(Y, WIDE)
        loss, db_y = zeros, zeros
        for p in range(n_panels):
            at = (p * s + o) * width
            # r = y − t,  wr = w r
            r = subtract(load(Y, at, WIDE), load(T, panel * s * width + at, WIDE))
            wr = multiply(load(scratch.weight, (panel + p) * width, WIDE), r)
            store(Y, at, wr)
            # the loss of output o += Σ w r²,  db_y += Σ w r
            loss, db_y = add_product(loss, wr, r), add_lanes(db_y, wr)
        G[db_y_start + s + o] += total(loss)
        G[db_y_start + o] += total(db_y)


@never_inlined
def add_outer_outputs(problem, n_panels, scratch, is_first):
    """Add Y to the outputs at θ − p and θ + p, which ``scratch.row_products`` holds meanwhile."""
    Y, outer = scratch.weighted_residuals, scratch.row_products
    width = lanes_of(Y, WIDE)
    for i in range(n_panels * problem.s * width):
        outer[i] = Y[i] if is_first else outer[i] + Y[i]


@never_inlined
def second_differences(problem, n_panels, scratch, G):
    """Overwrite Y by w ⊙ y″, which takes the place of wR; add db_y = Σ w y″ to G.

    y″ = y(θ + p) + y(θ − p) − 2 y(θ) says how the outputs are curved along a step p.
    """
    Y, outer, s = scratch.weighted_residuals, scratch.row_products, problem.s
    width, panel = lanes_of(Y, WIDE), scratch.panel[0]
    for o in range(s):
        for p in range(n_panels):
            at, sum_of_panel = (p * s + o) * width, 0.0
            for i in range(width):
                y_2 = outer[at + i] - 2.0 * Y[at + i]
                Y[at + i] = scratch.weight[(panel + p) * width + i] * y_2
                sum_of_panel += Y[at + i]
            G[problem.b_y_start + o] += sum_of_panel
