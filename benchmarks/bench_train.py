"""A fixed training run through ``batchprop.train``, including set-up."""

from __future__ import annotations

import pytest

import batchprop
from benchmarks import data, suite


@pytest.mark.benchmark(group="train")
@pytest.mark.parametrize(("name", "engine", "threads"), suite.engine_runs(suite.RUNS))
def test_train(benchmark, name, engine, threads):
    work = suite.CASES[name]
    epochs = suite.RUNS[work]
    X, T, start, _ = suite.problem(name)
    network = batchprop.Network(*start.astype(work.dtype), activation=work.activation)

    def run():
        return batchprop.train(
            X,
            T,
            network=network,
            solver="gd",
            scale=False,
            engine=engine,
            learning_rate=suite.RUN_RATE,
            max_epochs=epochs,
            gradient_tol=None,
            tol=None,
            n_threads=suite.thread_count(threads),
        )

    with suite.blas_threads(threads):
        result = suite.timed(benchmark, engine, run)
    assert result.n_epochs == epochs
    last = result.last_network
    reached = data.Blocks(last.W_h, last.b_h, last.W_y, last.b_y)
    suite.check(work, float(result.loss_curve[-1]), reached, suite.expected_run(name))
    suite.label(benchmark, work, engine, threads, loss=float(result.loss_curve[-1]), epochs=epochs)
