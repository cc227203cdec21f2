"""Training on a cluster: the bits of one process, whatever the solver and the cuts."""

from __future__ import annotations

import os
import signal
import threading
import time
import warnings

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest

import batchprop
from batchprop import Blocks
from batchprop.dask import ClusterError, train
from tests.dask.clusters import SECONDS, kill, kill_holder, local, worker_pids

N = 700
RNG = np.random.default_rng(0)
X = 10.0 * RNG.uniform(-1.0, 1.0, (N, 3)) + 5.0
Y = np.stack([np.sin(X[:, 0]) + X[:, 1], X[:, 2] ** 2], axis=1) + 0.1 * RNG.standard_normal((N, 2))
WEIGHT = RNG.integers(0, 3, N).astype(float)
X_VAL, Y_VAL, WEIGHT_VAL = X[:150] + 0.01, Y[:150], WEIGHT[:150] + 0.5
SMALL = {"hidden_size": 5, "alpha": 0.01, "max_epochs": 6}

SOLVERS = {
    "lbfgs": {"solver": "lbfgs"},
    "lm": {"solver": "lm"},
    "scipy": {"solver": "scipy"},
    "gd": {"solver": "gd"},
    "momentum": {"solver": "momentum"},
    "nesterov": {"solver": "nesterov"},
    "adam": {"solver": "adam"},
    "auto": {},
    "evidence": {"alpha": "evidence", "max_epochs": 3},
    "pair": {"alpha": (0.1, 0.01)},
    "float32": {"dtype": "float32"},
    "as they are": {"scale": False, "alpha": 0.0, "solver": "lbfgs"},
    "several starts": {"n_init": 2, "max_epochs": 3},
    "mean": {"n_init": 2, "combine": "mean", "max_epochs": 3},
    "target loss": {"target_loss": 20.0, "solver": "lbfgs", "max_epochs": 100},
}


def arrays(*tables, rows=97):
    return [None if t is None else da.from_array(t, chunks=(rows, -1)[: t.ndim]) for t in tables]


def bits(result):
    parts = [result.network.theta, result.loss_curve, result.validation_loss_curve]
    numbers = [result.loss, result.validation_loss, *result.alpha, *result.training_errors.rmse]
    return [part.tobytes() for part in parts], numbers, result.stop_reason, result.solver


def in_memory(weight=None, **options):
    with warnings.catch_warnings(action="ignore"):
        return batchprop.train(X.T, Y.T, sample_weight=weight, **SMALL | options)


def on_cluster(client, weight=None, **options):
    with warnings.catch_warnings(action="ignore"):
        tables = arrays(X, Y, weight)
        return train(*tables[:2], client=client, sample_weight=tables[2], **SMALL | options)


@pytest.mark.parametrize("name", SOLVERS)
def test_the_bits_are_those_of_one_process(client, name):
    options = SOLVERS[name]
    assert bits(on_cluster(client, **options)) == bits(in_memory(**options))


def test_weights_and_validation_data(client):
    inputs, targets, weight = arrays(X_VAL, Y_VAL, WEIGHT_VAL, rows=40)
    there = on_cluster(
        client, WEIGHT, X_val=inputs, T_val=targets, sample_weight_val=weight, patience=3
    )
    data_val = {"X_val": X_VAL.T, "T_val": Y_VAL.T, "sample_weight_val": WEIGHT_VAL}
    here = in_memory(WEIGHT, **data_val, patience=3)
    assert bits(there) == bits(here)
    small = on_cluster(
        client, WEIGHT, X_val=X_VAL, T_val=Y_VAL, sample_weight_val=WEIGHT_VAL, patience=3
    )
    assert bits(small) == bits(here)
    blocks = Blocks([(X_VAL.T, Y_VAL.T, WEIGHT_VAL)])
    assert bits(on_cluster(client, WEIGHT, X_val=blocks, patience=3)) == bits(here)


def test_a_frame_and_a_series(client):
    frame = pd.DataFrame(X, columns=["a", "b", "c"]).assign(y=Y[:, 0])
    table = dd.from_pandas(frame, npartitions=6)
    there = train(table[["a", "b", "c"]], table["y"], client=client, **SMALL)
    assert bits(there) == bits(batchprop.train(X.T, Y[:, :1].T, **SMALL))


