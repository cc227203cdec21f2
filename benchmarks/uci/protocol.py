"""Training with one setting for all tables, and its test error by the published protocol."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

import batchprop
from benchmarks.data import Array
from benchmarks.uci.tables import TABLES, Samples
from benchmarks.uci.uncertainty import assessed

# The one setting.  Whatever depends on the table is determined from its training rows.
SETTING: dict[str, Any] = {"alpha": "auto"}
N_AVERAGED = 5


class Result(NamedTuple):
    """The result on one split."""

    split: int
    rmse: float  # on the test rows, in the target's units
    train_rmse: float
    seconds: float
    cpu_seconds: float  # of all threads
    reason: str
    starts_rmse: float  # the mean of those of several starts with the same penalty
    averaged_rmse: float  # of the mean of these starts
    averaged_cpu_seconds: float  # for these starts, the penalty being chosen
    uncertainty: dict[str, float]  # of one network: likelihood, coverage, width, CPU time
    averaged_uncertainty: dict[str, float]  # of the mean


def fit(samples: Samples, number: int, name: str, options: dict[str, Any]) -> Result:
    """Train on the raw training rows of a split; evaluate on its test rows."""
    train, test = samples.splits[number]
    X, y = samples.X, samples.y

    def trained(**options: Any) -> tuple[batchprop.TrainResult, float, float]:
        began, cpu_began = time.perf_counter(), time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # some tables have problematic columns
            result = batchprop.train(
                X[train].T, y[train].T, hidden_size=TABLES[name].hidden_size, **options
            )
        return result, time.perf_counter() - began, time.process_time() - cpu_began

    def rmse(network: batchprop.Network, rows: Array) -> float:
        return math.sqrt(np.mean((network.predict(X[rows].T) - y[rows].T) ** 2))

    result, seconds, cpu_seconds = trained(**options)
    averaged, _, averaged_cpu_seconds = trained(
        **options | {"alpha": result.alpha, "n_init": N_AVERAGED, "combine": "mean"}
    )

    def known(**options: Any) -> dict[str, float]:
        result, _, cpu_seconds = trained(**options, uncertainty="laplace")
        figures = assessed(result.predictive, X[test], y[test])
        return figures | {"uncertainty_cpu_seconds": cpu_seconds}

    chosen = options | {"alpha": result.alpha}
    return Result(
        split=number,
        rmse=rmse(result.network, test),
        train_rmse=rmse(result.network, train),
        seconds=seconds,
        cpu_seconds=cpu_seconds,
        reason=result.stop_reason,
        starts_rmse=float(np.mean([rmse(start.network, test) for start in averaged.starts])),
        averaged_rmse=rmse(averaged.network, test),
        averaged_cpu_seconds=averaged_cpu_seconds,
        uncertainty=known(**chosen),
        averaged_uncertainty=known(**chosen | {"n_init": N_AVERAGED, "combine": "mean"}),
    )


def run(
    samples: Samples,
    name: str,
    options: dict[str, Any],
    most: int | None,
    report: Callable[[Result], None],
) -> list[Result]:
    """Train on the first splits, after a short warm-up that loads the kernels."""
    count = len(samples.splits) if most is None else min(most, len(samples.splits))
    rows = samples.splits[0].train[:50]
    batchprop.train(samples.X[rows].T, samples.y[rows].T, max_epochs=2)
    results = []
    for number in range(count):
        results.append(fit(samples, number, name, options))
        report(results[-1])
    return results


def summary(results: Sequence[Result]) -> dict[str, float]:
    """Return mean test errors, their standard errors as published, and mean times per split."""
    columns = {
        name: np.array([getattr(one, name) for one in results])
        for name in ("rmse", "train_rmse", "seconds", "cpu_seconds", "starts_rmse",
                     "averaged_rmse", "averaged_cpu_seconds")
    }  # fmt: skip
    for prefix in ("", "averaged_"):
        figures = [getattr(one, f"{prefix}uncertainty") for one in results]
        columns |= {f"{prefix}{name}": np.array([f[name] for f in figures]) for name in figures[0]}
    root = math.sqrt(len(results))
    return {name: float(column.mean()) for name, column in columns.items()} | {
        "standard_error": float(columns["rmse"].std() / root),
        "averaged_standard_error": float(columns["averaged_rmse"].std() / root),
        "splits": len(results),
    }
