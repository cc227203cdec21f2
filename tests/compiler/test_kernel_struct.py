"""Records: kernels read what the NamedTuple holds, and write to its arrays."""

from __future__ import annotations

import threading
import time
from typing import Any, NamedTuple

import numpy as np
import pytest
from numba.core.errors import TypingError

from batchprop.compiler.jit import address, call_address, kernel, kernel_by_address, types_of
from batchprop.compiler.kernel_struct import KernelStruct
from batchprop.threads.atomics import atomic_load

LAST = 2**62


class Inner(NamedTuple):
    count: int
    matrix: Any


class Outer(NamedTuple):
    rate: float
    inner: Inner
    on: bool
    vector: Any
    last: int


@kernel
def sum_up(record, out):
    inner = record.inner
    out[0] = record.rate
    out[1] = inner.count
    out[2] = 1.0 if record.on else 0.0
    out[3] = record.last
    out[4] = record.vector.size
    for i in range(record.vector.size):
        out[5] += record.vector[i]
    for i in range(inner.matrix.shape[0]):
        for j in range(inner.matrix.shape[1]):
            out[6] += (1 + i) * (1 + 10 * j) * inner.matrix[i, j]
            inner.matrix[i, j] = -1.0


@kernel
def unknown_field(record):
    return record.nothing


def outer(matrix, vector=(1.0, 2.5), on=True):
    return Outer(0.25, Inner(-3, matrix), on, np.array(vector), LAST)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("on", [False, True])
def test_kernels_see_every_field(dtype, on):
    matrix = np.arange(12, dtype=dtype).reshape(3, 4)
    weights = np.outer(1 + np.arange(3), 1 + 10 * np.arange(4))
    expected = [0.25, -3, on, float(LAST), 2, 3.5, float((weights * matrix).sum())]
    out = np.zeros(7)
    sum_up(KernelStruct(outer(matrix, on=on)), out)
    np.testing.assert_array_equal(out, expected)
    assert (matrix == -1).all()


def test_arrays_may_have_any_strides():
    whole = np.arange(48.0).reshape(6, 8)
    part = whole[::2, ::3]
    weights = np.outer(1 + np.arange(3), 1 + 10 * np.arange(3))
    expected, out = float((weights * part).sum()), np.zeros(7)
    sum_up(KernelStruct(outer(part)), out)
    assert out[6] == expected
    assert (part == -1).all()
    assert (whole == -1).sum() == 9


def test_the_address_of_an_array():
    """Of a writable, contiguous one, and of those that a buffer cannot be taken of."""
    fixed = np.ones((3, 4))
    fixed.flags.writeable = False
    whole = np.arange(48.0).reshape(6, 8)
    for matrix in (np.ones((3, 4)), np.ones((3, 4)).T, whole[::-2, 1::3], fixed, whole[:0]):
        assert matrix.ctypes.data in KernelStruct(outer(matrix))._words


def test_a_record_reads_like_its_fields_and_keeps_them_alive():
    record = KernelStruct(outer(np.ones((20, 30))))
    assert record.last == LAST
    assert record.inner.matrix.shape == (20, 30)
    with pytest.raises(AttributeError, match="nothing"):
        record.nothing  # noqa: B018
    out = np.zeros(7)
    sum_up(record, out)
    assert (record.inner.matrix == -1).all()


def test_numbers_of_numpy_are_numbers():
    plain = outer(np.ones((2, 2)))
    numpys = plain._replace(rate=np.float64(0.25), last=np.int64(LAST), on=np.bool_(True))
    assert KernelStruct(plain)._numba_type_ is KernelStruct(numpys)._numba_type_
    assert bytes(KernelStruct(plain)._words)[:8] == bytes(KernelStruct(numpys)._words)[:8]


def test_a_type_says_all_that_code_depends_on():
    one = KernelStruct(outer(np.ones((2, 2))))._numba_type_
    assert one is KernelStruct(outer(np.zeros((5, 7)), [3.0], on=False))._numba_type_
    assert one != KernelStruct(outer(np.ones((2, 2), np.float32)))._numba_type_
    assert one != KernelStruct(outer(np.ones((4, 4))[::2, ::2]))._numba_type_


def test_an_unknown_field_is_an_error_of_compilation():
    with pytest.raises(TypingError, match="nothing"):
        unknown_field(KernelStruct(outer(np.ones((2, 2)))))


@kernel_by_address
def read_once(record, counts):
    counts[0] += 1
    if record.last != LAST:
        counts[1] += 1


@kernel
def watch(record, read, control, counts):
    while atomic_load(control, 0) == 0:
        call_address(read, (record, counts))


def test_a_word_that_stays_the_same_is_never_another():
    """A thread that waits for work reads its struct while the samples in it are replaced."""
    first, second = outer(np.ones((3, 4))), outer(np.zeros((3, 4)))
    record = KernelStruct(first)
    control, counts = np.zeros(1, np.int64), np.zeros(2, np.int64)
    arguments = record, address(read_once, types_of(record, counts)), control, counts
    thread = threading.Thread(target=watch, args=arguments, daemon=True)
    thread.start()
    while counts[0] == 0:
        time.sleep(0.001)
    for _ in range(10_000):
        record.replace(second)
        record.replace(first)
    control[0] = 1
    thread.join()
    assert counts[1] == 0
