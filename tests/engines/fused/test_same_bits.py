"""Loss, gradient and whole trainings: the same to the last bit, however they are computed."""

from __future__ import annotations

import numpy as np
import pytest

import batchprop
from batchprop import loss_and_gradient
from batchprop.engines.fused import blocking
from batchprop.engines.fused.blocking import choose_blocking
from batchprop.parameters import Shape
from batchprop.solvers.settings import SOLVERS
from tests.engines.fused.teams import evaluated, force, objective_of
from tests.problems import problem

THREADS = (1, 2, 3, 4, 7, 16)
DTYPES = ("float32", "float64")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sizes", [(8, 50, 1), (20, 33, 1), (5, 40, 3), (1, 64, 1)], ids=str)
def test_public_calls_on_any_number_of_threads(sizes, dtype):
    data = problem(*sizes, 30_011, "tanh", dtype, weighted=sizes[2] > 1)
    found, used = set(), set()
    for n_threads in (*THREADS, None):
        loss, gradient = loss_and_gradient(
            data.network, data.X, data.T, n_threads=n_threads, sample_weight=data.weight
        )
        Y = data.network.predict(data.X, n_threads=n_threads)
        found.add((loss, gradient.theta.tobytes(), Y.tobytes()))
        with objective_of(data, n_threads) as function:
            used.add(1 + function.task.n_workers)
    assert len(found) == 1
    assert used >= set(THREADS), "not big enough for as many threads as are asked for"


def sample_counts(shape, dtype):
    """Numbers of samples around every boundary: vectors, tiles, blocks, chunks."""
    cut = choose_blocking(Shape(*shape), 10**6, np.dtype(dtype))
    edges = (1, cut.lanes, cut.width, 2 * cut.width, 100, 5 * 100, 16 * 100)
    return sorted({edge + shift for edge in edges for shift in (-1, 0, 1)} - {0})


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("s", [1, 2, 5])
@pytest.mark.parametrize("m", [1, 4, 7])
@pytest.mark.parametrize("e", [1, 3, 17])
def test_ragged_sizes(e, m, s, dtype, monkeypatch):
    """Chunks of 100 samples in blocks of a few vectors, so that every boundary is near."""
    for n_samples in sample_counts((e, m, s), dtype):
        data = problem(e, m, s, n_samples, "softplus", dtype, weighted=n_samples % 2 == 0)
        force(monkeypatch, chunk_samples=100, block_bytes=1, kept_bytes=0)
        expected = {evaluated(data, n_threads) for n_threads in (1, 3)}
        force(monkeypatch, kept_bytes=1 << 20)
        found = {evaluated(data, n_threads) for n_threads in THREADS}
        assert len(found) == 1
        assert found == expected, n_samples


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sizes", [(1, 7, 1), (33, 29, 1), (70, 31, 3), (200, 130, 2)], ids=str)
def test_caches_of_other_machines(sizes, dtype, monkeypatch):
    """Cuts that follow the caches, and packing, leave the order of additions as it is."""
    found = set()
    for n_samples in (50, 700):
        data = problem(*sizes, n_samples, "softplus", dtype, weighted=True)
        for strips_from in (1, 1000):
            monkeypatch.setattr(blocking, "STRIPS_FROM_UNITS", strips_from)
            for caches in ((1, 1), (2048, 4096), (32 << 10, 256 << 10), (1 << 20, 1 << 30)):
                for packed_from in (0, 1 << 40):
                    force(monkeypatch, caches=caches)
                    monkeypatch.setattr(blocking, "PACKED_FROM_BYTES", packed_from)
                    Y = data.network.predict(data.X)
                    found.add((n_samples, strips_from, evaluated(data, 2), Y.tobytes()))
    assert len(found) == 4


@pytest.mark.parametrize("dtype", DTYPES)
def test_more_parameters_than_one_thread_sums_up(dtype, monkeypatch):
    """The sums over chunks are themselves shared out, in slices."""
    force(monkeypatch, chunk_samples=64)
    for sizes in ((63, 64, 1), (64, 127, 3)):  # 4,161 and 8,642 parameters, slices of 4,096
        data = problem(*sizes, 700, "tanh", dtype)
        expected = evaluated(data, 1)
        for n_threads in THREADS[1:]:
            assert evaluated(data, n_threads) == expected


