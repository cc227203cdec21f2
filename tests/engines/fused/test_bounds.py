"""Kernels touch only what is theirs: nothing is written or read beside any array."""

from __future__ import annotations

import ctypes
import mmap
import sys

import numpy as np
import pytest

from batchprop.compiler.kernel_struct import KernelStruct
from batchprop.engines.fused.evaluation import evaluate_once
from batchprop.engines.fused.problem import Scratch
from batchprop.engines.fused.task import GRADIENT, LOSS
from tests.engines.fused.processes import run
from tests.engines.fused.teams import force, objective_of
from tests.problems import problem

MARGIN = 4096  # numbers on either side that must stay as they are
SHAPES = [
    (e, m, s) for e in (1, 5, 16, 19, 33) for m in (1, 6) for s in (1, 3, 16, 64) if e + s < 80
]


class Guarded:
    """Copies of arrays with a margin around each."""

    def __init__(self):
        self.whole = []

    def __call__(self, array):
        mark = -1 if array.dtype.kind == "i" else np.nan
        buffer = np.full(array.size + 2 * MARGIN, mark, array.dtype)
        inner = buffer[MARGIN : MARGIN + array.size]
        inner[:] = array.ravel()
        self.whole.append(buffer)
        return inner.reshape(array.shape)

    def check(self):
        for buffer in self.whole:
            margins = np.concatenate([buffer[:MARGIN], buffer[-MARGIN:]])
            untouched = margins == -1 if buffer.dtype.kind == "i" else np.isnan(margins)
            assert untouched.all()


@pytest.mark.parametrize("kept_bytes", [0, 1 << 20])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("sizes", SHAPES, ids=str)
def test_nothing_is_written_beside_an_array(sizes, dtype, kept_bytes, monkeypatch):
    force(monkeypatch, chunk_samples=100, block_bytes=1, kept_bytes=kept_bytes)
    for n_samples in (1, 17, 203):
        data = problem(*sizes, n_samples, "tanh", dtype, weighted=n_samples == 17)
        for order in (np.ascontiguousarray, np.asfortranarray):
            guarded = Guarded()
            with objective_of(data, 1, order(data.X), order(data.T)) as function:
                fields = function.task.fields
                task = KernelStruct(
                    fields._replace(
                        scratch=Scratch(*map(guarded, fields.scratch[:-1]), fields.scratch.token),
                        theta=guarded(data.network.theta),
                        **{
                            name: guarded(getattr(fields, name))
                            for name in ("gradient", "sums", "totals", "control")
                        },
                    )
                )
                assert np.isfinite(evaluate_once(task, LOSS))
                for _ in range(2):
                    assert np.isfinite(evaluate_once(task, GRADIENT))
                assert np.isfinite(task.gradient).all()
            guarded.check()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("sizes", [(1, 3, 1), (5, 3, 2), (19, 3, 1), (33, 2, 16)], ids=str)
def test_predictions_are_written_where_they_belong(sizes, dtype):
    for n_samples in (1, 17, 203):
        net, X, *_ = problem(*sizes, n_samples, "tanh", dtype)
        expected = net.predict(X, engine="vectorized")
        for order in (np.ascontiguousarray, np.asfortranarray):
            given = net.predict(order(X))
            np.testing.assert_allclose(given, expected, rtol=1e-3, atol=1e-4)


def fenced(array):
    """Copy an array to the very end of memory that may be read: the next byte is forbidden."""
    size = -(-array.nbytes // mmap.PAGESIZE) * mmap.PAGESIZE
    memory = mmap.mmap(-1, size + mmap.PAGESIZE)
    place = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    forbid = ctypes.CDLL(None, use_errno=True).mprotect
    forbid.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    assert forbid(place + size, mmap.PAGESIZE, 0) == 0
    copy = np.frombuffer(memory, array.dtype, array.size, size - array.nbytes)
    order = "C" if array.flags.c_contiguous else "F"
    copy = copy.reshape(array.shape, order=order)
    copy[...] = array
    return copy


FENCED = """
import numpy as np
from batchprop import loss_and_gradient
from tests.engines.fused.test_bounds import fenced
from tests.problems import problem
for dtype in ("float32", "float64"):
    for sizes in ((1, 3, 1), (5, 3, 2), (19, 3, 1), (33, 2, 16)):
        for n_samples in (1, 15, 17, 203):
            net, X, T, weight = problem(*sizes, n_samples, "tanh", dtype, weighted=True)
            for order in (np.ascontiguousarray, np.asfortranarray):
                for convert in (lambda x: x, lambda x: x.astype("float64")):
                    x, t = (fenced(order(convert(array))) for array in (X, T))
                    loss_and_gradient(net, x, t, sample_weight=fenced(weight))
                    net.predict(x)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="mprotect is called as on Linux")
def test_nothing_is_read_behind_the_data():
    assert run(FENCED) == ""
