"""Packing: samples of the user's arrays are copied into panels, which lie together in cache.

A panel holds a few samples, ``width`` of them, row after row; a block is a few panels.  *Strips*
hold the same numbers the other way round: a native vector of rows for one sample after the other.
Whatever the memory order, strides and dtype of X, the kernels see the same panels and strips, and
so compute the same bits.  Small data stay packed; of larger ones a block is copied at a time.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop.compiler.jit import always_inlined, helper, never_inlined
from batchprop.linalg.matmul import strips_in_group
from batchprop.linalg.views import Panels, Strips
from batchprop.simd.load_store import (
    copy_part,
    fill,
    lanes_of,
    load,
    prefetch,
    prefetch_address,
    read_float32,
    read_float64,
    standard,
    store,
)
from batchprop.simd.register_tiles import ONE, TWO
from batchprop.simd.transposition import transpose, transpose_memory
from batchprop.simd.vectors import NATIVE, WIDE


class SampleTable(NamedTuple):
    """A matrix of samples in memory, as kernels see it: addresses, and strides in bytes."""

    address: int
    row_stride: int
    sample_stride: int
    itemsize: int
    mean: int  # address of the rows' means, float64; 0 for data as they are
    factor: int  # address of the rows' factors


def sample_table(
    array: npt.NDArray[Any],
    mean: npt.NDArray[np.float64] | None = None,
    factor: npt.NDArray[np.float64] | None = None,
) -> SampleTable:
    """Describe a float32 or float64 array (rows, N) or (N,); the caller keeps all arrays alive.

    With means and factors, contiguous (rows,), what is packed is (x − mean) · factor.
    """
    row_stride = array.strides[0] if array.ndim == 2 else 0
    scaling = [0 if values is None else values.ctypes.data for values in (mean, factor)]
    return SampleTable(array.ctypes.data, row_stride, array.strides[-1], array.itemsize, *scaling)


NO_SAMPLE_TABLE = SampleTable(0, 0, 0, 0, 0, 0)
ROWS_AHEAD = 6  # that are fetched while a row is packed
FETCHED_FROM_ROWS = 32
LINE = 64  # bytes
# parts of a wide vector; so many that one part is a single number
WHOLE, NATIVE_PART, HALF_PART, ONE_ELEMENT = 1, WIDE // NATIVE, 2 * WIDE // NATIVE, 1024


@always_inlined
def _copy(address, count, itemsize, out, to):
    """Copy adjacent numbers from memory, in vectors while at least half of one is left."""
    lanes = lanes_of(out, NATIVE)
    done = 0
    while count - done >= lanes:
        copy_part(out, to + done, address + done * itemsize, NATIVE_PART)
        done += lanes
    if count - done >= lanes // 2:
        copy_part(out, to + done, address + done * itemsize, HALF_PART)
        done += lanes // 2
    while done < count:
        copy_part(out, to + done, address + done * itemsize, ONE_ELEMENT)
        done += 1


@helper
def turn_to_panel(strips, panel):
    """Write the rows of a panel from its strips, whole strips of them."""
    width, lanes = strips.width, strips.lanes
    for strip in range(strips.n_strips):
        for i in range(0, width, lanes):
            at_strips, at_panel = (strip * width + i) * lanes, strip * lanes * width + i
            transpose(strips.array, at_strips, lanes, panel.array, panel.start + at_panel, width)


@never_inlined
def transpose_panels(panels, XT):
    """Write the ``Transpose`` of ``Panels``, whose rows are padded to whole strips."""
    width, lanes, strip = panels.width, lanes_of(XT.array, NATIVE), 0
    while strip < XT.n_strips:
        group = strips_in_group(XT.n_strips - strip)
        stride = group * lanes
        at, to = panels.start + strip * lanes * width, strip * lanes * XT.n_allocated
        for _ in range(0, panels.n_samples, width):
            for i in range(0, width, lanes):
                for column in range(0, stride, lanes):
                    row = at + column * width + i
                    transpose(panels.array, row, width, XT.array, to + column, stride)
                to += lanes * stride
            at += panels.panel_stride
        strip += group


@helper
def _narrow(source, sample, panel):
    """Copy float64 samples to a float32 panel, standardised before they are rounded."""
    out, start, width = panel.array, panel.start, panel.width
    for j in range(panel.n_rows):
        mean, factor = 0.0, 1.0
        if source.mean != 0:
            mean, factor = read_float64(source.mean + 8 * j), read_float64(source.factor + 8 * j)
        for i in range(panel.n_samples):
            x = read_float64(sample + i * source.sample_stride + j * source.row_stride)
            out[start + j * width + i] = (x - mean) * factor


@helper
def _standardise(source, panel):
    """Standardise the rows of a panel in place, in float64."""
    for j in range(panel.n_rows):
        mean, factor = read_float64(source.mean + 8 * j), read_float64(source.factor + 8 * j)
        at = panel.start + j * panel.width
        store(panel.array, at, standard(load(panel.array, at, WIDE), mean, factor))


@helper
def _pack_rows(source, first, out):
    """Copy rows whose samples are adjacent, one row after the other: long stretches of memory.

    A later row is fetched meanwhile, and its place: processors do not expect rows so far apart.
    """
    itemsize, width = source.itemsize, out.width
    n_full = out.n_samples // width
    for j in range(out.n_rows):
        address = source.address + first * itemsize + j * source.row_stride
        to, fetches = out.start + j * width, j + ROWS_AHEAD < out.n_rows
        for _ in range(n_full):
            if fetches:
                prefetch_address(address + ROWS_AHEAD * source.row_stride)
                prefetch(out.array, to + ROWS_AHEAD * width)
            copy_part(out.array, to, address, WHOLE)
            address, to = address + width * itemsize, to + out.panel_stride
        _copy(address, out.n_samples - n_full * width, itemsize, out.array, to)


@always_inlined
def _turn_samples(source, sample, panel, parts):
    """Copy a full panel of samples in squares: see ``transpose_memory``.

    If the rows are no multiple of a square's side, the last square overlaps the one before.
    """
    array, width, n_rows = panel.array, panel.width, panel.n_rows
    side = lanes_of(array, NATIVE) // len(parts)
    for i in range(0, width, side):
        address = sample + i * source.sample_stride
        for j in range(0, n_rows, side):
            row = min(j, n_rows - side)
            to = panel.start + row * width + i
            at = address + row * source.itemsize
            transpose_memory(at, source.sample_stride, array, to, width, parts)


@helper
def _pack_panel(source, sample, panel, strips, fits_strips):
    """Copy samples from the address ``sample`` on to one panel; ``strips`` are for it alone."""
    itemsize, array, start, width = source.itemsize, panel.array, panel.start, panel.width
    lanes, n_rows = lanes_of(array, NATIVE), panel.n_rows
    n_strips = (n_rows + lanes - 1) // lanes
    by_samples = itemsize == array.itemsize and source.row_stride == itemsize
    is_full = panel.n_samples == width
    if by_samples and is_full and n_rows >= lanes:
        _turn_samples(source, sample, panel, ONE)
    elif by_samples and is_full and n_rows >= lanes // 2 and lanes > 2:
        _turn_samples(source, sample, panel, TWO)
    elif by_samples and fits_strips:
        for i in range(panel.n_samples):
            for strip in range(n_strips):
                address = sample + i * source.sample_stride + strip * lanes * itemsize
                count = min(lanes, n_rows - strip * lanes)
                _copy(address, count, itemsize, strips, (strip * width + i) * lanes)
        turn_to_panel(Strips(strips, n_strips, width, lanes), panel)
    elif itemsize > array.itemsize:
        _narrow(source, sample, panel)
    else:
        for i in range(panel.n_samples):
            for j in range(n_rows):
                address = sample + i * source.sample_stride + j * source.row_stride
                if itemsize == 4:
                    array[start + j * width + i] = read_float32(address)
                else:
                    array[start + j * width + i] = read_float64(address)


@never_inlined
def pack(source, first, out, strips):
    """Copy samples of ``SampleTable``, from ``first`` on, into ``Panels``; zeros follow the last.

    ``strips`` is an array for the strips of one panel.  Where a sample's numbers are adjacent and
    the panels have room for whole strips, the padding rows may be overwritten as well.
    """
    itemsize, array, width, n_rows = source.itemsize, out.array, out.width, out.n_rows
    lanes = lanes_of(array, NATIVE)
    fits_strips = out.panel_stride >= (n_rows + lanes - 1) // lanes * lanes * width
    by_rows = itemsize == array.itemsize and source.sample_stride == itemsize
    if by_rows:
        _pack_rows(source, first, out)
    for p in range((out.n_samples + width - 1) // width):
        n = min(width, out.n_samples - p * width)
        start = out.start + p * out.panel_stride
        panel = Panels(array, start, n_rows, n, width, 0)
        if not by_rows:
            sample = source.address + (first + p * width) * source.sample_stride
            _pack_panel(source, sample, panel, strips, fits_strips)
        if source.mean != 0 and itemsize <= array.itemsize:
            _standardise(source, panel)
        if n < width:
            for j in range(n_rows):
                fill(array, start + j * width + n, start + (j + 1) * width, 0.0)


@helper
def prefetch_samples(source, n_rows, first, stop, part, n_parts):
    """Fetch a part of the samples that are packed next, some of their rows from end to end.

    All rows for a few samples would take the processor's address tables from the products.
    Processors expect the next samples by themselves where rows are few or samples contiguous.
    """
    if n_rows < FETCHED_FROM_ROWS or source.sample_stride != source.itemsize:
        return
    begin = source.address + first * source.itemsize
    for j in range(n_rows * part // n_parts, n_rows * (part + 1) // n_parts):
        row = begin + j * source.row_stride
        for address in range(row, row + (stop - first) * source.itemsize, LINE):
            prefetch_address(address)


@helper
def pack_weights(source, first, out, strips):
    """Pack sample weights; without weights write 1 for each sample.  Zeros follow the last."""
    if source.address != 0:
        pack(source, first, out, strips)
    else:
        stop = out.start + out.n_samples
        padded = (out.n_samples + out.width - 1) // out.width * out.width
        fill(out.array, out.start, stop, 1.0)
        fill(out.array, stop, out.start + padded, 0.0)


@helper
def zero_unweighted(w, out):
    """Write zeros over samples of weight 0: infinite ones would turn sums into NaN."""
    array, weight, width = out.array, w.array, out.width
    for p in range((out.n_samples + width - 1) // width):
        for j in range(out.n_rows):
            at, at_w = out.start + p * out.panel_stride + j * width, w.start + p * width
            for i in range(width):
                array[at + i] = array[at + i] if weight[at_w + i] != 0.0 else 0.0
