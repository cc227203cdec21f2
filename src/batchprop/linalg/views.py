"""Operands of the matrix products: views of flat memory, as kernels pass them on.

LLVM takes a view apart into its fields, so that passing one costs no more than passing these.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy.typing as npt

Array = npt.NDArray[Any]


class Matrix(NamedTuple):
    """A matrix (n_rows, n_columns): weights, their transpose, or sums of products.

    Element (r, c) is ``array[start + r · row_stride + c · column_stride]``.
    """

    array: Array
    start: int
    n_rows: int
    n_columns: int
    row_stride: int
    column_stride: int


class Panels(NamedTuple):
    """A matrix (n_rows, n_samples) in panels of ``width`` samples.

    Sample i of row r is ``array[start + (i // width) · panel_stride + r · width + i % width]``:
    in a panel, rows follow each other, ``width`` numbers each.
    """

    array: Array
    start: int
    n_rows: int
    n_samples: int
    width: int
    panel_stride: int


class Strips(NamedTuple):
    """One panel with rows along vectors: a *strip* holds ``lanes`` rows, one native vector.

    Row r of sample i is ``array[((r // lanes) · width + i) · lanes + r % lanes]``.
    """

    array: Array
    n_strips: int
    width: int
    lanes: int
