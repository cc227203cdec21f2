"""How samples are cut if JᵀJ is summed: there are many sums, so fewer chunks and smaller blocks."""

from __future__ import annotations

from typing import Any

import numpy as np

from batchprop import segments
from batchprop.engines.fused.blocking import Blocking, cut_into_blocks, cut_into_chunks, cut_weights
from batchprop.engines.fused.blocking import choose_blocking as choose_gradient_blocking
from batchprop.engines.fused.gauss_newton.row_product_layout import (
    n_row_product_sums,
    panel_rows,
)
from batchprop.machine.cache_sizes import cache_sizes
from batchprop.parameters import Shape
from batchprop.simd.register_tiles import TILE_ROWS

MOST_CHUNKS = 32
MOST_SUM_BYTES = 128 << 20  # of all chunks' sums together, but never fewer than 8 chunks
BLOCK_BYTES = 512 * 1024  # of rows that are multiplied: they stay in the second-level cache
BLOCK_SAMPLES = 256  # at most: a tile's eight or ten rows stay in the first-level cache
FMA_NS = 0.05  # a multiply-add of the row products on one thread


def choose_blocking(shape: Shape, n_samples: int, dtype: np.dtype[Any]) -> Blocking:
    """Cut a segment into chunks, and chunks into blocks of equal size."""
    gradient = choose_gradient_blocking(shape, n_samples, dtype)
    width = gradient.width
    rows = panel_rows(shape.n_inputs, shape.n_hidden) + TILE_ROWS
    n_products = n_row_product_sums(shape)
    row_bytes = 8 * (n_products + shape.n_parameters + shape.n_outputs)
    max_chunks = max(8, min(MOST_CHUNKS, MOST_SUM_BYTES // row_bytes))
    in_segment = min(n_samples, segments.SEGMENT_SAMPLES)
    chunk_samples, n_chunks = cut_into_chunks(in_segment, max_chunks, width)
    fitting = BLOCK_BYTES // (8 * rows)
    block_samples = cut_into_blocks(chunk_samples, min(BLOCK_SAMPLES, fitting), width)
    return gradient._replace(
        **cut_weights(shape, 8, width, block_samples, cache_sizes())._asdict(),
        packed_size=0,
        block_samples=block_samples,
        chunk_samples=chunk_samples,
        n_chunks=n_chunks,
        nanoseconds=gradient.nanoseconds + FMA_NS * n_products * n_samples,
        row_product_size=max(rows, shape.n_outputs) * block_samples,
        n_row_products=n_products,
    )


def n_bytes(shape: Shape, n_samples: int) -> int:
    """Return the bytes that grow with P²: JᵀJ, a copy to factorise, and the sums."""
    n_chunks = choose_blocking(shape, n_samples, np.dtype(np.float64)).n_chunks
    levels = segments.n_levels(segments.n_segments(n_samples))
    return 8 * (2 * shape.n_parameters**2 + (n_chunks + levels) * n_row_product_sums(shape))
