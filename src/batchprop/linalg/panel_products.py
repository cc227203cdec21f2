"""Products of matrices with panels of samples, compiled.

Each sample stays in one lane of a vector, so that its results have the same bits whatever samples
are beside it and however many threads work on others.  NumPy's products promise neither.
"""

from __future__ import annotations

import math

from batchprop.compiler.jit import kernel
from batchprop.linalg.matmul import NO_BIAS, add_outer, affine
from batchprop.linalg.views import Bands, Matrix, Panels
from batchprop.simd.load_store import lanes_of
from batchprop.simd.register_tiles import TILE_ROWS
from batchprop.simd.vectors import WIDE, lanes

WIDTH = lanes(64, WIDE)  # samples in a panel of float64
_BAND = 32  # rows of L⁻¹ that are used for all panels before the next ones


@kernel
def affine_panels(array, weights, bias, n_rows, n_columns, X, n_panels, out):
    """Write W x + b for all samples.

    W begins at ``array[weights]``, b at ``array[bias]``.  X has (n_panels, n_columns, WIDTH)
    numbers, ``out`` (n_panels, n_rows, WIDTH); both are flat.
    """
    width = lanes_of(X, WIDE)
    W = Bands(array, weights, n_rows, n_columns, TILE_ROWS * n_columns, n_columns, 1)
    x = Panels(X, 0, n_columns, n_panels * width, width, n_columns * width)
    y = Panels(out, 0, n_rows, n_panels * width, width, n_rows * width)
    affine(W, bias, -math.inf, x, y, n_rows, n_columns)


@kernel
def squared_norms(factor, n, vectors, n_panels, work, out):
    """Write ‖L⁻¹ j‖² of each sample's vector j.

    ``factor`` is the lower triangular L⁻¹ (n, n), ``vectors`` has (n_panels, n, WIDTH) numbers and
    ``out`` (n_panels, WIDTH); all are flat.  ``work`` has BAND_SIZE numbers.
    """
    width = lanes_of(vectors, WIDE)
    for i in range(n_panels * width):
        out[i] = 0.0
    for first in range(0, n, _BAND):
        count = min(_BAND, n - first)
        end = first + count  # right of the diagonal block there are zeros
        band = Bands(factor, first * n, count, end, TILE_ROWS * n, n, 1)
        product = Panels(work, 0, count, width, width, 0)
        for p in range(n_panels):
            columns = Panels(vectors, p * n * width, end, width, width, 0)
            affine(band, NO_BIAS, -math.inf, columns, product, count, end)
            for k in range(count):
                for i in range(width):
                    out[p * width + i] += work[k * width + i] * work[k * width + i]


BAND_SIZE = _BAND * WIDTH


@kernel
def add_products(A, B, n, n_panels, G):
    """G += A Bᵀ, summed over samples, on and left of the diagonal of G (n, n) at least.

    A and B are flat (n_panels, n, WIDTH).
    """
    width = lanes_of(A, WIDE)
    for first in range(0, n, _BAND):
        count = min(_BAND, n - first)
        end = first + count
        for p in range(n_panels):
            start = p * n * width
            rows = Panels(A, start + first * width, count, width, width, n * width)
            columns = Panels(B, start, end, width, width, n * width)
            add_outer(rows, columns, Matrix(G, first * n, count, end, n, 1))
