"""All models on all tables, one fit after the other; what is known already is not run again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from benchmarks.defaults.catalogue import Noiseless, Table
from benchmarks.defaults.models import max_rows
from benchmarks.defaults.scores import Result, Scores
from benchmarks.defaults.trials import Trial, trials
from benchmarks.defaults.worker import Task, Worker
from benchmarks.uci.tables import Source


class Plan(NamedTuple):
    """What is run, and the settings that all results of a file share."""

    tables: Sequence[Table | Noiseless]
    models: Sequence[str]
    source: Source
    n_rows: int  # of the largest table; of larger ones, so many rows take part
    n_folds: int


def run_model(worker: Worker, table: str, model: str, parts: Sequence[Trial]) -> Result:
    """Fit a model to each trial; after a fit that failed, the others are left out."""
    result = Result(table, model, [], [], [], "")
    for number, trial in enumerate(parts):
        outcome = worker.run(Task(model, number, trial.X, trial.T, trial.X_test))
        result.seconds.append(outcome.seconds)
        if outcome.prediction is None:
            return result._replace(note=f"fit {number + 1} of {len(parts)}: {outcome.note}")
        result.unexplained.append(trial.unexplained(outcome.prediction))
        if outcome.stopped:
            result.stopped.append(outcome.stopped)
    return result


def run_all(plan: Plan, worker: Worker, scores: Scores, report: Callable[[Result], None]) -> None:
    """Add to the scores what is missing in them; ``report`` is called after each result.

    A model that is too expensive for a table gets no result there.
    """
    for table in plan.tables:
        models = [model for model in plan.models if (table.name, model) not in scores]
        if not models:
            continue
        parts = trials(table, plan.source, plan.n_rows, plan.n_folds)
        for model in models:
            limit = max_rows(model)
            if limit is not None and len(parts[0].X) > limit:
                continue
            result = run_model(worker, table.name, model, parts)
            scores[table.name, model] = result
            report(result)
