"""From the user's arrays to panels: tiles of samples that lie together in cache.

A panel holds the rows of one tile of samples, row after row, ``width`` samples each; a block is a
few panels.  Whatever the memory order, strides and dtype of X, the kernels see the same panels,
and so compute the same bits; nothing is ever copied whole.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy.typing as npt

from batchprop.engines.fused.jit import helper
from batchprop.engines.fused.memory import load_address, read_float32, read_float64, store
from batchprop.engines.fused.vectors import WIDE


class Columns(NamedTuple):
    """A matrix of samples in memory, as kernels see it: an address and strides, in bytes."""

    address: int
    row_stride: int
    sample_stride: int
    itemsize: int


def columns(array: npt.NDArray[Any]) -> Columns:
    """Describe a float32 or float64 array (rows, N) or (N,), which the caller keeps alive."""
    row_stride = array.strides[0] if array.ndim == 2 else 0
    return Columns(array.ctypes.data, row_stride, array.strides[-1], array.itemsize)


NO_COLUMNS = Columns(0, 0, 0, 0)


@helper()
def pack(source, n_rows, first, count, width, out):
    """Copy samples first … first + count − 1 into panels of ``out``, zeros after the last."""
    for p in range((count + width - 1) // width):
        valid = min(width, count - p * width)
        sample = source.address + (first + p * width) * source.sample_stride
        panel = p * n_rows * width
        straight = source.sample_stride == source.itemsize and source.itemsize == out.itemsize
        if straight and valid == width:
            for j in range(n_rows):
                address = sample + j * source.row_stride
                store(out, panel + j * width, load_address(out, address, WIDE))
            continue
        for i in range(valid):
            for j in range(n_rows):
                address = sample + i * source.sample_stride + j * source.row_stride
                if source.itemsize == 4:
                    out[panel + j * width + i] = read_float32(address)
                else:
                    out[panel + j * width + i] = read_float64(address)
        for j in range(n_rows):
            out[panel + j * width + valid : panel + (j + 1) * width] = 0


@helper()
def pack_weights(source, first, count, width, out):
    """The same for sample weights: 1 for each sample where there are none, 0 after the last."""
    if source.address != 0:
        pack(source, 1, first, count, width, out)
        return
    out[:count] = 1
    out[count : (count + width - 1) // width * width] = 0