def forms(array, path):
    """Return the same numbers (rows, N) in every memory layout."""
    rows, n_samples = array.shape
    mapped = {
        name: np.memmap(path / name, array.dtype, "w+", shape=shape)
        for name, shape in (("columns", array.shape), ("rows", array.shape[::-1]))
    }
    mapped["columns"][:], mapped["rows"][:] = array, array.T
    scattered = np.full((3 * rows, 2 * n_samples), np.nan, array.dtype)
    scattered[1::3, ::2] = array
    table = np.full((n_samples, rows + 2), np.nan, array.dtype)
    table[:, 1:-1] = array.T
    read_only = array.copy()
    read_only.flags.writeable = False
    return {
        "row-major": np.ascontiguousarray(array),
        "column-major": np.asfortranarray(array),
        "every other": scattered[1::3, ::2],
        "part of a table": table.T[1:-1],
        "backwards": array[::-1, ::-1].copy()[::-1, ::-1],
        "table backwards": np.asfortranarray(array[::-1])[::-1],
        "read-only": read_only,
        "mapped": np.memmap(path / "columns", array.dtype, "r", shape=array.shape),
        "mapped table": np.memmap(path / "rows", array.dtype, "r", shape=array.shape[::-1]).T,
    }


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "sizes", [(1, 4, 1), (6, 5, 2), (16, 6, 1), (23, 6, 3), (1, 2, 64), (17, 2, 16)], ids=str
)
@pytest.mark.parametrize("kept_bytes", [0, 1 << 20])
def test_memory_layouts(sizes, dtype, kept_bytes, tmp_path, monkeypatch):
    force(monkeypatch, chunk_samples=100, block_bytes=1, kept_bytes=kept_bytes)
    data = problem(*sizes, 777, "elu", dtype, weighted=True)
    (tmp_path / "X").mkdir()
    (tmp_path / "T").mkdir()
    X_forms, T_forms = forms(data.X, tmp_path / "X"), forms(data.T, tmp_path / "T")
    for n_threads in (1, 3):
        found = {evaluated(data, n_threads, X) for X in X_forms.values()}
        found |= {evaluated(data, n_threads, T=T) for T in T_forms.values()}
        found |= {
            evaluated(data, n_threads, X, T)
            for X, T in zip(X_forms.values(), T_forms.values(), strict=True)
        }
        assert len(found) == 1
    predicted = {
        data.network.predict(X, n_threads=n).tobytes() for X in X_forms.values() for n in (1, 3)
    }
    assert len(predicted) == 1


@pytest.mark.parametrize("dtype", DTYPES)
def test_data_of_the_other_precision(dtype, tmp_path, monkeypatch):
    force(monkeypatch, chunk_samples=100, block_bytes=1)
    other = DTYPES[dtype == "float32"]
    data = problem(18, 5, 2, 333, "tanh", dtype)
    X = data.X.astype("float32").astype(other)  # the same numbers in both precisions
    T = data.T.astype("float32").astype(other)
    expected = evaluated(data, 1, X.astype(dtype), T.astype(dtype))
    (tmp_path / "X").mkdir()
    for n_threads in (1, 7):
        assert {evaluated(data, n_threads, x, T) for x in forms(X, tmp_path / "X").values()} == {
            expected
        }


@pytest.mark.parametrize("n_threads", [2, 4, 16])
@pytest.mark.parametrize("n_chunks", [2, 3, 5])
def test_thousands_of_evaluations_one_after_another(n_chunks, n_threads, monkeypatch):
    """Threads that come late, meet the next evaluation or find nothing left change nothing."""
    force(monkeypatch, chunk_samples=64)
    data = problem(2, 3, 1, 64 * n_chunks - 5, "relu", "float32")
    thetas = [data.network.theta * np.float32(1 + k / 8) for k in range(7)]
    expected, gradient = [], np.empty_like(thetas[0])
    with objective_of(data, 1) as function:
        for theta in thetas:
            loss = function.loss_and_gradient(theta, gradient)
            expected.append((loss, gradient.tobytes()))
    with objective_of(data, n_threads) as function:
        for k in range(1500):
            gradient.fill(np.nan)
            loss = function.loss_and_gradient(thetas[k % 7], gradient)
            assert (loss, gradient.tobytes()) == expected[k % 7], k
            if k % 5 == 0:
                assert function.loss(thetas[k % 7]) == loss


def trained(n_threads, **settings):
    result = batchprop.train(
        n_threads=n_threads, hidden_size=6, max_epochs=150, tol=None, **{"alpha": 0.0} | settings
    )
    assert np.isfinite(result.loss_curve).all()
    return b"".join(
        array.tobytes()
        for array in (
            result.network.theta,
            result.last_network.theta,
            result.loss_curve,
            result.validation_loss_curve,
        )
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("solver", SOLVERS)
def test_whole_trainings(solver, dtype, monkeypatch):
    force(monkeypatch, chunk_samples=64, kept_bytes=0)
    data = problem(3, 6, 2, 400, "tanh", dtype, weighted=True)
    held_out = problem(3, 6, 2, 150, "tanh", dtype, seed=1)
    settings = {
        "solver": solver,
        "learning_rate": 1e-3,
        "sample_weight": data.weight,
        "X_val": held_out.X,
        "T_val": held_out.T,
    }
    expected = trained(1, X=data.X, T=data.T, **settings)
    force(monkeypatch, kept_bytes=1 << 20)
    for n_threads in THREADS[1:]:
        settings["X"] = np.asfortranarray(data.X) if n_threads % 2 else data.X
        assert trained(n_threads, T=data.T, **settings) == expected


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_run_cut_into_bursts_is_the_same_run(solver, monkeypatch):
    """How many epochs run between two looks at the clock depends on the machine's mood."""
    force(monkeypatch, chunk_samples=64)
    data = problem(3, 6, 1, 300, "logistic", "float64")
    settings = {"X": data.X, "T": data.T, "solver": solver, "learning_rate": 1e-3}
    whole = trained(1, **settings)
    for every in (1, 7, 150):
        watched = trained(3, callback=lambda progress: None, callback_every=every, **settings)
        assert watched == whole
