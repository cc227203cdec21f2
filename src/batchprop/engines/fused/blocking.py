"""How a data set is cut into chunks, blocks and panels, and the memory for it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop.parameters import Shape
from batchprop.simd.vectors import NATIVE, WIDE, lanes

Array = npt.NDArray[Any]

BLOCK_BYTES = 192 * 1024  # of hidden layer that goes forward and backward together
CHUNK_SAMPLES = 512  # at least, so that the sums' ends do not weigh
MOST_CHUNKS = 64
MOST_SUM_BYTES = 64 << 20  # of all chunks' sums together, as long as 16 chunks are left
# Nanoseconds on one thread: per sample and unit for σ and what goes with it, per multiply-add.
ELEMENT_NS, FMA_NS = {4: 0.6, 8: 1.4}, {4: 0.02, 8: 0.04}


class Plan(NamedTuple):
    """Sizes that depend on the problem alone, in samples."""

    width: int
    step: int
    block: int
    chunk: int
    n_chunks: int
    strips: bool
    nanoseconds: float
    products: int = 1  # numbers of memory for rows that are multiplied, for JᵀJ
    n_products: int = 0  # sums of their products


def plan(shape: Shape, n_samples: int, dtype: np.dtype[Any]) -> Plan:
    """Cut ``n_samples`` samples into chunks, the chunks into blocks."""
    e, m, s = shape
    bits, size = dtype.itemsize * 8, dtype.itemsize
    width = lanes(bits, WIDE)

    def whole(count: float) -> int:
        return max(1, -(-int(count) // width)) * width

    rows = m + e
    block = min(1024, max(2 * width, BLOCK_BYTES // (size * rows) // width * width))
    step = lanes(bits, NATIVE)
    strips = e >= step
    row_bytes = 8 * (shape.n_parameters + s)
    most = max(16, min(MOST_CHUNKS, MOST_SUM_BYTES // row_bytes))
    n_chunks = min(most, -(-n_samples // CHUNK_SAMPLES))
    chunk = whole(-(-n_samples // n_chunks))
    if chunk > block:  # equal blocks
        block = whole(-(-chunk // -(-chunk // block)))
    else:
        block = chunk
    nanoseconds = n_samples * m * (ELEMENT_NS[size] + FMA_NS[size] * (2 * e + 3 * s))
    return Plan(width, step, block, chunk, -(-n_samples // chunk), strips, float(nanoseconds))
