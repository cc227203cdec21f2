"""Small kernels around the parts of the large one, so that each part can be called alone."""

from __future__ import annotations

import numpy as np

from batchprop.activations import ACTIVATIONS
from batchprop.compiler.jit import address, always_inlined, call_address, kernel, types_of
from batchprop.compiler.kernel_struct import KernelStruct
from batchprop.engines.fused.activation_kernels import delta
from batchprop.engines.fused.backward import backward_one_output, backward_several_outputs
from batchprop.engines.fused.hidden_layer import activate
from batchprop.engines.fused.packing import (
    NO_SAMPLE_TABLE,
    pack,
    pack_weights,
    transpose_panels,
    turn_to_panel,
)
from batchprop.engines.fused.problem import Problem, Scratch
from batchprop.linalg.matmul import add_outer, add_outer_transposed, affine, pack_bands
from batchprop.linalg.micro_kernel import add_packed_to_tile, add_to_tile, dot_tile
from batchprop.linalg.views import Matrix, Panels, Strips
from batchprop.parameters import Shape, offsets
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
from batchprop.simd.register_tiles import (
    FOUR,
    ONE,
    SIX,
    TILE_ROWS,
    TWO,
    add_sums,
    add_tiles,
    at_least,
    fma_outer,
    fma_rows,
    fma_tiles,
    join,
    load_rows,
    repeat,
    splat_rows,
    split,
    store_rows,
    sum_rows,
    zero_tile,
)
from batchprop.simd.transposition import transpose, transpose_memory
from batchprop.simd.vectors import NATIVE, WIDE, lanes
from batchprop.threads.cancellation import leader_token

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
def call_transpose_memory(address, stride, B, to, to_stride, parts):
    if parts == 1:
        transpose_memory(address, stride, B, to, to_stride, ONE)
    else:
        transpose_memory(address, stride, B, to, to_stride, TWO)


@kernel
def call_totals(a, b, out):
    """Of wide and native vectors, each twice."""
    x, y = load(a, 0, WIDE), load(b, 0, WIDE)
    zeros = zero_sums(a, WIDE)
    out[0] = total(add_lanes(add_lanes(zeros, x), x))
    out[2] = total(add_product(add_product(zeros, x, y), x, y))
    p, q = load(a, 0, NATIVE), load(b, 0, NATIVE)
    zeros = zero_sums(a, NATIVE)
    out[1] = total(add_lanes(add_lanes(zeros, p), p))
    out[3] = total(add_product(add_product(zeros, p, q), p, q))


@kernel
def call_arithmetic(a, b, out, at):
    store(out, at, subtract(load(a, at, NATIVE), load(b, at, NATIVE)))
    store(out, at + 100, multiply(load(a, at, NATIVE), load(b, at, NATIVE)))


@always_inlined
def _add_outer_sums(rows, columns, A, a, B, b, width, G, to, stride):
    tile = fma_outer(
        zero_tile(A, rows, columns, NATIVE),
        load_rows(A, a, width, rows, NATIVE),
        load_rows(B, b, width, columns, NATIVE),
    )
    add_sums(G, to, stride, tile, columns)


@kernel
def call_add_sums(form, A, a, B, b, width, G, to, stride):
    """Of the outer products of rows of A with rows of B, one vector each."""
    if form == 0:
        _add_outer_sums(FOUR, FOUR, A, a, B, b, width, G, to, stride)
    elif form == 1:
        _add_outer_sums(FOUR, ONE, A, a, B, b, width, G, to, stride)
    elif form == 2:
        _add_outer_sums(TWO, FOUR, A, a, B, b, width, G, to, stride)
    elif form == 3:
        _add_outer_sums(SIX, FOUR, A, a, B, b, width, G, to, stride)
    elif form == 4:
        _add_outer_sums(SIX, TWO, A, a, B, b, width, G, to, stride)
    elif form == 5:
        _add_outer_sums(TWO, SIX, A, a, B, b, width, G, to, stride)
    else:
        _add_outer_sums(ONE, ONE, A, a, B, b, width, G, to, stride)


@kernel
def call_tiles(A, B, w, bound, step, out):
    """Write four rows each: A + B, A · B + A, max(A, bound), A again, w · B₀ + w, B₀."""
    a, b = load_rows(A, 0, step, FOUR, NATIVE), load_rows(B, 0, step, FOUR, NATIVE)
    first = load(B, 0, NATIVE)
    store_rows(out, 0, step, add_tiles(a, b))
    store_rows(out, 4 * step, step, fma_tiles(a, b, a))
    store_rows(out, 8 * step, step, at_least(a, bound))
    store_rows(out, 12 * step, step, split(join(a), a))
    store_rows(out, 16 * step, step, fma_rows(splat_rows(w, 0, 2, FOUR, NATIVE), w, 0, 2, first))
    store_rows(out, 20 * step, step, repeat(first, FOUR))


@kernel
def call_delta(code, H, dH, out):
    """Write σ′(Z) ⊙ dH."""
    for i in range(0, H.size, lanes_of(H, NATIVE)):
        store(out, i, delta(code, load(H, i, NATIVE), load(dH, i, NATIVE)))


