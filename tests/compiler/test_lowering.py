"""``range`` in kernels: the numbers that Python's has, as long as it counts up."""

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
