"""The backward pass of a block of samples: the sums of dW_y, db_h and dW_h.

It takes six hidden units at a time through the block, so that their rows of H stay in the
first-level cache from one product to the next.  There is a kernel for one output and one for
several; where dW_h is summed in strips, a third kernel does that.  A problem calls those that it
needs by their addresses: only these are compiled.
"""

from __future__ import annotations

from batchprop.compiler.jit import always_inlined, helper, kernel_by_address, updating
from batchprop.engines.fused.hidden_layer import delta_one_output, delta_several_outputs
from batchprop.engines.fused.packing import transpose_panels
from batchprop.linalg.matmul import add_outer_transposed, outer_columns, outer_rows
from batchprop.linalg.views import Matrix, Panels, Transpose
from batchprop.simd.load_store import fill, lanes_of
from batchprop.simd.register_tiles import SIX, TILE_ROWS
from batchprop.simd.vectors import NATIVE, WIDE


@updating
def _room(G, n, n_rows, n_columns, spare):
    """Return G if there are six units; else a matrix of zeros with room for the sums of six."""
    if n == TILE_ROWS:
        return G
    fill(spare, 0, n_rows * n_columns, 0.0)
    return Matrix(spare, 0, n_rows, n_columns, n_columns, 1)


@helper
def _add_from_room(G, n, sums):
    """Add to G its part of the sums of six units, unless they are there; drop the others."""
    if n < TILE_ROWS:
        for r in range(G.n_rows):
            for c in range(G.n_columns):
                G.array[G.start + r * G.row_stride + c] += sums.array[r * sums.row_stride + c]


@always_inlined
def _add_dW_y(k, n, problem, scratch, count, G):
    """dW_y[:, k …] += wR H[k …]ᵀ, for n ≤ 6 hidden units."""
    m, s, width = problem.m, problem.s, lanes_of(scratch.H, WIDE)
    wR = Panels(scratch.weighted_residuals, 0, s, count, width, s * width)
    H = Panels(scratch.H, k * width, n, count, width, problem.h_rows * width)
    dW_y = Matrix(G, problem.W_y_start + k, s, n, m, 1)
    sums = _room(dW_y, n, s, TILE_ROWS, scratch.spare_sums)
    outer_columns(SIX, wR, H, 0, sums)
    _add_from_room(dW_y, n, sums)


@always_inlined
def _add_dW_h(k, n, problem, scratch, count, G):
    """dW_h[k …] += δ_h[k …] Xᵀ, for n ≤ 6 hidden units, unless it is summed in strips."""
    e, width = problem.e, lanes_of(scratch.H, WIDE)
    if not problem.sums_in_strips:
        x_panel = problem.x_rows * width
        X = Panels(scratch.X, scratch.panel[0] * x_panel, e, count, width, x_panel)
        H = Panels(scratch.H, k * width, n, count, width, problem.h_rows * width)
        dW_h = Matrix(G, k * e, n, e, e, 1)
        sums = _room(dW_h, n, TILE_ROWS, e, scratch.spare_sums)
        outer_rows(SIX, H, 0, X, sums)
        _add_from_room(dW_h, n, sums)


@kernel_by_address
def backward_one_output(problem, theta, count, scratch, G):
    """Overwrite H by δ_h; add dW_y, db_h and dW_h to G.

    The factor W_y[k] is missing in row k of δ_h, and in its sums.
    Products are computed for six rows even where fewer are left: H has room for them.
    """
    for k in range(0, problem.m, TILE_ROWS):
        n = min(TILE_ROWS, problem.m - k)
        # δ_h = σ′(Z) ⊙ wR,  db_h += Σ δ_h,  dW_y += wR Hᵀ,  and dW_h += δ_h x for a single input
        delta_one_output(k, n, problem, scratch, count, G)
        if problem.e > 1:
            _add_dW_h(k, n, problem, scratch, count, G)


@kernel_by_address
def backward_several_outputs(problem, theta, count, scratch, G):
    """The same for several outputs; δ_h is complete."""
    for k in range(0, problem.m, TILE_ROWS):
        n = min(TILE_ROWS, problem.m - k)
        _add_dW_y(k, n, problem, scratch, count, G)
        # δ_h = σ′(Z) ⊙ (W_yᵀ wR),  db_h += Σ δ_h
        delta_several_outputs(k, n, problem, theta, scratch, count, G)
        _add_dW_h(k, n, problem, scratch, count, G)


@kernel_by_address
def add_to_strips(problem, count, scratch):
    """Add dW_h = δ_h Xᵀ of a block to ``scratch.strip_sums``: for large networks."""
    m, x_rows, width = problem.m, problem.x_rows, lanes_of(scratch.H, WIDE)
    x_panel = x_rows * width
    X = Panels(scratch.X, scratch.panel[0] * x_panel, x_rows, count, width, x_panel)
    H = Panels(scratch.H, 0, m, count, width, problem.h_rows * width)
    XT = Transpose(scratch.XT, x_rows // lanes_of(scratch.H, NATIVE), problem.block_samples)
    transpose_panels(X, XT)
    sums = Matrix(scratch.strip_sums, 0, m, x_rows, x_rows, 1)
    add_outer_transposed(H, XT, sums, problem.cache_rows)
