"""Training with one setting for all tables, and its test error by the published protocol."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

import batchprop
from benchmarks.uci.tables import TABLES, Samples

# The one setting.  Whatever depends on the table is determined from its training rows.
SETTING: dict[str, Any] = {"alpha": "auto"}


class Result(NamedTuple):
    """The result on one split."""

    split: int
    rmse: float  # on the test rows, in the target's units
    train_rmse: float
    seconds: float
    cpu_seconds: float  # of all threads
    reason: str


def fit(samples: Samples, number: int, name: str, options: dict[str, Any]) -> Result:
    """Train on the raw training rows of a split; evaluate on its test rows."""
    train, test = samples.splits[number]
    X, y = samples.X, samples.y
    began, cpu_began = time.perf_counter(), time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # some tables have problematic columns
        result = batchprop.train(
            X[train].T, y[train].T, hidden_size=TABLES[name].hidden_size, **options
        )
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu_began
    errors = (
        math.sqrt(np.mean((result.network.predict(X[rows].T) - y[rows].T) ** 2))
        for rows in (test, train)
    )
    return Result(number, *errors, seconds, cpu_seconds, result.stop_reason)


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
    """Return the mean test error, its standard error as published, and the time per split."""
    errors = np.array([one.rmse for one in results])
    return {
        "rmse": float(errors.mean()),
        "standard_error": float(errors.std() / math.sqrt(len(errors))),
        "train_rmse": float(np.mean([one.train_rmse for one in results])),
        "seconds": float(np.mean([one.seconds for one in results])),
        "cpu_seconds": float(np.mean([one.cpu_seconds for one in results])),
        "splits": len(results),
    }
