"""Small kernels around the parts of the large one, so that each part can be called alone."""

from __future__ import annotations

import numpy as np

from batchprop.compiler.jit import kernel
from batchprop.engines.fused.hidden_layer import activate, delta, delta_of_outputs
from batchprop.engines.fused.packing import pack, pack_weights, turn_to_panel, turn_to_strips
from batchprop.linalg.matmul import add_outer, add_outer_strips, affine
from batchprop.simd.load_store import load, multiply, store, subtract, total, total_product
from batchprop.simd.register_tiles import (
    FOUR,
    ONE,
    SIX,
    TWO,
    add_sums,
    add_tiles,
    at_least,
    fma_outer,
    fma_rows,
    fma_tiles,
    join,
    load_rows,
    multiply_tiles,
    repeat,
    splat_rows,
    split,
    store_rows,
    transpose,
    zero_tile,
)
from batchprop.simd.vectors import NATIVE, WIDE, lanes

DTYPES = (np.float32, np.float64)


def integers(*shape, seed=0):
    """Small integers, whose sums are exact in any order, in either precision."""
    return np.random.default_rng((seed, *shape)).integers(-9, 10, shape)


def sample_counts(dtype):
    """Numbers of samples around the lanes of a vector and around whole panels."""
    step, width = step_of(dtype), width_of(dtype)
    edges = (1, step, width, 2 * width)
    return sorted({edge + shift for edge in edges for shift in (-1, 0, 1)} - {0})


def step_of(dtype):
    """Lanes of a native vector."""
    return lanes(np.dtype(dtype).itemsize * 8, NATIVE)


def width_of(dtype):
    """Lanes of a wide vector: samples in a panel."""
    return lanes(np.dtype(dtype).itemsize * 8, WIDE)


