"""How a data set is cut into chunks, blocks and panels, and how long an evaluation takes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from batchprop.parameters import Shape
from batchprop.simd.vectors import NATIVE, WIDE, lanes

BLOCK_BYTES = 192 * 1024  # of inputs and hidden layer that go forward and backward together
CHUNK_SAMPLES = 512  # at most, unless there would be too many chunks
MOST_CHUNKS = 64
MOST_SUM_BYTES = 64 << 20  # of all chunks' sums together, but never fewer than 16 chunks
# Nanoseconds on one thread: per sample and unit for σ and what goes with it, per multiply-add.
ELEMENT_NS, FMA_NS = {4: 0.6, 8: 1.4}, {4: 0.02, 8: 0.04}


class Blocking(NamedTuple):
    """Block sizes, which depend on the problem alone.

    Attributes
    ----------
    width, lanes : int
        Samples in a panel, which fill a wide vector; lanes of a native vector.
    block_samples, chunk_samples : int
        Samples in a block and in a chunk; the last ones may have fewer.
    n_chunks : int
        Number of chunks, which is also the largest number of threads.
    x_rows : int
        Rows in a panel of inputs: e, padded to whole strips.
    sums_in_strips : bool
        Whether dW_h is summed with inputs along vectors.
    nanoseconds : float
        Estimated time of an evaluation on one thread.
    row_product_size : int
        Numbers of a thread's memory for rows to multiply and their products, for JᵀJ.
    n_row_products : int
        How many sums of these products there are.
    """

    width: int
    lanes: int
    block_samples: int
    chunk_samples: int
    n_chunks: int
    x_rows: int
    sums_in_strips: bool
    nanoseconds: float
    row_product_size: int = 1
    n_row_products: int = 0


def round_up(count: int, width: int) -> int:
    """Return the next multiple of ``width``, one at least."""
    return max(1, -(-count // width)) * width


def cut_into_chunks(n_samples: int, max_chunks: int, width: int) -> tuple[int, int]:
    """Return the number of samples in a chunk, a multiple of ``width``, and the number of chunks.

    Adding a chunk's sums to the others' costs as much as a few samples, hence CHUNK_SAMPLES.  The
    chunks are as equal as they can be: 513 samples give two chunks of 272, less 31 in the last.
    """
    n_chunks = min(max_chunks, -(-n_samples // CHUNK_SAMPLES))
    chunk_samples = round_up(-(-n_samples // n_chunks), width)
    return chunk_samples, -(-n_samples // chunk_samples)


def choose_blocking(shape: Shape, n_samples: int, dtype: np.dtype[Any]) -> Blocking:
    """Cut ``n_samples`` samples into chunks, and chunks into blocks of equal size."""
    e, m, s = shape
    bits, size = dtype.itemsize * 8, dtype.itemsize
    width, native = lanes(bits, WIDE), lanes(bits, NATIVE)
    rows = m + e
    largest_block = min(1024, max(2 * width, BLOCK_BYTES // (size * rows) // width * width))
    row_bytes = 8 * (shape.n_parameters + s)
    max_chunks = max(16, min(MOST_CHUNKS, MOST_SUM_BYTES // row_bytes))
    chunk_samples, n_chunks = cut_into_chunks(n_samples, max_chunks, width)
    n_blocks = -(-chunk_samples // largest_block)
    return Blocking(
        width=width,
        lanes=native,
        block_samples=round_up(-(-chunk_samples // n_blocks), width),
        chunk_samples=chunk_samples,
        n_chunks=n_chunks,
        x_rows=round_up(e, native),
        sums_in_strips=e >= native,
        nanoseconds=float(n_samples * m * (ELEMENT_NS[size] + FMA_NS[size] * (2 * e + 3 * s))),
    )
