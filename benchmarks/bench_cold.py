"""Cold start: time of the first training in a fresh process, with and without cached kernels."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from benchmarks import data, suite

WORK = list(suite.RUNS)[1]

# Prints the time of the import and of the first training, and the loss that it reached.
PROGRAM = """
import json, sys, time
began = time.perf_counter()
import batchprop
imported = time.perf_counter()
import numpy as np
with np.load(sys.argv[1]) as given:
    X, T, start = given["X"], given["T"], [given[name] for name in ("W_h", "b_h", "W_y", "b_y")]
epochs, rate = int(sys.argv[3]), float(sys.argv[4])
loaded = time.perf_counter()
seconds, loss = None, None
if epochs:
    network = batchprop.Network(*start, activation=sys.argv[2])
    result = batchprop.train(
        X, T, network=network, solver="gd", scale=False, learning_rate=rate,
        max_epochs=epochs,
        gradient_tol=None, tol=None,
    )
    seconds, loss = time.perf_counter() - loaded, float(result.loss_curve[-1])
print(json.dumps({"import": imported - began, "first_train": seconds, "loss": loss}))
"""


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A file with the data and the start, so that the timed process imports no benchmark code."""
    X, T, start, _ = suite.problem(WORK.name)
    path = tmp_path_factory.mktemp("cold") / "problem.npz"
    np.savez(path, X=X, T=T, **start._asdict())
    return path


@pytest.fixture(scope="module")
def filled_cache(tmp_path_factory):
    return tmp_path_factory.mktemp("kernels")


def start_process(table, folder, epochs):
    """Run the program in a fresh process; return its measurements."""
    command = [sys.executable, "-c", PROGRAM, str(table), WORK.activation, str(epochs)]
    done = subprocess.run(
        [*command, str(suite.RUN_RATE)],
        env=os.environ | {"NUMBA_CACHE_DIR": str(folder), "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def time_starts(benchmark, table, folders, epochs, rounds):
    """Time whole processes, each with the next kernel folder; store what each one measured."""
    measured = []
    benchmark.pedantic(
        lambda: measured.append(start_process(table, next(folders), epochs)), rounds=rounds
    )
    if epochs:
        expected = data.descent(
            WORK, *data.samples(WORK), data.parameters(WORK), suite.RUN_RATE, epochs
        )[0]
        assert measured[-1]["loss"] == pytest.approx(expected, rel=suite.BOUND[WORK.dtype])
    suite.label(benchmark, WORK, "fused", "all", loss=measured[-1]["loss"], measured=measured)


@pytest.mark.benchmark(group="cold")
def test_import(benchmark, table, filled_cache):
    time_starts(benchmark, table, iter([filled_cache] * 5), epochs=0, rounds=5)
    assert not list(filled_cache.iterdir()), "an import compiled something"


@pytest.mark.benchmark(group="cold")
def test_first_train_with_an_empty_cache(benchmark, table, tmp_path, filled_cache):
    folders = iter([filled_cache, tmp_path / "again"])
    time_starts(benchmark, table, folders, epochs=1, rounds=2)
    assert list(filled_cache.iterdir())


@pytest.mark.benchmark(group="cold")
def test_first_train_with_a_warm_cache(benchmark, table, filled_cache):
    if not list(filled_cache.iterdir()):  # if this test runs alone, fill the cache first
        start_process(table, filled_cache, epochs=1)
    time_starts(benchmark, table, iter([filled_cache] * 5), epochs=1, rounds=5)
