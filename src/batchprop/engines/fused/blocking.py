"""How the samples and the weights are cut, and how long an evaluation takes.

Samples are cut into *segments* of fixed length, segments into *chunks*, which threads share; a
chunk into *blocks*, which go forward and backward while they are in cache; a block into *panels*,
as many samples as fill a wide vector.
These cuts decide in which order numbers are added.  They depend on the problem and on the length of
vectors alone, so that the bits of a sum do not depend on the caches of the machine.

W_h and δ_h are cut as well, in the way of Goto and van de Geijn ("Anatomy of high-performance
matrix multiplication", ACM Trans. Math. Softw. 34, 2008): a part of W_h stays in the second-level
cache for all panels of a block, and a part of a panel in the first-level cache for all rows of that
part.  These cuts follow the caches of the machine; they leave the order of additions as it is.
``tools/blocking_table.py`` prints what is chosen.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from batchprop import segments
from batchprop.machine.cache_sizes import CacheSizes, cache_sizes
from batchprop.parameters import Shape
from batchprop.simd.register_tiles import TILE_ROWS
from batchprop.simd.vectors import NATIVE, WIDE, lanes

CHUNK_SAMPLES = 512  # at most, while there are few chunks; then twice as many and some more
FEW_CHUNKS, MAX_CHUNKS = 8, 64
MAX_CHUNKS_OF_SEVERAL = 16  # in each of several segments: the sums of chunks are added one by one
LARGE_SUM_BYTES = 1 << 20  # a chunk's sums fill most processors' second-level cache
# of all chunks' sums together; so many chunks are allowed whatever they take
MAX_SUM_BYTES, ALWAYS_ALLOWED_CHUNKS = 64 << 20, 16
ROW_BYTES = 2048  # of a row of a block: ten rows of a tile and some more fit the first-level cache
# The same if dW_h is summed in strips: six rows and a wide vector of inputs share that cache.
STRIP_ROW_BYTES, WIDE_ROWS_BYTES = 1024, 16 << 10
MIN_STRIP_BLOCK = 128  # samples of such a block
SET_PERIOD = 64 << 10  # bytes
BLOCK_BYTES = 4 << 20  # of inputs and hidden layer of a block, but never fewer than two panels
KEPT_BYTES = 4 << 20  # of inputs, targets and weights that stay packed
STRIPS_FROM_UNITS, STRIPS_FROM_VECTORS = 96, 2  # hidden units; vectors of inputs
MAX_PADDING = 1.25  # of inputs that are padded to whole vectors
PACKED_FROM_BYTES = 16 << 10  # a smaller W_h stays in the first-level cache
PACKED_FROM_SAMPLES = 64  # of a chunk: packing takes as long as about ten samples
# Nanoseconds on one thread: per sample and unit for σ and what goes with it, per multiply-add.
ELEMENT_NS, FMA_NS = {4: 0.6, 8: 1.4}, {4: 0.02, 8: 0.04}


class Blocking(NamedTuple):
    """Block sizes.

    Attributes
    ----------
    width, lanes : int
        Samples in a panel, which fill a wide vector; lanes of a native vector.
    block_samples, chunk_samples : int
        Samples in a block and in a chunk, at most.
    n_chunks : int
        Number of chunks in a segment, the last one aside; also the largest number of threads.
    x_rows : int
        Rows in a panel of inputs: e, padded to whole vectors unless samples are kept.
    h_rows : int
        Rows in a panel of hidden units: m, and more where panels would share cache sets.
    sums_in_strips : bool
        Whether dW_h is summed with inputs along vectors.
    cache_rows, cache_columns : int
        ``cache_rows`` × ``cache_columns`` of W_h stay in the second-level cache, and
        ``cache_columns`` rows of a panel of X in the first-level cache; in the backward pass
        ``cache_rows`` rows of δ_h stay in the second-level cache.
    cache_panels : int
        Panels that go forward together.
    packed_size : int
        Numbers of b_h and of W_h in bands; 0 if W_h is not packed for each chunk.
    nanoseconds : float
        Estimated time of an evaluation on one thread.
    row_product_size : int
        Numbers of a thread's memory for rows to multiply and their products, for JᵀJ, or for
        outputs at θ ± p.
    n_row_products : int
        How many sums of these products there are.
    keeps_samples : bool
        Whether all samples stay packed from one evaluation to the next.
    """

    width: int
    lanes: int
    block_samples: int
    chunk_samples: int
    n_chunks: int
    x_rows: int
    h_rows: int
    sums_in_strips: bool
    cache_rows: int
    cache_columns: int
    cache_panels: int
    packed_size: int
    nanoseconds: float
    row_product_size: int = 1
    n_row_products: int = 0
    keeps_samples: bool = False


def round_up(count: int, width: int) -> int:
    """Return the next multiple of ``width``, one at least."""
    return max(1, -(-count // width)) * width


def equal_parts(count: int, largest: int) -> int:
    """Return the size of the parts if ``count`` is cut into equal parts of at most ``largest``."""
    return -(-count // -(-count // largest))


def cut_into_chunks(
    n_samples: int, max_chunks: int, width: int, large_sums: bool = False
) -> tuple[int, int]:
    """Return the largest number of samples in a chunk, and the number of chunks.

    A chunk's sums move from one core to another, which takes as long as many samples, hence
    CHUNK_SAMPLES, or twice as many for large sums.  Chunks are whole panels, and as equal as they
    can be: ``chunk_bounds`` says where each begins.  A few are a power of two, more of them a
    multiple of FEW_CHUNKS, so that 2, 4 or 8 threads have the same work each.
    """
    n_panels = -(-n_samples // width)
    samples = 2 * CHUNK_SAMPLES if large_sums else CHUNK_SAMPLES
    few = min(FEW_CHUNKS, -(-n_samples // samples))
    exponent = few.bit_length() - 1 if large_sums else (few - 1).bit_length()
    few = min(1 << exponent, n_panels)
    many = min(-(-n_samples // (2 * samples)), max_chunks) // FEW_CHUNKS * FEW_CHUNKS
    n_chunks = max(few, many)
    return -(-n_panels // n_chunks) * width, n_chunks


def cut_into_blocks(chunk_samples: int, limit: int, width: int) -> int:
    """Return the number of samples in a block, a multiple of ``width``."""
    return round_up(equal_parts(chunk_samples, max(2 * width, limit // width * width)), width)


class WeightCuts(NamedTuple):
    """How W_h and δ_h are cut: see ``Blocking``."""

    cache_rows: int
    cache_columns: int
    cache_panels: int


def cut_weights(
    shape: Shape, itemsize: int, width: int, block_samples: int, caches: CacheSizes
) -> WeightCuts:
    """Cut W_h for the forward pass and δ_h for the backward pass: half of each cache is for them.

    If all of W_h fits, a few panels go forward together, so that their hidden layer is in the
    first-level cache for σ; otherwise all panels of a block do, so that W_h is read once.
    """
    e, m, _ = shape
    columns = equal_parts(e, max(1, caches.first // 2 // (width * itemsize)))
    rows = caches.second // 2 // (itemsize * max(columns, block_samples))
    fits = columns == e and m * e * itemsize <= caches.second // 2
    in_first_cache = max(1, caches.first // 2 // (itemsize * (m + e) * width))
    return WeightCuts(
        cache_rows=max(1, rows // TILE_ROWS) * TILE_ROWS,
        cache_columns=columns,
        cache_panels=min(in_first_cache if fits else block_samples, block_samples // width),
    )


def packed_size(shape: Shape, itemsize: int, chunk_samples: int) -> int:
    """Return the numbers of W_h in bands of six rows and of b_h; 0 if packing does not pay."""
    e, m, _ = shape
    if m * e * itemsize <= PACKED_FROM_BYTES or chunk_samples < PACKED_FROM_SAMPLES:
        return 0
    return round_up(m, TILE_ROWS) * e + m


def hidden_rows(m: int, row_bytes: int) -> int:
    """Return the rows in a panel of hidden units.

    Numbers that are a multiple of 64 KiB apart share a set of most second-level caches, which has
    room for 8 or 16 of them.  Rows of a block's panels must therefore not be so far apart: panels
    of 48 KiB and more get spare rows, until their size is 16 KiB and more off such a multiple.
    """
    offset = (m * row_bytes + SET_PERIOD // 4) % SET_PERIOD  # 0 to half a period: too close
    if m * row_bytes < SET_PERIOD * 3 // 4 or offset >= SET_PERIOD // 2:
        return m
    return m + -(-(SET_PERIOD // 2 - offset) // row_bytes)


def choose_blocking(shape: Shape, n_samples: int, dtype: np.dtype[Any]) -> Blocking:
    """Cut a segment into chunks, chunks into blocks of equal size, and the weights."""
    e, m, s = shape
    bits, size = dtype.itemsize * 8, dtype.itemsize
    width, native = lanes(bits, WIDE), lanes(bits, NATIVE)
    x_rows = round_up(e, native)
    sums_in_strips = (
        m >= STRIPS_FROM_UNITS and e >= STRIPS_FROM_VECTORS * native and x_rows <= MAX_PADDING * e
    )
    row_limit = ROW_BYTES // size
    if sums_in_strips:
        row_limit = max(MIN_STRIP_BLOCK, WIDE_ROWS_BYTES // (width * size))
        row_limit = min(row_limit, STRIP_ROW_BYTES // size)
    row_bytes = 8 * (shape.n_parameters + s)
    most = MAX_CHUNKS if n_samples <= segments.SEGMENT_SAMPLES else MAX_CHUNKS_OF_SEVERAL
    max_chunks = max(ALWAYS_ALLOWED_CHUNKS, min(most, MAX_SUM_BYTES // row_bytes))
    large_sums = row_bytes >= LARGE_SUM_BYTES
    in_segment = min(n_samples, segments.SEGMENT_SAMPLES)
    chunk_samples, n_chunks = cut_into_chunks(in_segment, max_chunks, width, large_sums)
    limit = min(row_limit, BLOCK_BYTES // (size * (m + 2 * e)))
    block_samples = cut_into_blocks(chunk_samples, limit, width)
    return Blocking(
        width=width,
        lanes=native,
        block_samples=block_samples,
        chunk_samples=chunk_samples,
        n_chunks=n_chunks,
        x_rows=x_rows,
        h_rows=hidden_rows(m, width * size),
        sums_in_strips=sums_in_strips,
        **cut_weights(shape, size, width, block_samples, cache_sizes())._asdict(),
        packed_size=packed_size(shape, size, chunk_samples),
        nanoseconds=float(n_samples * m * (ELEMENT_NS[size] + FMA_NS[size] * (2 * e + 3 * s))),
    )


def keep_samples(blocking: Blocking, shape: Shape, n_samples: int, itemsize: int) -> Blocking:
    """Let all samples stay packed if they are small: packing a block takes up to half of its time.

    Panels then have no padding rows, unless vectors along the inputs need them.
    """
    rows = blocking.x_rows if blocking.sums_in_strips else shape.n_inputs
    n_bytes = round_up(n_samples, blocking.width) * (rows + shape.n_outputs + 1) * itemsize
    if n_bytes > KEPT_BYTES:
        return blocking
    return blocking._replace(x_rows=rows, keeps_samples=True)
