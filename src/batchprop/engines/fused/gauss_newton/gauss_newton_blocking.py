"""How samples are cut where JᵀJ is summed: many sums, so fewer chunks, and smaller blocks."""

from __future__ import annotations

from typing import Any

import numpy as np

from batchprop.engines.fused.blocking import Plan
from batchprop.engines.fused.blocking import plan as plan_steps
from batchprop.engines.fused.gauss_newton.row_product_layout import ROWS, n_sums, panel_rows
from batchprop.parameters import Shape

CHUNK_SAMPLES = 512  # at least: each chunk's sums are read once more than its products are made
MOST_CHUNKS = 32
MOST_SUM_BYTES = 128 << 20  # of all chunks' sums together, as long as 8 chunks are left
BLOCK_BYTES = 512 * 1024  # of rows that are multiplied: they stay in the second-level cache
BLOCK_SAMPLES = 256  # at most: a tile's ten rows stay in the first-level cache
FMA_NS = 0.05  # a multiply-add of the products takes on one thread


def plan(shape: Shape, n_samples: int, dtype: np.dtype[Any]) -> Plan:
    """Cut ``n_samples`` samples into chunks, the chunks into blocks."""
    plain = plan_steps(shape, n_samples, dtype)
    width = plain.width

    def whole(count: float) -> int:
        return max(1, -(-int(count) // width)) * width

    rows = panel_rows(shape.n_inputs, shape.n_hidden) + ROWS
    products = n_sums(shape)
    row_bytes = 8 * (products + shape.n_parameters + shape.n_outputs)
    most = max(8, min(MOST_CHUNKS, MOST_SUM_BYTES // row_bytes))
    n_chunks = min(most, -(-n_samples // CHUNK_SAMPLES))
    chunk = whole(-(-n_samples // n_chunks))
    block = min(chunk, BLOCK_SAMPLES, max(2 * width, BLOCK_BYTES // (8 * rows) // width * width))
    block = whole(-(-chunk // -(-chunk // block)))  # equal blocks
    return plain._replace(
        block=block,
        chunk=chunk,
        n_chunks=-(-n_samples // chunk),
        nanoseconds=plain.nanoseconds + FMA_NS * products * n_samples,
        products=rows * block,
        n_products=products,
    )


def n_bytes(shape: Shape, n_samples: int) -> int:
    """Return the bytes that grow with P²: JᵀJ, a copy to factorise, and the chunks' sums."""
    n_chunks = plan(shape, n_samples, np.dtype(np.float64)).n_chunks
    return 8 * (2 * shape.n_parameters**2 + n_chunks * n_sums(shape))