@pytest.mark.parametrize("weighted", [False, True])
def test_blocks_are_read_by_the_workers(client, tmp_path, weighted):
    for k, rows in enumerate(np.array_split(np.arange(N), 9)):
        np.savez(tmp_path / f"{k}.npz", X=X[rows].T, Y=Y[rows].T, w=WEIGHT[rows])
    blocks = Blocks(FilesOfRows(tmp_path, 9, weighted))
    here = in_memory(WEIGHT if weighted else None)
    with warnings.catch_warnings(action="ignore"):
        assert bits(train(blocks, client=client, **SMALL)) == bits(here)


class FilesOfRows:
    """A sequence of blocks that can be sent to workers."""

    def __init__(self, folder, count, weighted):
        self.folder, self.count, self.weighted = folder, count, weighted

    def __len__(self):
        return self.count

    def __getitem__(self, i):
        with np.load(self.folder / f"{i}.npz") as file:
            return (file["X"], file["Y"], file["w"])[: 2 + self.weighted]


def test_extreme_magnitudes_are_scaled_in_a_second_pass(client):
    huge = X * 1e200
    there = train(*arrays(huge, Y), client=client, **SMALL)
    assert bits(there) == bits(batchprop.train(huge.T, Y.T, **SMALL))


def test_a_run_is_resumed_here_and_there(client, tmp_path):
    file = tmp_path / "run.npz"
    options = {"solver": "lbfgs", "max_epochs": 3}
    on_cluster(client, **options, checkpoint=file)
    with warnings.catch_warnings(action="ignore"):
        batchprop.train(X.T, Y.T, resume=file, checkpoint=file, max_epochs=3)
        last = train(*arrays(X, Y), client=client, resume=file, max_epochs=3)
    assert bits(last) == bits(in_memory(solver="lbfgs", max_epochs=9))
    with pytest.raises(ValueError, match="T must be what the resumed run was trained with"):
        train(*arrays(X, Y + 1.0), client=client, resume=file, max_epochs=3)


def test_a_callback_sees_the_run_and_can_stop_it(client):
    epochs = []

    def callback(progress):
        epochs.append(progress.epoch)
        return progress.epoch == 3

    result = on_cluster(client, callback=callback, max_epochs=50)
    assert result.stop_reason == "callback"
    assert epochs == [0, 1, 2, 3]


def test_a_run_ends_in_time(client):
    began = time.monotonic()
    result = on_cluster(client, max_seconds=1.0, max_epochs=None, tol=None, gradient_tol=None)
    assert result.stop_reason in ("max_seconds", "line_search", "damping")
    assert time.monotonic() - began < 30


