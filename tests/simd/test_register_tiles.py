"""Tiles of registers against NumPy, in small integers: sums are exact in any order."""

from __future__ import annotations

import numpy as np
import pytest

from tests.engines.fused import kernels
from tests.engines.fused.kernels import integers, step_of, width_of

pytestmark = pytest.mark.parametrize("dtype", kernels.DTYPES)


@pytest.mark.parametrize(
    ("form", "rows", "across"),
    [(0, 4, 4), (1, 4, 1), (2, 2, 4), (3, 6, 4), (4, 6, 2), (5, 2, 6), (6, 1, 1)],
)
def test_lane_sums_of_a_tile(dtype, form, rows, across):
    step, width = step_of(dtype), width_of(dtype) + 3
    A, B = integers(7 * width).astype(dtype), integers(7 * width, seed=1).astype(dtype)
    G = integers(100).astype(np.float64)
    expected = G.copy()
    for r in range(rows):
        for c in range(across):
            left = A[2 + r * width : 2 + r * width + step].astype(np.float64)
            expected[7 + 11 * r + c] += left @ B[1 + c * width : 1 + c * width + step]
    kernels.call_add_sums(form, A, 2, B, 1, width, G, 7, 11)
    np.testing.assert_array_equal(G, expected)


def test_what_is_done_to_tiles(dtype):
    step = step_of(dtype)
    A, B = integers(4, step).astype(dtype), integers(4, step, seed=1).astype(dtype)
    A[0, 0], A[1, 1], w = np.nan, -0.0, integers(8, seed=2).astype(dtype)
    out = np.zeros(24 * step, dtype)
    kernels.call_tiles(A.ravel(), B.ravel(), w, -2.0, step, out)
    expected = (
        A + B, A * B + A, np.maximum(A, -2), A,
        w[::2, None] * B[0] + w[::2, None], np.broadcast_to(B[0], A.shape),
    )  # fmt: skip
    for found, wanted in zip(out.reshape(6, 4, step), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_sums_of_rows(dtype):
    step = step_of(dtype)
    A = integers(4, step).astype(dtype)
    out = np.zeros(3 * step, dtype)
    kernels.call_sum_rows(A.ravel(), step, out)
    expected = [A[:count].sum(axis=0) for count in (1, 2, 4)]
    np.testing.assert_array_equal(out.reshape(3, step), expected)
