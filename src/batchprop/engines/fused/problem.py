"""What kernels are given: sizes, data and block sizes, and the memory of each thread."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy.typing as npt

from batchprop.engines.fused.packing import Columns
from batchprop.threads.cancellation import Token

Array = npt.NDArray[Any]


class Problem(NamedTuple):
    """A network's sizes, a data set and its block sizes, as kernels see them."""

    e: int
    m: int
    s: int
    n_samples: int
    b_h: int  # where the blocks of θ begin; W_h begins at 0
    W_y: int
    b_y: int
    activation: int  # its code
    X: Columns
    T: Columns
    weight: Columns
    chunk: int  # samples in a chunk
    n_chunks: int
    block: int  # samples that go forward and backward together
    x_rows: int  # in a panel of inputs: e, padded to whole strips
    strips: bool  # many inputs: dW_h is summed with inputs along vectors


class Scratch(NamedTuple):
    """A thread's memory for one block."""

    X: Array  # panels of inputs, ``x_rows`` rows each
    T: Array
    weight: Array
    H: Array  # Z, then H, then δ_h
    R: Array  # Y, then the weighted residuals
    dH: Array  # four rows of W_yᵀ R, if there is more than one output
    strips: Array  # of inputs, one panel
    strip_sums: Array  # dW_h over a chunk, if it is summed in strips
    packed: Array  # the first sample of the block that X, T and weight hold; −1 at the start
    row_products: Array  # rows to multiply and products of rows, if JᵀJ is summed
    token: Token  # whether to go on