@pytest.fixture
def ctrl_c():
    """A background job, as of a shell's, starts with a SIGINT that is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_returns_the_best_network(client, ctrl_c):
    def callback(progress):
        if progress.epoch == 2:
            threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()

    result = on_cluster(
        client, callback=callback, max_epochs=100_000, max_seconds=60.0, solver="adam", tol=None,
        gradient_tol=None,
    )  # fmt: skip
    assert result.stop_reason == "interrupted"
    assert np.isfinite(result.loss)


@pytest.mark.parametrize(("epoch", "kind"), [(0, "arrays"), (4, "persisted"), (3, "files")])
def test_a_worker_that_dies_changes_no_bit(processes, tmp_path, epoch, kind):
    tables = arrays(X, Y)
    if kind == "persisted":
        tables = processes.persist(tables)
    if kind == "files":
        np.save(tmp_path / "table.npy", np.hstack([X, Y]))
        tables = [Blocks.from_npy(tmp_path / "table.npy", targets=[-2, -1])]

    def callback(progress):
        if progress.epoch == epoch:
            kill(worker_pids(processes)[epoch % 2])

    options = SMALL | {"max_epochs": 8, "solver": "lbfgs"}
    result = train(*tables, client=processes, callback=callback, **options)
    assert bits(result) == bits(in_memory(max_epochs=8, solver="lbfgs"))


def test_a_worker_that_dies_while_it_computes(processes):
    killers = []

    def callback(progress):
        if progress.epoch in (2, 30):
            killers.append(threading.Timer(0.02, kill, (worker_pids(processes)[0],)))
            killers[-1].start()

    options = {"max_epochs": 60, "solver": "adam", "tol": None}
    result = on_cluster(processes, callback=callback, **options)
    for killer in killers:
        killer.join()
    assert len(killers) == 2
    assert bits(result) == bits(in_memory(**options))


def test_lost_data_end_the_run_with_a_checkpoint(processes, tmp_path):
    file = tmp_path / "run.npz"
    futures = processes.scatter([X[:400], X[400:]])

    def callback(progress):
        if progress.epoch == 3:
            kill_holder(processes, futures)
            kill_holder(processes, futures[::-1])

    with pytest.raises(ClusterError, match=r"client\.scatter"):
        train(
            futures,
            da.from_array(Y, chunks=(100, 2)),
            client=processes,
            callback=callback,
            checkpoint=file,
            **SMALL | {"max_epochs": 8, "solver": "lbfgs"},
        )
    last = batchprop.train(X.T, Y.T, resume=file, max_epochs=5)
    assert last.n_epochs == 8
    assert bits(last) == bits(in_memory(max_epochs=8, solver="lbfgs"))


def test_workers_get_their_own_number_of_threads(tmp_path):
    """The nanny sets OMP_NUM_THREADS=1 in the workers, whatever they have."""
    with local(processes=True, n_workers=1, threads_per_worker=2) as client:
        assert client.submit(worker_thread_counts).result(SECONDS) == (1, 2)
        assert bits(on_cluster(client)) == bits(in_memory())


def worker_thread_counts():
    from batchprop.dask.resident_samples import worker_threads
    from batchprop.machine.thread_count import available

    return available(), worker_threads(None)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"alpha": "cv"}, "alpha must be a number, a pair or 'evidence'"),
        ({"uncertainty": "laplace"}, "uncertainty must be None"),
        ({"engine": "naive"}, "engine must be 'fused'"),
        ({"hiden_size": 3}, "Did you mean 'hidden_size'"),
        ({"inputs": ["a"]}, "a further argument of train must be one of"),
        ({"T_val": Y}, "X_val must come with T_val"),
        ({"X_val": X}, "T_val must come with X_val"),
        ({"timeout": 0}, "timeout must be"),
        ({"n_threads": 0}, "n_threads must be"),
        ({"sample_weight": WEIGHT}, "sample_weight must be a dask array"),
        ({"client": 3}, r"client must be a distributed\.Client"),
    ],
)
def test_what_cannot_be_had_is_refused_before_any_work(client, options, words):
    def tasks(dask_scheduler):
        return len(dask_scheduler.tasks)

    before = client.run_on_scheduler(tasks)
    with pytest.raises((TypeError, ValueError), match=words):
        train(*arrays(X, Y), **{"client": client} | options)
    assert client.run_on_scheduler(tasks) == before


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ((X, Y[:-1]), "T must have as many samples as X, 700; got 699"),
        ((np.where(X == X[500, 1], np.nan, X), Y), r"X must be finite; got nan at X\[500, 1\]"),
        ((X, np.where(Y == Y[333, 1], np.inf, Y)), r"got inf at T\[333, 1\]"),
        ((X, np.where(Y[:, 0] == Y[333, 0], np.inf, Y[:, 0])), r"got inf at T\[333\]"),
    ],
)
def test_bad_data_are_named_as_the_user_has_them(client, tables, words):
    with pytest.raises(ValueError, match=words):
        train(*arrays(*tables), client=client, **SMALL)


def test_a_negative_weight_is_refused(client):
    weight = np.where(np.arange(N) == 321, -1.0, 1.0)
    with pytest.raises(ValueError, match=r"sample_weight.*-1"):
        on_cluster(client, weight)
    with pytest.raises(ValueError, match="sample_weight must have one column"):
        on_cluster(client, Y)


def test_other_columns_in_validation_data_are_refused(client):
    with pytest.raises(ValueError, match="X_val must have 3 columns"):
        on_cluster(client, X_val=X_VAL[:, :2], T_val=Y_VAL)


def test_without_a_client_there_is_one_message(no_client):
    with pytest.raises(ValueError, match=r"client must be .* Start a cluster with client = dist"):
        train(*arrays(X, Y), **SMALL)


def test_a_task_can_train_on_its_own_cluster(client):
    """Its worker has one thread, which the tasks of the run need, too."""
    future = client.submit(train_in_a_task, X, Y)
    assert future.result(SECONDS) == in_memory().network.theta.tobytes()


def train_in_a_task(X, Y):
    return train(*arrays(X, Y), **SMALL).network.theta.tobytes()


def test_the_current_client_is_used(client):
    assert bits(train(*arrays(X, Y), **SMALL)) == bits(in_memory())
