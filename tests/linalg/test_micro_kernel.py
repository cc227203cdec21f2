"""The innermost loops against NumPy, in small integers: sums are exact in any order."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop.linalg.micro_kernel import UNROLLED
from tests.engines.fused import kernels
from tests.engines.fused.kernels import integers, step_of, width_of


@pytest.mark.parametrize("dtype", kernels.DTYPES)
@pytest.mark.parametrize("count", [0, 1, UNROLLED - 1, UNROLLED, UNROLLED + 1, 3 * UNROLLED + 2])
def test_a_tile_of_six_rows(dtype, count):
    """Rows of A lie anywhere, or side by side; numbers beside them are not used."""
    width, start = width_of(dtype), 3
    A, B = integers(6, count), integers(count, width, seed=1)
    C = integers(6, width, seed=2)
    flat_b = np.concatenate([np.full(start, np.nan), B.ravel(), [np.nan]]).astype(dtype)
    places = (True, 1, 6), (True, 1, 11), (False, 50, 1), (False, 50, 2), (False, 1, 7)
    for is_packed, row_stride, column_stride in places:
        flat_a = np.full(start + 400, np.nan, dtype)
        for (r, j), a in np.ndenumerate(A):
            flat_a[start + r * row_stride + j * column_stride] = a
        found = C.astype(dtype).ravel()
        strides = row_stride, column_stride
        kernels.call_add_to_tile(is_packed, flat_a, start, *strides, flat_b, start, count, found)
        np.testing.assert_array_equal(found.reshape(6, width), C + A @ B)


@pytest.mark.parametrize("dtype", kernels.DTYPES)
@pytest.mark.parametrize("n_vectors", range(6))
def test_dot_products_of_rows(dtype, n_vectors):
    """Vectors are taken in pairs, the last one alone; numbers beside them are not used."""
    start, stride, across = 5, 6 * step_of(dtype) + 3, 2
    count = n_vectors * step_of(dtype)
    A, B, G = integers(6, count), integers(2, count, seed=1), integers(6, across, seed=2)
    flat = [np.full(start + 7 * stride, np.nan, dtype) for _ in range(2)]
    for array, rows in zip(flat, (A, B), strict=True):
        for r, row in enumerate(rows):
            array[start + r * stride : start + r * stride + count] = row
    found = G.astype(np.float64).ravel()
    kernels.call_dot_tile(*flat, start, stride, count, found)
    np.testing.assert_array_equal(found.reshape(6, across), G + A @ B.T)
