"""What kernels are given: sizes, data and block sizes, and the memory of each thread."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy.typing as npt

from batchprop import segments
from batchprop.activations import ACTIVATIONS
from batchprop.engines.fused.blocking import Blocking
from batchprop.engines.fused.chunk_bounds import n_last_chunks
from batchprop.engines.fused.packing import NO_SAMPLE_TABLE, SampleTable
from batchprop.parameters import Shape, offsets
from batchprop.threads.cancellation import Token

Array = npt.NDArray[Any]


class Problem(NamedTuple):
    """A network's sizes, a data set and its block sizes, as kernels see them."""

    e: int
    m: int
    s: int
    n_samples: int
    b_h_start: int  # where the blocks of θ begin; W_h begins at 0
    W_y_start: int
    b_y_start: int
    activation: int  # its code
    X: SampleTable
    T: SampleTable
    weight: SampleTable
    width: int  # samples in a panel
    segment_samples: int  # samples in a segment
    n_segments: int
    n_chunks: int  # in a segment
    n_last_chunks: int  # in the last segment
    block_samples: int  # samples that go forward and backward together
    cache_rows: int  # rows of W_h, and of δ_h, that stay in the second-level cache
    cache_columns: int  # columns of W_h that stay there, and rows of X in the first-level cache
    cache_panels: int  # panels that go forward together
    packs_W_h: bool  # whether W_h is packed for each chunk
    keeps_samples: bool  # whether all samples stay packed for the next evaluation
    x_rows: int  # in a panel of inputs: e, padded to whole strips where vectors need that
    h_rows: int  # in a panel of hidden units: m, or more so that panels do not share cache sets
    sums_in_strips: bool  # many inputs: dW_h is summed with inputs along vectors
    forward_kernel: int  # addresses of the kernels that take a block forward and backward
    backward_kernel: int
    strips_kernel: int  # address of the kernel that sums dW_h in strips; 0 if none
    row_products: int  # address of the kernel that sums products of rows for JᵀJ; 0 if none


def describe_problem(
    shape: Shape,
    activation: str,
    n_samples: int,
    blocking: Blocking,
    X: SampleTable = NO_SAMPLE_TABLE,
    T: SampleTable = NO_SAMPLE_TABLE,
    weight: SampleTable = NO_SAMPLE_TABLE,
) -> Problem:
    """Return the problem; predictions need neither T nor weights, and sums need no samples."""
    e, m, s = shape
    return Problem(
        e=e,
        m=m,
        s=s,
        n_samples=n_samples,
        **offsets(shape)._asdict(),
        activation=ACTIVATIONS[activation].code,
        X=X,
        T=T,
        weight=weight,
        width=blocking.width,
        segment_samples=segments.SEGMENT_SAMPLES,
        n_segments=segments.n_segments(n_samples),
        n_chunks=blocking.n_chunks,
        n_last_chunks=n_last_chunks(n_samples, blocking.n_chunks, blocking.width),
        block_samples=blocking.block_samples,
        cache_rows=blocking.cache_rows,
        cache_columns=blocking.cache_columns,
        cache_panels=blocking.cache_panels,
        packs_W_h=blocking.packed_size > 0,
        keeps_samples=blocking.keeps_samples,
        x_rows=blocking.x_rows,
        h_rows=blocking.h_rows,
        sums_in_strips=blocking.sums_in_strips,
        forward_kernel=0,
        backward_kernel=0,
        strips_kernel=0,
        row_products=0,
    )


class Scratch(NamedTuple):
    """A thread's memory for one block.

    If samples are kept, X, T, weight and ``packed`` hold all of them, and all threads share these.
    """

    X: Array  # panels of inputs, ``x_rows`` rows each
    T: Array
    weight: Array
    H: Array  # Z, then H, then δ_h; with room for six rows after the last panel
    weighted_residuals: Array  # Y, then wR = w ⊙ (Y − T)
    packed_W_h: Array  # b_h, then W_h in bands of six rows
    dH: Array  # six rows of W_yᵀ wR, if there is more than one output
    strip_buffer: Array  # strips of inputs, one panel
    XT: Array  # the inputs with rows along vectors, if dW_h is summed in strips
    strip_sums: Array  # dW_h over some samples, if it is summed in strips; whole sixes of rows
    spare_sums: Array  # float64: sums of six rows where fewer are left
    packed: Array  # int64, per panel: first sample of the packed block that begins there, or −1
    panel: Array  # (1,) int64: the panel of X, T and weight where the present block begins
    row_products: Array  # rows to multiply and products of rows, or outputs, if JᵀJ is summed
    token: Token  # whether to go on
