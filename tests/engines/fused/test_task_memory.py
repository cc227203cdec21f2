"""The memory of a task: how much there is, and that no two threads share any."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop.engines.fused.blocking import MAX_CHUNKS, MAX_SUM_BYTES
from batchprop.engines.fused.objective import GRADIENT_SUMS
from batchprop.engines.fused.problem import Scratch
from batchprop.engines.fused.task_memory import new_task, segments_together, tables_of
from batchprop.engines.loss_scale import Scales
from batchprop.engines.samples import Samples
from tests.engines.fused import teams
from tests.problems import problem


def task_of(case, n_threads, repeated=True):
    network = case.network
    samples = Samples(case.X, case.T, case.weight, None)
    return new_task(
        GRADIENT_SUMS, network.shape, "tanh", network.dtype, case.X.shape[1], tables_of(samples),
        Scales(1.0, 1.0), None, 0.0, n_threads, None, repeated,
    )  # fmt: skip


@pytest.mark.parametrize("kept_bytes", [0, 1 << 20])
@pytest.mark.parametrize("sizes", [(1, 1, 1), (3, 7, 2), (40, 100, 3)])
def test_threads_share_no_memory_but_sums_and_samples(monkeypatch, sizes, kept_bytes):
    teams.force(monkeypatch, kept_bytes=kept_bytes)
    task, workers = task_of(problem(*sizes, 500), 4)
    assert len(workers) == task.n_workers == 3
    assert task.sums.shape[0] == task.problem.n_chunks
    members, arrays = (task.scratch, *workers), []
    for name in Scratch._fields[:-1]:
        found = [getattr(scratch, name) for scratch in members]
        if kept_bytes and name in ("X", "T", "weight", "packed"):
            assert all(array is found[0] for array in found)
            found = found[:1]
        arrays += found
    ends = sorted((array.ctypes.data, array.ctypes.data + array.nbytes) for array in arrays)
    assert all(stop <= start for (_, stop), (start, _) in zip(ends, ends[1:], strict=False))


def test_one_thread_needs_one_row_of_sums():
    task, workers = task_of(problem(2, 3, 1, 3000), 1)
    assert not workers
    assert task.sums.shape[0] == 1


@pytest.mark.parametrize("n_sums", [10, 10**4, 10**7])
@pytest.mark.parametrize("n_chunks", [1, 8, 32])
def test_segments_that_threads_share_fit_in_the_memory_for_sums(n_chunks, n_sums):
    for n_segments in (1, 5, 1000):
        together = segments_together(n_segments, n_chunks, n_sums)
        assert 1 <= together <= n_segments
        if together > 1:
            assert together * n_chunks <= MAX_CHUNKS
            assert 8 * together * n_chunks * n_sums <= MAX_SUM_BYTES


def test_samples_are_counted_from_the_first_one():
    case = problem(2, 3, 1, 10, weighted=True)
    samples = Samples(case.X, case.T, case.weight, None)
    for table, moved in zip(tables_of(samples), tables_of(samples, 4), strict=True):
        assert moved.address == table.address - 4 * table.sample_stride
    unweighted = tables_of(Samples(case.X, case.T, None, None), 4)
    assert unweighted.weight.address == 0, "there is no table"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("sizes", [(1, 4, 1), (33, 100, 3), (200, 5, 1)])
def test_samples_stay_packed_up_to_four_mib(sizes, dtype):
    """So that memory does not grow with N from there on."""
    for n_samples in (100, 4000, 2**20):
        case = problem(*sizes, 1, "tanh", dtype)
        X, T = (np.broadcast_to(array, (len(array), n_samples)) for array in (case.X, case.T))
        task, _ = task_of(case._replace(X=X, T=T), 1)
        problem_, scratch = task.problem, task.scratch
        n_padded = -(-n_samples // problem_.width) * problem_.width
        held = scratch.X.nbytes + scratch.T.nbytes + scratch.weight.nbytes
        each = problem_.x_rows + sizes[2] + 1
        fits = n_padded * each * np.dtype(dtype).itemsize <= 4 << 20
        assert problem_.keeps_samples == fits
        assert held < (4 << 20) + 1000
        assert fits == (scratch.packed.size >= n_padded // problem_.width)


def test_samples_of_a_single_evaluation_do_not_stay_packed():
    case = problem(2, 3, 1, 100)
    task, _ = task_of(case, 1, repeated=False)
    assert not task.problem.keeps_samples
