"""The report: ranks, R² and CPU seconds on tables with noise, RMSE/std on functions without."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks import machine, markdown
from benchmarks.defaults.catalogue import NOISELESS, TABLES, Noiseless, Table
from benchmarks.defaults.models import GP_ROWS, OTHERS, OURS, has_no_penalty, title_of
from benchmarks.defaults.scores import Result, Scores, mean_ranks, table_ranks
from benchmarks.defaults.trials import MOST_DRAWS, N_TEST

ABOUT = f"""Made by `make bench-defaults` (`python -m benchmarks.defaults`).

What the call without arguments is worth: `BatchMLPRegressor()`, and its variants with the
arguments that are printed, beside models of scikit-learn with their own defaults. A seed is passed
to each, and `n_threads=1` to ours, which does not change its result. What stands around a model is
part of its name: X is standardised by `StandardScaler` in a pipeline, y by
`TransformedTargetRegressor`. SVR is not usable without the latter on targets in thousands, and
`MLPRegressor` hardly; the row "MLPRegressor, X scaled" leaves it out, as much code does.
HistGradientBoosting and SVR are fitted to each output by itself. "GaussianProcess, Matérn" is no
call without arguments: it fits a length for each input, and the noise. Gaussian processes are
fitted up to {GP_ROWS} training rows.

**Tables with noise.** {{n_folds}} folds, the same for all models. R² is computed from the left-out
rows of all folds together, mean over outputs, so that folds of few rows do not dominate; the mean
of the targets has an R² of about 0. Of larger tables, {{n_rows}} rows take part, for all models.
Ranks are among seven: ours and the models marked with •. Equal values share their mean rank; a
model that fails or exceeds the time limit ({{limit:g}} s of real time a fit) is last.

**Functions without noise.** RMSE on {N_TEST} new points over the standard deviation of their
values, geometric mean of up to {MOST_DRAWS} draws of training points.

Seconds are CPU time of `fit` on one thread, after a warm-up that loads libraries and kernels.

