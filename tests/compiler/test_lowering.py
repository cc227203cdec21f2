"""``range`` and indices in kernels: as in Python, if they count up and from the start."""

from __future__ import annotations

import numpy as np
import pytest
from numba.core.errors import LoweringError

from batchprop.compiler.jit import kernel


@kernel
def numbers(start, stop, step, out):
    count = 0
    for i in range(start, stop, step):
        out[count] = i
        count += 1
    return count


@kernel
def pairs(n, out):
    """Two loops over one name, the inner one leaving early, the outer one's last number kept."""
    count, last = 0, -1
    for i in range(n):
        for j in range(1, n, 2):
            if j > i:
                break
            out[count] = 100 * i + j
            count += 1
        last = i
    return count, last


@kernel
def backwards(n):
    total = 0
    for i in range(n, 0, -1):
        total += i
    return total


@kernel
def turned(A, shift, out):
    """out[c, r] = A[r, c] + A[r, c − ``shift``], with indices of several types."""
    for r in range(A.shape[0]):
        row = A[r]
        for c in range(shift, A.shape[1]):
            out[c, r] = A[r, c]
            out[c, r] += row[c - shift]
    return A[0, 1], A[A.shape[0] - 1][0]


@pytest.mark.parametrize("start", [-7, 0, 5])
@pytest.mark.parametrize("stop", [-9, -7, 0, 4, 5, 6, 64])
@pytest.mark.parametrize("step", [1, 2, 3, 64])
def test_a_range_has_pythons_numbers(start, stop, step):
    out = np.full(100, -1000)
    count = numbers(start, stop, step, out)
    assert out[:count].tolist() == list(range(start, stop, step))


@pytest.mark.parametrize("n", [0, 1, 2, 7])
def test_nested_ranges(n):
    out = np.zeros(100, np.int64)
    count, last = pairs(n, out)
    assert out[:count].tolist() == [100 * i + j for i in range(n) for j in range(1, n, 2) if j <= i]
    assert last == n - 1


def test_a_range_that_counts_down_is_an_error_of_compilation():
    with pytest.raises(LoweringError, match="counts up"):
        backwards(3)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shift", [0, 1, 4])
def test_indices(order, shift):
    A = np.asarray(np.arange(24.0).reshape(4, 6), order=order)
    out, expected = np.zeros((6, 4)), np.zeros((6, 4))
    expected[shift:] = A[:, shift:].T + A[:, : 6 - shift].T
    assert turned(A, shift, out) == (1.0, 18.0)
    np.testing.assert_array_equal(out, expected)
