"""The report: ranks, R² and CPU seconds on tables with noise, RMSE/std on functions without."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks import machine, markdown
from benchmarks.defaults.catalogue import NOISELESS, TABLES, Noiseless, Table
from benchmarks.defaults.models import GP_ROWS, OTHERS, OURS, has_no_penalty, title_of
from benchmarks.defaults.scores import Result, Scores, mean_ranks, table_ranks
from benchmarks.defaults.trials import MAX_DRAWS, N_TEST

ABOUT = f"""Made by `make bench-defaults` (`python -m benchmarks.defaults`).

How good is the network that the call without arguments returns? The tables compare
`BatchMLPRegressor()`, and variants with the arguments shown, with models of scikit-learn at their
own defaults. Each model gets a seed. Ours also gets `n_threads=1`, which does not change its
result. Scaling is part of a model's name: X is standardised by `StandardScaler` in a pipeline, y by
`TransformedTargetRegressor`. SVR and `MLPRegressor` need the latter for targets far from unit size;
"MLPRegressor, X scaled" leaves it out, as much code does. Codes of categories are passed as
numbers. HistGradientBoosting and SVR fit each output separately. "GaussianProcess, Matérn" is not a
call without arguments: it fits a length for each input and the noise. Gaussian processes are fitted
to at most {GP_ROWS} training rows.

**Tables with noise.** {{n_folds}} folds, the same for all models. R² is computed from the left-out
rows of all folds together and averaged over outputs, so that folds with few rows do not dominate.
Predicting the mean of the targets gives about 0. Larger tables are reduced to {{n_rows}} rows for
all models. Ranks are among seven models: ours and those marked with •. Equal values share their
mean rank. A model that fails, or needs more than {{limit:g}} s of CPU time for a fit, is last.

**Functions without noise.** RMSE on {N_TEST} new points over the standard deviation of their
values; geometric mean over up to {MAX_DRAWS} draws of the training points.

Seconds are CPU time of `fit` on one thread, after a warm-up that loads libraries and kernels.

**Tuning.** Defaults of this package may be tuned on the tables marked "tuned", half of the kinds,
and are reported on all. The tables were divided before any default was tuned. Earlier experiments
had already used the UCI tables, Friedman 1, the noisy sinc, diabetes, and all functions but Branin
and Franke."""


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
        ranks = [_rank_text(mean_ranks(scores, part, ours), model) for part in parts]
        results = [scores[name, model] for name in names if (name, model) in scores]
        body.append([title(model), *ranks, *_summary_cells(results)])
    head = ["model", "mean rank of seven", "on tuned kinds", "on the others", "median R²",
            "lowest R²", "tables", "CPU time a fit", "ended at a limit"]  # fmt: skip
    return markdown.table(head, body)


def _summary_cells(results: Sequence[Result]) -> list[str]:
    """Return median and lowest R², the number of tables, CPU time, and fits ended at a limit."""
    values = [-np.inf if result.r2 is None else result.r2 for result in results]
    extremes = [float(np.median(values)), min(values)] if values else []
    seconds = _mean([result.mean_seconds for result in results])
    n_fits = sum(len(result.stopped) for result in results)
    n_limits = sum(result.at_limits for result in results)
    limits = f"{n_limits} of {n_fits}" if n_fits else markdown.MISSING
    texts = [r2_text(value) for value in extremes] or [markdown.MISSING] * 2
    return [*texts, f"{len(results)}", markdown.duration(seconds), limits]


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
        cells = [markdown.MISSING if result is None else text(result) for result in results]
        values = [None if result is None else value(result) for result in results]
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
        values = [result.r2 for (table, model), result in scores.items()
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
    lines = [
        f"- {result.table}, {title_of(result.model)}: {result.note}"
        for result in scores.values()
        if result.failed
    ]
    return "\n".join(["Without a result:\n", *lines]) if lines else ""


def _negative_r2(result: Result) -> float | None:
    return None if result.r2 is None else -result.r2


def _error_text(result: Result) -> str:
    value = result.relative_error
    return "failed" if value is None else f"{value:.2g}" if value >= 1e-3 else f"{value:.1e}"


def document(scores: Scores, head: dict[str, Any]) -> str:
    """Return the report."""
    about = ABOUT.format(n_folds=head["n_folds"], n_rows=head["n_rows"], limit=head["limit"])
    parts = ["# Calls without arguments", about]
    if _names(scores, TABLES):
        r2 = by_table(scores, TABLES, lambda result: r2_text(result.r2), _negative_r2)
        parts += ["## Tables with noise", verdict(scores), summary(scores), own_ranks(scores)]
        parts += ["R²:", r2]
    if _names(scores, NOISELESS):
        errors = by_table(scores, NOISELESS, _error_text, lambda result: result.relative_error)
        parts += ["## Functions without noise", "RMSE/std:", errors, without_penalty(scores)]
    parts += ["## CPU time a fit"]
    for among in (TABLES, NOISELESS):
        if _names(scores, among):
            parts.append(by_table(scores, among, _seconds_text, lambda result: None))
    parts += [failures(scores), machine.sentence(head["machine"], head["date"])]
    return "\n\n".join(part for part in parts if part) + "\n"


def _seconds_text(result: Result) -> str:
    return markdown.duration(result.mean_seconds)
