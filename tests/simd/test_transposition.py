"""Squares that are turned in registers, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from tests.engines.fused import kernels
from tests.engines.fused.kernels import integers, step_of

pytestmark = [
    pytest.mark.parametrize("dtype", kernels.DTYPES),
    pytest.mark.parametrize(("stride", "to_stride"), [(None, None), (37, 41)]),
]


def squares(A, stride, B, to_stride, size):
    """Return the squares that begin at A[3] and at B[5]."""
    return (
        np.array([[A[3 + r * stride + c] for c in range(size)] for r in range(size)]),
        np.array([[B[5 + r * to_stride + c] for c in range(size)] for r in range(size)]),
    )


def test_from_an_array(dtype, stride, to_stride):
    step = step_of(dtype)
    stride, to_stride = stride or step, to_stride or step
    A, B = integers(1000).astype(dtype), np.full(1000, 99, dtype)
    kernels.call_transpose(A, 3, stride, B, 5, to_stride)
    square, found = squares(A, stride, B, to_stride, step)
    np.testing.assert_array_equal(found, square.T)
    assert np.count_nonzero(B != 99) <= step * step


@pytest.mark.parametrize("parts", [1, 2])
def test_from_memory(dtype, stride, to_stride, parts):
    size = step_of(dtype) // parts
    stride, to_stride = stride or size, to_stride or size
    A, B = integers(1000).astype(dtype), np.full(1000, 99, dtype)
    start = A.ctypes.data + 3 * A.itemsize
    kernels.call_transpose_memory(start, stride * A.itemsize, B, 5, to_stride, parts)
    square, found = squares(A, stride, B, to_stride, size)
    np.testing.assert_array_equal(found, square.T)
    assert np.count_nonzero(B != 99) <= size * size
