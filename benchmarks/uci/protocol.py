"""All calls on all splits, one fit after the other; what is known already is not run again."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from benchmarks.uci import calls, scores, tables
from benchmarks.uci.scores import Result, Results

WARM_UP_ROWS = 50


class Plan(NamedTuple):
    """What is run: the first ``n_splits`` splits, or all."""

    tables: Sequence[str]
    calls: Sequence[str]
    n_splits: int | None = None


def _samples(table: str, data: tables.Samples, split: tables.Split) -> calls.Samples:
    hidden_size = tables.TABLES[table].hidden_size
    return calls.Samples(
        data.X[split.train], data.y[split.train, 0], data.X[split.test], hidden_size
    )


def evaluate(table: str, call: str, number: int, data: tables.Samples) -> Result:
    """Fit on the training rows of a split and score on its test rows; failures become a note."""
    split = data.splits[number]
    target = data.y[split.test, 0]
    try:
        prediction = calls.predicted(call, _samples(table, data, split), seed=number)
    except (ArithmeticError, MemoryError, ValueError, np.linalg.LinAlgError) as error:
        note = f"{type(error).__name__}: {str(error).splitlines()[0][:150]}"
        return Result(table, call, number, math.nan, None, {}, math.nan, None, "", note)
    nll = None
    if prediction.std is not None:
        nll = scores.negative_log_likelihood(prediction.mean, prediction.std, target)
    intervals = {
        method: (scores.coverage(lower, upper, target), scores.width(lower, upper))
        for method, (lower, upper) in prediction.intervals.items()
    }
    return Result(
        table, call, number, scores.rmse(prediction.mean, target), nll, intervals,
        prediction.seconds, prediction.fit_seconds, prediction.stopped, "",
    )  # fmt: skip


def missing(
    plan: Plan, table: str, splits: Sequence[tables.Split], results: Results
) -> Iterator[tuple[str, int]]:
    """Yield call and split of what remains to be run, all calls on a split before the next one."""
    count = min(len(splits), plan.n_splits or len(splits))
    for number in range(count):
        for call in plan.calls:
            limit = calls.max_rows(call)
            too_large = limit is not None and len(splits[number].train) > limit
            enough = number >= calls.MAX_SPLITS.get(call, count)
            if not too_large and not enough and (table, call, number) not in results:
                yield call, number


def warm_up(table: str, call: str, data: tables.Samples) -> None:
    """Load libraries and kernels: fit a few rows, for a few iterations."""
    train, test = data.splits[0]
    samples = _samples(table, data, tables.Split(train[:WARM_UP_ROWS], test))
    if not calls.is_ours(call):
        calls.predicted(call, samples, seed=0)
        return
    for solver in ("lm", "lbfgs"):
        calls.predicted(f"{call} solver={solver} max_epochs=3", samples, seed=0)


def run(plan: Plan, source: tables.Source, results: Results,
        report: Callable[[Result], None]) -> None:  # fmt: skip
    """Add to the results what is missing in them; ``report`` is called after each one."""
    for table in plan.tables:
        data = source.load(table)
        warm: set[str] = set()
        for call, number in missing(plan, table, data.splits, results):
            if call not in warm:
                warm_up(table, call, data)
                warm.add(call)
            result = evaluate(table, call, number, data)
            results[table, call, number] = result
            report(result)