@kernel
def call_dot_tile(A, B, start, stride, count, G):
    """Add to G the dot products of six rows of A and two of B."""
    rows, columns = Panels(A, start, 6, count, stride, 0), Panels(B, start, 2, count, stride, 0)
    dot_tile(SIX, TWO, rows, 0, columns, 0, Matrix(G, 0, 6, 2, 2, 1))


@kernel
def call_sum_rows(A, step, out):
    """Of 1, 2 and 4 rows."""
    store_rows(out, 0, step, sum_rows(load_rows(A, 0, step, ONE, NATIVE)))
    store_rows(out, step, step, sum_rows(load_rows(A, 0, step, TWO, NATIVE)))
    store_rows(out, 2 * step, step, sum_rows(load_rows(A, 0, step, FOUR, NATIVE)))


def one_panel(array, start, n_rows, n_samples):
    """Return the view of a panel."""
    return Panels(array, start, n_rows, n_samples, width_of(array.dtype), 0)


def view(array, n_rows, n_samples, rows=None):
    """Return the view of all panels, of ``rows`` rows each."""
    width = width_of(array.dtype)
    return Panels(array, 0, n_rows, n_samples, width, width * (rows or n_rows))


def strips_view(array, n_strips):
    """Return the view of a panel's strips."""
    return Strips(array, n_strips, width_of(array.dtype), step_of(array.dtype))


def transposed(M, dtype, n_allocated):
    """Return a matrix (rows, N) as the array of a ``Transpose``, whose other numbers are NaN."""
    step = step_of(dtype)
    n_strips, n_samples = -(-M.shape[0] // step), M.shape[1]
    out, strip = np.full(n_strips * step * n_allocated, np.nan, dtype), 0
    while strip < n_strips:
        left = n_strips - strip
        group = WIDE if left >= WIDE else min(left, 2)
        rows = np.zeros((group * step, n_samples))
        part = M[strip * step : (strip + group) * step]
        rows[: len(part)] = part
        start = strip * step * n_allocated
        out[start : start + rows.size] = rows.T.ravel()
        strip += group
    return out


def hidden_layer_memory(name, shape, H, wR, X=None, sums_in_strips=False):
    """Return problem and scratch memory with these panels: all that the hidden layer looks at."""
    e, m, _ = shape
    fields = dict.fromkeys(Problem._fields, 0) | dict.fromkeys(
        ("X", "T", "weight"), NO_SAMPLE_TABLE
    )
    problem = Problem(
        **fields
        | dict(zip("ems", shape, strict=True))
        | offsets(Shape(*shape))._asdict()
        | {
            "activation": ACTIVATIONS[name].code,
            "x_rows": e,
            "h_rows": m,
            "sums_in_strips": sums_in_strips,
        }
    )
    unused = np.zeros(0, H.dtype)
    memory = dict.fromkeys(Scratch._fields, unused) | {
        "H": np.concatenate([H, np.full(TILE_ROWS * width_of(H.dtype), np.nan, H.dtype)]),
        "weighted_residuals": wR,
        "X": unused if X is None else X,
        "dH": np.full(TILE_ROWS * (H.size // m), np.nan, H.dtype),
        "panel": np.zeros(1, np.int64),
        "spare_sums": np.full(TILE_ROWS * max(shape[0], shape[2]), np.nan),
        "token": leader_token(None),
    }
    return KernelStruct(problem), KernelStruct(Scratch(**memory))


@kernel
def call_affine(W, b, least, X, out, cache_rows, cache_columns):
    affine(W, b, least, X, out, cache_rows, cache_columns)


@kernel
def call_pack_bands(W, out):
    pack_bands(W, out)


@kernel
def call_add_outer(A, B, G):
    add_outer(A, B, G)


@kernel
def call_add_outer_transposed(A, BT, C, cache_rows):
    add_outer_transposed(A, BT, C, cache_rows)


@kernel
def call_transpose_panels(panels, XT):
    transpose_panels(panels, XT)


@kernel
def call_turn_to_panel(source, panel):
    turn_to_panel(source, panel)


@kernel
def call_pack(source, first, out, strip_memory):
    pack(source, first, out, strip_memory)


@kernel
def call_pack_weights(source, first, out, strip_memory):
    pack_weights(source, first, out, strip_memory)


@kernel
def call_activate(code, from_x, theta, W_h, b_h, X, Z):
    activate(code, from_x, theta, W_h, b_h, X, Z)


@kernel
def _call(kernel_address, problem, theta, count, scratch, G):
    call_address(kernel_address, (problem, theta, count, scratch, G))


def backward(problem, theta, count, scratch, G):
    """Call the kernel of the backward pass for one output or for several."""
    chosen = backward_one_output if problem.s == 1 else backward_several_outputs
    arguments = problem, theta, count, scratch, G
    _call(address(chosen, types_of(*arguments)), *arguments)


@kernel
def call_add_to_tile(is_packed, A, at_a, row_stride, column_stride, B, at_b, count, C):
    width = lanes_of(C, WIDE)
    tile = load_rows(C, 0, width, SIX, WIDE)
    if is_packed:
        tile = add_packed_to_tile(tile, A, at_a, column_stride, 50, B, at_b, width, count)
    else:
        strides = row_stride, column_stride
        tile = add_to_tile(tile, A, at_a, *strides, B, at_b, width, count)
    store_rows(C, 0, width, tile)
