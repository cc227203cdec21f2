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


class Bands(NamedTuple):
    """A matrix (n_rows, n_columns) whose rows are multiplied in bands of six.

    Element (r, c) is ``array[start + (r // 6) · band_stride + (r % 6) · row_stride + c ·
    column_stride]``; ``row_stride`` or ``column_stride`` is 1.  Packed, a band is contiguous and
    its six rows lie side by side.
    """

    array: Array
    start: int
    n_rows: int
    n_columns: int
    band_stride: int
    row_stride: int
    column_stride: int


class Strips(NamedTuple):
    """One panel with rows along vectors: a *strip* holds ``lanes`` rows, one native vector.

    Row r of sample i is ``array[((r // lanes) · width + i) · lanes + r % lanes]``.
    """

    array: Array
    n_strips: int
    width: int
    lanes: int


class Transpose(NamedTuple):
    """The transpose of a matrix (n_rows, n_samples): rows along vectors, sample after sample.

    Strips, native vectors of rows, stand side by side in groups: as many as make a wide vector,
    then two and one if so many are left.  A group of g strips whose first row is r begins at
    r · ``n_allocated``; its rows for sample i are the g · lanes numbers from i · g · lanes on.
    """

    array: Array
    n_strips: int
    n_allocated: int  # samples that there is room for
