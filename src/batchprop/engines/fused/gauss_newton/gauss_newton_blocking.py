"""How samples are cut if JᵀJ is summed: there are many sums, so fewer chunks and smaller blocks."""

from __future__ import annotations

from typing import Any

import numpy as np

from batchprop.engines.fused import blocking
from batchprop.engines.fused.blocking import Blocking, round_up
from batchprop.engines.fused.gauss_newton.row_product_layout import ROWS, n_sums, panel_rows
from batchprop.parameters import Shape

CHUNK_SAMPLES = 512  # at least: adding a chunk's sums to the others' costs as much as a few samples
MOST_CHUNKS = 32
MOST_SUM_BYTES = 128 << 20  # of all chunks' sums together, as long as 8 chunks are left
BLOCK_BYTES = 512 * 1024  # of rows that are multiplied: they stay in the second-level cache
BLOCK_SAMPLES = 256  # at most: a tile's ten rows stay in the first-level cache
FMA_NS = 0.05  # a multiply-add of the row products on one thread


def choose_blocking(shape: Shape, n_samples: int, dtype: np.dtype[Any]) -> Blocking:
    """Cut ``n_samples`` samples into chunks, and chunks into blocks of equal size."""
    gradient = blocking.choose_blocking(shape, n_samples, dtype)
    width = gradient.width
    rows = panel_rows(shape.n_inputs, shape.n_hidden) + ROWS
    n_products = n_sums(shape)
    row_bytes = 8 * (n_products + shape.n_parameters + shape.n_outputs)
    max_chunks = max(8, min(MOST_CHUNKS, MOST_SUM_BYTES // row_bytes))
    n_chunks = min(max_chunks, -(-n_samples // CHUNK_SAMPLES))
    chunk = round_up(-(-n_samples // n_chunks), width)
    fitting = max(2 * width, BLOCK_BYTES // (8 * rows) // width * width)
    n_blocks = -(-chunk // min(chunk, BLOCK_SAMPLES, fitting))
    block = round_up(-(-chunk // n_blocks), width)
    return gradient._replace(
        block=block,
        chunk=chunk,
        n_chunks=-(-n_samples // chunk),
        nanoseconds=gradient.nanoseconds + FMA_NS * n_products * n_samples,
        row_product_size=rows * block,
        n_row_products=n_products,
    )


def n_bytes(shape: Shape, n_samples: int) -> int:
    """Return the bytes that grow with P²: JᵀJ, a copy to factorise, and the chunks' sums."""
    n_chunks = choose_blocking(shape, n_samples, np.dtype(np.float64)).n_chunks
    return 8 * (2 * shape.n_parameters**2 + n_chunks * n_sums(shape))
