"""From the user's arrays to panels: tiles of samples that lie together in cache.

A panel holds the rows of one tile of samples, row after row, ``width`` samples each; a block is a
few panels.  *Strips* hold the same numbers the other way round, a native vector of rows of one
sample after the other.  Whatever the memory order, strides and dtype of X, the kernels see the
same panels and strips, and so compute the same bits; nothing is ever copied whole.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop.compiler.jit import always_inlined, helper, never_inlined
from batchprop.simd.load_store import (
    copy_part,
    fill,
    load,
    read_float32,
    read_float64,
    standard,
    store,
)
from batchprop.simd.register_tiles import transpose
from batchprop.simd.vectors import WIDE


class Columns(NamedTuple):
    """A matrix of samples in memory, as kernels see it: addresses, and strides in bytes."""

    address: int
    row_stride: int
    sample_stride: int
    itemsize: int
    mean: int  # where the rows' means and factors stand, float64; 0 for data as they are
    factor: int


def columns(
    array: npt.NDArray[Any],
    mean: npt.NDArray[np.float64] | None = None,
    factor: npt.NDArray[np.float64] | None = None,
) -> Columns:
    """Describe a float32 or float64 array (rows, N) or (N,); the caller keeps all arrays alive.

    With means and factors, contiguous (rows,), what is packed is (x − mean) · factor.
    """
    row_stride = array.strides[0] if array.ndim == 2 else 0
    scaled = [0 if numbers is None else numbers.ctypes.data for numbers in (mean, factor)]
    return Columns(array.ctypes.data, row_stride, array.strides[-1], array.itemsize, *scaled)


NO_COLUMNS = Columns(0, 0, 0, 0, 0, 0)


@always_inlined
def _copy(address, count, step, itemsize, out, to):
    """Copy neighbours from memory, in vectors as far as that goes."""
    done = 0
    while count - done >= step:
        copy_part(out, to + done, address + done * itemsize, 1)
        done += step
    if count - done >= step // 2:
        copy_part(out, to + done, address + done * itemsize, 2)
        done += step // 2
    while done < count:
        copy_part(out, to + done, address + done * itemsize, 1024)
        done += 1


@helper
def turn_to_panel(strips, n_strips, width, step, panel, to):
    """Write a panel from its strips."""
    for strip in range(n_strips):
        for i in range(0, width, step):
            transpose(
                strips,
                (strip * width + i) * step,
                step,
                panel,
                to + strip * step * width + i,
                width,
            )


@helper
def turn_to_strips(panel, start, n_strips, width, step, strips, to):
    """Write the strips of a panel, whose rows go on to a whole strip."""
    for strip in range(n_strips):
        for i in range(0, width, step):
            transpose(
                panel,
                start + strip * step * width + i,
                width,
                strips,
                to + (strip * width + i) * step,
                step,
            )


@helper
def _narrow(source, n_rows, sample, valid, width, out, panel):
    """Copy float64 samples to a float32 panel, standardised before they are rounded."""
    for j in range(n_rows):
        mean, factor = 0.0, 1.0
        if source.mean != 0:
            mean, factor = read_float64(source.mean + 8 * j), read_float64(source.factor + 8 * j)
        for i in range(valid):
            x = read_float64(sample + i * source.sample_stride + j * source.row_stride)
            out[panel + j * width + i] = (x - mean) * factor


@helper
def _standardise(source, n_rows, width, out, panel):
    """Standardise the rows of a panel in place, in float64."""
    for j in range(n_rows):
        mean, factor = read_float64(source.mean + 8 * j), read_float64(source.factor + 8 * j)
        at = panel + j * width
        store(out, at, standard(load(out, at, WIDE), mean, factor))


@never_inlined
def pack(source, n_rows, rows, first, count, width, step, strips, out):
    """Copy samples first … first + count − 1 into panels of ``out``, zeros after the last.

    A panel of ``out`` has ``rows`` rows, of which the first ``n_rows`` are written, and all of
    them where the source is row-major; ``strips`` is memory for one panel turned round.
    """
    itemsize = source.itemsize
    same = itemsize == out.itemsize
    n_strips = (n_rows + step - 1) // step
    for p in range((count + width - 1) // width):
        valid = min(width, count - p * width)
        sample = source.address + (first + p * width) * source.sample_stride
        panel = p * rows * width
        if same and source.sample_stride == itemsize:
            for j in range(n_rows):
                _copy(sample + j * source.row_stride, valid, step, itemsize, out, panel + j * width)
        elif same and source.row_stride == itemsize and rows >= n_strips * step:
            for i in range(valid):
                for strip in range(n_strips):
                    _copy(
                        sample + i * source.sample_stride + strip * step * itemsize,
                        min(step, n_rows - strip * step), step, itemsize,
                        strips, (strip * width + i) * step,
                    )  # fmt: skip
            turn_to_panel(strips, n_strips, width, step, out, panel)
        elif itemsize > out.itemsize:
            _narrow(source, n_rows, sample, valid, width, out, panel)
        else:
            for i in range(valid):
                for j in range(n_rows):
                    address = sample + i * source.sample_stride + j * source.row_stride
                    if itemsize == 4:
                        out[panel + j * width + i] = read_float32(address)
                    else:
                        out[panel + j * width + i] = read_float64(address)
        if source.mean != 0 and itemsize <= out.itemsize:
            _standardise(source, n_rows, width, out, panel)
        if valid < width:
            for j in range(n_rows):
                fill(out, panel + j * width + valid, panel + (j + 1) * width, 0.0)


@helper
def pack_weights(source, first, count, width, step, strips, out):
    """The same for sample weights: 1 for each sample where there are none, 0 after the last."""
    if source.address != 0:
        pack(source, 1, 1, first, count, width, step, strips, out)
    else:
        fill(out, 0, count, 1.0)
        fill(out, count, (count + width - 1) // width * width, 0.0)


@helper
def leave_out(n_rows, rows, count, width, weight, out):
    """Write zeros over samples of weight 0: infinite ones would turn sums into NaN."""
    for p in range((count + width - 1) // width):
        for j in range(n_rows):
            to = (p * rows + j) * width
            for i in range(width):
                out[to + i] = out[to + i] if weight[p * width + i] != 0.0 else 0.0
