"""Loads, stores and sums of single vectors against NumPy, in small integers: exact."""

from __future__ import annotations

import numpy as np
import pytest

from tests.engines.fused import kernels
from tests.engines.fused.kernels import integers, step_of, width_of

pytestmark = pytest.mark.parametrize("dtype", kernels.DTYPES)


def test_totals_are_summed_in_float64(dtype):
    width, step = width_of(dtype), step_of(dtype)
    a, b = integers(width).astype(dtype), integers(width, seed=1).astype(dtype)
    a[0], b[0] = 2**20 + 1, 2**20 + 1  # the square needs 41 bits
    out = np.zeros(4)
    kernels.call_totals(a, b, out)
    a, b = a.astype(np.float64), b.astype(np.float64)
    expected = np.array([a.sum(), a[:step].sum(), a @ b, a[:step] @ b[:step]])
    np.testing.assert_array_equal(out, 2 * expected)


@pytest.mark.parametrize("at", [0, 1, 3])
def test_arithmetic_at_any_address(dtype, at):
    step = step_of(dtype)
    a, b = integers(100).astype(dtype), integers(100, seed=1).astype(dtype)
    out = np.full(200, np.nan, dtype)
    kernels.call_arithmetic(a, b, out, at)
    part = slice(at, at + step)
    np.testing.assert_array_equal(out[part], a[part] - b[part])
    np.testing.assert_array_equal(out[at + 100 : at + 100 + step], a[part] * b[part])
    assert np.isnan(out).sum() == 200 - 2 * step
