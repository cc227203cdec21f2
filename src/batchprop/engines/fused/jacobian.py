"""The Jacobian ∂Y/∂X by the fused kernels.

Row (o, j) of it is Σ_k W_y[o, k] W_h[k, j] σ′(z_k): the products of weights are the same for all
samples.  So ∂Y/∂X, as a matrix (s·e, N), is one matrix product: the products of weights (s·e, m)
times σ′(Z) (m, N).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.compiler.jit import kernel
from batchprop.compiler.kernel_struct import KernelStruct
from batchprop.engines.fused.activation_kernels import sigma_prime
from batchprop.engines.fused.blocking import (
    BLOCK_BYTES,
    ELEMENT_NS,
    FMA_NS,
    choose_blocking,
    cut_weights,
    round_up,
)
from batchprop.engines.fused.forward import forward_hidden, pack_W_h
from batchprop.engines.fused.packing import pack, sample_table
from batchprop.engines.fused.problem import describe_problem
from batchprop.engines.fused.sample_parts import run_parts
from batchprop.linalg.matmul import NO_BIAS, affine
from batchprop.linalg.views import Bands, Panels
from batchprop.machine.cache_sizes import cache_sizes
from batchprop.machine.thread_count import team_size
from batchprop.parameters import Blocks, Shape, split
from batchprop.simd.aligned_memory import separate
from batchprop.simd.load_store import lanes_of, load, store
from batchprop.simd.register_tiles import TILE_ROWS
from batchprop.simd.vectors import WIDE

Array = npt.NDArray[Any]

PRODUCTS_BYTES = 64 << 20  # of products of weights at a time, but never less than one output's


@kernel
def jacobian_samples(
    problem, theta, start, stop, products, cuts, X, strip_buffer, packed_W_h, H, out, rows
):
    """Write ∂y/∂x for samples start … stop − 1 to ``rows``, some rows of the matrix (s·e, N).

    ``products`` are the products of weights for these rows, in bands.  ``cuts`` says how many
    panels are computed together, and how many rows and columns of ``products`` stay in caches.
    """
    e, m, width, n_rows = problem.e, problem.m, lanes_of(H, WIDE), rows.shape[0]
    panels, cache_rows, cache_columns = cuts
    W = Bands(products, 0, n_rows, m, TILE_ROWS * m, 1, TILE_ROWS)
    if problem.packs_W_h:
        pack_W_h(problem, theta, packed_W_h)
    for first in range(start, stop, panels * width):
        count = min(panels * width, stop - first)
        x = Panels(X, 0, e, count, width, problem.x_rows * width)
        h = Panels(H, 0, m, count, width, problem.h_rows * width)
        dy_dx = Panels(out, 0, n_rows, count, width, n_rows * width)
        pack(problem.X, first, x, strip_buffer)
        forward_hidden(problem, theta, 0, packed_W_h, x, h)
        # σ′(Z) overwrites H
        for at in range(0, (count + width - 1) // width * h.panel_stride, h.panel_stride):
            for i in range(at, at + m * width, width):
                store(H, i, sigma_prime(problem.activation, load(H, i, WIDE)))
        # ∂y/∂x = products σ′(Z)
        affine(W, NO_BIAS, -math.inf, h, dy_dx, cache_rows, cache_columns)
        for r in range(n_rows):
            for p in range(0, count, width):
                at = p * n_rows + r * width
                for i in range(min(width, count - p)):
                    rows[r, first + p + i] = out[at + i]


def weight_products(blocks: Blocks, outputs: slice) -> Array:
    """Return the products W_y[o, k] W_h[k, j] in packed bands: row (o, j), column k."""
    W_h, _, W_y, _ = blocks
    m, e = W_h.shape
    products = W_y[outputs, np.newaxis] * W_h.T
    n_rows = products.shape[0] * e
    packed = np.zeros((round_up(n_rows, TILE_ROWS), m), products.dtype)
    packed[:n_rows] = products.reshape(n_rows, m)
    return np.ascontiguousarray(packed.reshape(-1, TILE_ROWS, m).transpose(0, 2, 1)).ravel()


def jacobian(
    theta: Array, shape: Shape, activation: str, X: Array, n_threads: int | None = None
) -> Array:
    """Return ∂Y/∂X (s, e, N) in the dtype of θ; beside it no memory grows with N."""
    (e, m, s), n_samples, size = shape, X.shape[1], theta.dtype.itemsize
    blocking = choose_blocking(shape, n_samples, theta.dtype)
    problem = KernelStruct(
        describe_problem(shape, activation, n_samples, blocking, sample_table(X))
    )
    dY_dX = np.empty((s, e, n_samples), theta.dtype)
    group = max(1, min(s, PRODUCTS_BYTES // (e * m * size)))  # outputs at a time
    n_rows = group * e
    width = blocking.width
    panel_bytes = (blocking.x_rows + blocking.h_rows + n_rows) * width * size
    panels = max(1, min(blocking.cache_panels, BLOCK_BYTES // panel_bytes))
    weights = cut_weights(Shape(m, n_rows, 1), size, width, panels * width, cache_sizes())
    cuts = panels, weights.cache_rows, weights.cache_columns
    sizes = {
        "X": blocking.x_rows * panels * width,
        "strip_buffer": blocking.x_rows * width,
        "packed_W_h": blocking.packed_size,
        "H": blocking.h_rows * panels * width,
        "out": n_rows * panels * width,
    }
    nanoseconds = n_samples * m * (ELEMENT_NS[size] + FMA_NS[size] * (e + n_rows))
    threads = team_size(n_threads, nanoseconds, blocking.n_chunks)
    for o in range(0, s, group):
        outputs = slice(o, o + group)
        products = weight_products(split(theta, shape), outputs)
        rows = dY_dX[outputs].reshape(-1, n_samples)

        def part(start: int, stop: int, products: Array = products, rows: Array = rows) -> None:
            (memory,) = separate(1, sizes, theta.dtype)
            jacobian_samples(problem, theta, start, stop, products, cuts, *memory.values(), rows)

        run_parts(part, n_samples, blocking.chunk_samples, threads)
    return dY_dX