**Tuning.** Defaults of this package are tuned on the kinds that say so in the column "tuned",
half of them, and reported on all; the division was made before the first one was tuned. Some
tables had been looked at earlier, with a prototype: concrete, energy, power and yacht, Friedman 1
with noise, the noisy sinc, diabetes, and all functions but Branin and Franke."""


def _names(scores: Scores, among: Sequence[Table | Noiseless]) -> list[str]:
    """Return the names of the tables that have results, in the order of the catalogue."""
    present = {table for table, _ in scores}
    return [table.name for table in among if table.name in present]


def calls_of(scores: Scores) -> list[str]:
    """Return our calls that have results, the bare one first."""
    present = dict.fromkeys(model for _, model in scores if model not in OTHERS)
    return sorted(present, key=lambda name: name != OURS)


def models_of(scores: Scores) -> list[str]:
    """Return the models that have results, our calls first."""
    present = {model for _, model in scores}
    return calls_of(scores) + [name for name in OTHERS if name in present]


def title(name: str, short: bool = False) -> str:
    """Return the name of a model in a table: ours in bold, those that are ranked with a mark."""
    if name not in OTHERS:
        options = name.removeprefix(OURS).strip()
        return f"**{OURS}**" + (f" `{options}`" if options else "")
    model = OTHERS[name]
    return (model.short if short else model.title) + (" •" if model.ranked else "")


def r2_text(value: float | None) -> str:
    """Format R² with three digits behind the point, fewer if it is far below 0."""
    if value is None or value == -np.inf:
        return "failed"
    return f"{value:.3f}" if value > -1 else f"{value:.1f}" if value > -100 else "< −100"


def _rank_text(ranks: dict[str, float], model: str) -> str:
    return f"{ranks[model]:.2f}" if model in ranks else markdown.MISSING


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def summary(scores: Scores) -> str:
    """Return a table of models: mean ranks, median and lowest R², seconds, limits, failures."""
    names = _names(scores, TABLES)
    tuned = {table.name for table in TABLES if table.tuned}
    parts = [names, [name for name in names if name in tuned],
             [name for name in names if name not in tuned]]  # fmt: skip
    body = []
    for model in models_of(scores):
        ours = OURS if model in OTHERS else model
        results = [scores[name, model] for name in names if (name, model) in scores]
        values = [-np.inf if one.r2 is None else one.r2 for one in results]
        fits = sum(len(one.stopped) for one in results)
        limits = f"{sum(one.at_limits for one in results)} of {fits}" if fits else markdown.MISSING
        body.append(
            [title(model), *(_rank_text(mean_ranks(scores, part, ours), model) for part in parts),
             *([r2_text(float(np.median(values))), r2_text(min(values))] if values else "––"),
             f"{len(values)}", markdown.duration(_mean([one.mean_seconds for one in results])),
             limits]
        )  # fmt: skip
    head = ["model", "mean rank of seven", "on tuned kinds", "on the others", "median R²",
            "lowest R²", "tables", "CPU time a fit", "ended at a limit"]  # fmt: skip
    return markdown.table(head, body)


def by_table(
    scores: Scores,
    among: Sequence[Table | Noiseless],
    text: Callable[[Result], str],
    value: Callable[[Result], float | None],
) -> str:
    """Return one row for each table and one column for each model, the least value in bold."""
    models = models_of(scores)
    body = []
    for table in among:
        results = [scores.get((table.name, model)) for model in models]
        if not any(results):
            continue
        cells = [markdown.MISSING if one is None else text(one) for one in results]
        values = [None if one is None else value(one) for one in results]
        kind = [table.kind] if isinstance(table, Table) else []
        row = [table.name, *kind, "tuned" if table.tuned else ""]
        body.append([*row, *markdown.bold_least(cells, values)])
    kinds = ["kind"] if isinstance(among[0], Table) else []
    left = 2 + len(kinds)
    titles = [title(model, short=True) for model in models]
    return markdown.table(["table", *kinds, "tuned", *titles], body, left)


def own_ranks(scores: Scores) -> str:
    """Return our rank among the seven on each table, one column for each of our calls."""
    calls = calls_of(scores)
    body = []
    for name in _names(scores, TABLES):
        ranks = [table_ranks(scores, name, call).get(call) for call in calls]
        if any(ranks):
            body.append([name, *(f"{rank:g}" if rank else markdown.MISSING for rank in ranks)])
    return markdown.table(["our rank of seven", *map(title, calls)], body) if body else ""


def verdict(scores: Scores) -> str:
    """Return a sentence for each of our calls: its place, and where the mean predicts better."""
    lines = []
    for call in calls_of(scores):
        means = mean_ranks(scores, _names(scores, TABLES), call)
        if not means:
            continue
        place = 1 + sum(mean < means[call] for mean in means.values())
        values = [one.r2 for (table, model), one in scores.items()
                  if model == call and table in _names(scores, TABLES)]  # fmt: skip
        below = sum(value is None or value < 0 for value in values)
        lines.append(
            f"- {title(call)}: mean rank {means[call]:.2f}, number {place} of seven; on {below} of "
            f"{len(values)} tables it predicts worse than the mean of the targets."
        )
    return "\n".join(lines)


def without_penalty(scores: Scores) -> str:
    """Return how far our calls are from the plain one on functions without noise."""
    names = _names(scores, NOISELESS)
    calls = [call for call in calls_of(scores) if any((name, call) in scores for name in names)]
    plain = next(filter(has_no_penalty, calls), None)
    lines = []
    for call in calls if plain else ():
        ratios = {}
        for name in names:
            pair = [scores.get((name, model)) for model in (call, plain)]
            errors = [result.relative_error for result in pair if result and not result.failed]
            if call != plain and len(errors) == 2:
                ratios[name] = errors[0] / errors[1]
        if ratios:
            worst = max(ratios, key=lambda name: ratios[name])
            lines.append(
                f"- {title(call)}: between {markdown.number(min(ratios.values()))} and "
                f"{markdown.number(ratios[worst])} times (on {worst}) the error of {title(plain)}, "
                f"which has no penalty."
            )
    return "\n".join(lines)


def failures(scores: Scores) -> str:
    """Return a list of the fits that gave no result."""
    lines = [f"- {one.table}, {title_of(one.model)}: {one.note}" for one in scores.values()
             if one.failed]  # fmt: skip
    return "\n".join(["Without a result:\n", *lines]) if lines else ""


def document(scores: Scores, head: dict[str, Any]) -> str:
    """Return the report."""
    about = ABOUT.format(n_folds=head["n_folds"], n_rows=head["n_rows"], limit=head["limit"])
    parts = ["# Calls without arguments", about]
    if _names(scores, TABLES):
        parts += ["## Tables with noise", verdict(scores), summary(scores), own_ranks(scores)]
        parts += ["R²:", by_table(scores, TABLES, lambda one: r2_text(one.r2),
                                  lambda one: None if one.r2 is None else -one.r2)]  # fmt: skip
    if _names(scores, NOISELESS):
        parts += ["## Functions without noise", "RMSE/std:",
                  by_table(scores, NOISELESS, _error_text, lambda one: one.relative_error),
                  without_penalty(scores)]  # fmt: skip
    seconds = [by_table(scores, among, lambda one: markdown.duration(one.mean_seconds),
                        lambda one: None)
               for among in (TABLES, NOISELESS) if _names(scores, among)]  # fmt: skip
    parts += ["## CPU time a fit", *seconds, failures(scores)]
    parts += [machine.sentence(head["machine"], head["date"])]
    return "\n\n".join(part for part in parts if part) + "\n"


def _error_text(result: Result) -> str:
    value = result.relative_error
    return "failed" if value is None else f"{value:.2g}" if value >= 1e-3 else f"{value:.1e}"
