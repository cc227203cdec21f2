"""The forward pass of a block of samples: H = σ(W_h X + b_h) and Y = W_y H + b_y.

Training and predictions share its kernel, which they call by its address: it is compiled once.
"""

from __future__ import annotations

import math

from batchprop.compiler.jit import helper, kernel_by_address
from batchprop.engines.fused.activation_kernels import IDENTITY, RELU
from batchprop.engines.fused.hidden_layer import N_LONG, activate
from batchprop.engines.fused.packing import pack, pack_weights, prefetch_samples, zero_unweighted
from batchprop.linalg.matmul import affine, pack_bands
from batchprop.linalg.views import Bands, Matrix, Panels
from batchprop.simd.load_store import lanes_of
from batchprop.simd.register_tiles import TILE_ROWS
from batchprop.simd.vectors import WIDE

N_ARRAYS = 7  # of ``memory`` in ``forward_kernel``


@helper
def pack_W_h(problem, theta, out):
    """Pack b_h, and W_h in bands after it."""
    e, m = problem.e, problem.m
    W_h, packed_W_h = Matrix(theta, 0, m, e, e, 1), Bands(out, m, m, e, TILE_ROWS * e, 1, TILE_ROWS)
    pack_bands(W_h, packed_W_h)
    for k in range(m):
        out[k] = theta[problem.b_h_start + k]


@helper
def pack_block(problem, first, X, T, weight, strip_buffer):
    """Pack a block of samples, from ``first`` on; predictions have neither targets nor weights."""
    pack(problem.X, first, X, strip_buffer)
    if problem.T.address != 0:
        pack(problem.T, first, T, strip_buffer)
        pack_weights(problem.weight, first, weight, strip_buffer)
    if problem.weight.address != 0:
        zero_unweighted(weight, X)
        zero_unweighted(weight, T)


@helper
def forward_hidden(problem, theta, begin, packed_W_h, X, H):
    """Write H = σ(W_h X + b_h) for the panels of X; the parameters begin at ``theta[begin]``.

    The first ones in ``theta`` may be packed.
    """
    e, m, relu = problem.e, problem.m, problem.activation == RELU
    bound, rows, columns = 0.0 if relu else -math.inf, problem.cache_rows, problem.cache_columns
    sigma_follows = not relu and problem.activation != IDENTITY
    from_x = sigma_follows and e == 1 and m >= N_LONG
    # Z = W_h X + b_h; for relu H = max(Z, 0)
    if from_x:
        pass  # along with σ
    elif problem.packs_W_h and begin == 0:
        W_h = Bands(packed_W_h, m, m, e, TILE_ROWS * e, 1, TILE_ROWS)
        affine(W_h, 0, bound, X, H, rows, columns)
    else:
        W_h = Bands(theta, begin, m, e, TILE_ROWS * e, e, 1)
        affine(W_h, begin + problem.b_h_start, bound, X, H, rows, columns)
    # H = σ(Z)
    if sigma_follows:
        activate(problem.activation, from_x, theta, begin, begin + problem.b_h_start, X, H)


@helper
def forward(problem, theta, begin, packed_W_h, X, H, Y):
    """Write H = σ(W_h X + b_h) and Y = W_y H + b_y for the panels of X."""
    m, s = problem.m, problem.s
    forward_hidden(problem, theta, begin, packed_W_h, X, H)
    # Y = W_y H + b_y
    W_y = Bands(theta, begin + problem.W_y_start, s, m, TILE_ROWS * m, m, 1)
    affine(W_y, begin + problem.b_y_start, -math.inf, H, Y, s, m)


@kernel_by_address
def forward_kernel(
    problem, theta, begin, first, count, n_next, panel, packs_samples, packs_W_h, memory
):
    """Write H and Y of ``count`` samples from ``first`` on.

    The parameters begin at ``theta[begin]``, the block at a panel of X, T and weight.  The samples
    are packed before if ``packs_samples`` says so, and the first parameters in ``theta`` if
    ``packs_W_h`` does.  The inputs of the next ``n_next`` samples come from memory meanwhile.
    ``memory`` are arrays, as in ``Scratch``: X, T, weight, strip_buffer, packed_W_h, H, and Y.
    """
    X, T, weight, strip_buffer, packed_W_h, H, Y = memory
    e, m, s, width = problem.e, problem.m, problem.s, lanes_of(H, WIDE)
    x_panel, h_panel, y_panel = problem.x_rows * width, problem.h_rows * width, s * width
    if packs_W_h:
        pack_W_h(problem, theta, packed_W_h)
    if packs_samples:
        pack_block(
            problem,
            first,
            Panels(X, panel * x_panel, e, count, width, x_panel),
            Panels(T, panel * y_panel, s, count, width, y_panel),
            Panels(weight, panel * width, 1, count, width, width),
            strip_buffer,
        )
    n_panels = (count + width - 1) // width
    n_parts = (n_panels + problem.cache_panels - 1) // problem.cache_panels
    for part in range(n_parts):
        if n_next > 0:
            stop = first + count + n_next
            prefetch_samples(problem.X, problem.e, first + count, stop, part, n_parts)
        p = part * problem.cache_panels
        n = min(problem.cache_panels * width, count - p * width)
        x = Panels(X, (panel + p) * x_panel, e, n, width, x_panel)
        h = Panels(H, p * h_panel, m, n, width, h_panel)
        y = Panels(Y, p * y_panel, s, n, width, y_panel)
        forward(problem, theta, begin, packed_W_h, x, h, y)