def panels(M, dtype, rows=None):
    """Return a matrix (rows, N) as panels, zeros after its last sample and row."""
    width, rows = width_of(dtype), M.shape[0] if rows is None else rows
    padded = np.zeros((rows, -(-M.shape[1] // width) * width), dtype)
    padded[: M.shape[0], : M.shape[1]] = M
    return padded.reshape(rows, -1, width).transpose(1, 0, 2).ravel().copy()


def unpacked(flat, rows, n_samples, dtype):
    """Return panels as a matrix again."""
    width = width_of(dtype)
    return flat.reshape(-1, rows, width).transpose(1, 0, 2).reshape(rows, -1)[:, :n_samples]


def strips(M, dtype):
    """Return a matrix (rows, one panel) as strips, zeros after the last row."""
    step, width = step_of(dtype), width_of(dtype)
    padded = np.zeros((-(-M.shape[0] // step) * step, width), dtype)
    padded[: M.shape[0], : M.shape[1]] = M
    return padded.reshape(-1, step, width).transpose(0, 2, 1).ravel().copy()


@kernel
def call_transpose(A, start, stride, B, to, to_stride):
    transpose(A, start, stride, B, to, to_stride)


@kernel
def call_totals(a, b, out):
    """Of wide and native vectors."""
    out[0], out[1] = total(load(a, 0, WIDE)), total(load(a, 0, NATIVE))
    out[2] = total_product(load(a, 0, WIDE), load(b, 0, WIDE))
    out[3] = total_product(load(a, 0, NATIVE), load(b, 0, NATIVE))


@kernel
def call_arithmetic(a, b, out, at):
    store(out, at, subtract(load(a, at, NATIVE), load(b, at, NATIVE)))
    store(out, at + 100, multiply(load(a, at, NATIVE), load(b, at, NATIVE)))


@kernel
def call_add_sums(form, A, a, B, b, width, G, to, stride):
    """Of the outer products of 6, 4, 2 or 1 rows of A with 4, 2 or 1 rows of B, one vector each."""
    if form == 0:
        tile = fma_outer(
            zero_tile(A, FOUR, FOUR, NATIVE),
            load_rows(A, a, width, FOUR, NATIVE),
            load_rows(B, b, width, FOUR, NATIVE),
        )
        add_sums(G, to, stride, tile, FOUR)
    elif form == 1:
        tile = fma_outer(
            zero_tile(A, FOUR, ONE, NATIVE),
            load_rows(A, a, width, FOUR, NATIVE),
            load_rows(B, b, width, ONE, NATIVE),
        )
        add_sums(G, to, stride, tile, ONE)
    elif form == 2:
        tile = fma_outer(
            zero_tile(A, TWO, FOUR, NATIVE),
            load_rows(A, a, width, TWO, NATIVE),
            load_rows(B, b, width, FOUR, NATIVE),
        )
        add_sums(G, to, stride, tile, FOUR)
    elif form == 3:
        tile = fma_outer(
            zero_tile(A, SIX, FOUR, NATIVE),
            load_rows(A, a, width, SIX, NATIVE),
            load_rows(B, b, width, FOUR, NATIVE),
        )
        add_sums(G, to, stride, tile, FOUR)
    elif form == 4:
        tile = fma_outer(
            zero_tile(A, SIX, TWO, NATIVE),
            load_rows(A, a, width, SIX, NATIVE),
            load_rows(B, b, width, TWO, NATIVE),
        )
        add_sums(G, to, stride, tile, TWO)
    else:
        tile = fma_outer(
            zero_tile(A, ONE, ONE, NATIVE),
            load_rows(A, a, width, ONE, NATIVE),
            load_rows(B, b, width, ONE, NATIVE),
        )
        add_sums(G, to, stride, tile, ONE)


@kernel
def call_tiles(A, B, w, bound, step, out):
    """Write four rows each: A + B, A · B, A · B + A, max(A, bound), A again, w · B₀ + w, B₀."""
    a, b = load_rows(A, 0, step, FOUR, NATIVE), load_rows(B, 0, step, FOUR, NATIVE)
    first = load(B, 0, NATIVE)
    store_rows(out, 0, step, add_tiles(a, b))
    store_rows(out, 4 * step, step, multiply_tiles(a, b))
    store_rows(out, 8 * step, step, fma_tiles(a, b, a))
    store_rows(out, 12 * step, step, at_least(a, bound))
    store_rows(out, 16 * step, step, split(join(a), a))
    store_rows(out, 20 * step, step, fma_rows(splat_rows(w, 0, 2, FOUR, NATIVE), w, 0, 2, first))
    store_rows(out, 24 * step, step, repeat(first, FOUR))


@kernel
def call_affine(
    n_rows, n_inner, w, start, row_stride, inner_stride, bias, least, X, panel, width, out, to
):
    affine(
        n_rows, n_inner, w, start, row_stride, inner_stride, bias, least, X, panel, width, out, to
    )


@kernel
def call_add_outer(A, n_a, a_panel, B, n_b, b_panel, count, width, step, G, to):
    add_outer(A, n_a, a_panel, B, n_b, b_panel, count, width, step, G, to)


@kernel
def call_add_outer_strips(A, n_a, at_a, S, n_strips, samples, width, step, sums):
    add_outer_strips(A, n_a, at_a, S, n_strips, samples, width, step, sums)


@kernel
def call_turn_to_strips(panel, start, n_strips, width, step, out, to):
    turn_to_strips(panel, start, n_strips, width, step, out, to)


@kernel
def call_turn_to_panel(strip_memory, n_strips, width, step, panel, to):
    turn_to_panel(strip_memory, n_strips, width, step, panel, to)


@kernel
def call_pack(source, n_rows, rows, first, count, width, step, strip_memory, out):
    pack(source, n_rows, rows, first, count, width, step, strip_memory, out)


@kernel
def call_pack_weights(source, first, count, width, step, strip_memory, out):
    pack_weights(source, first, count, width, step, strip_memory, out)


@kernel
def call_activate(code, Z, start, rows, width, valid, step):
    activate(code, Z, start, rows, width, valid, step)


@kernel
def call_delta(single_input, code, H, m, r, X, x_panel, count, width, step, G, to_b, to_y):
    delta(single_input, code, H, m, r, X, x_panel, count, width, step, G, to_b, to_y)


@kernel
def call_delta_of_outputs(code, H, m, R, s, theta, W_y, g, count, width, step, G, to_b):
    delta_of_outputs(code, H, m, R, s, theta, W_y, g, count, width, step, G, to_b)
