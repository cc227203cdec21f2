"""Memory in lines of its own for each thread and each array."""

from __future__ import annotations

import pytest

from batchprop.simd.aligned_memory import LINE, separate


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rows", [1, 3])
def test_separate_arrays_share_no_line(dtype, rows):
    counts = {"first": 1, "second": 33, "third": 64}
    members = separate(rows, counts, dtype)
    assert len(members) == rows
    arrays = [array for member in members for array in member.values()]
    starts = sorted(array.ctypes.data for array in arrays)
    assert all(start % LINE == 0 for start in starts)
    assert len(set(starts)) == len(arrays)
    for member in members:
        assert list(member) == list(counts)
        for name, array in member.items():
            assert array.dtype == dtype
            assert counts[name] <= array.size < counts[name] + LINE // array.itemsize
            assert not array.any()
    for k, array in enumerate(arrays, start=1):
        array[:] = k
    assert [array.max() for array in arrays] == [array.min() for array in arrays]
