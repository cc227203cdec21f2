"""The report: one table for each measure, our calls beside measured and published ones."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks import machine, markdown
from benchmarks.defaults.catalogue import TABLES as CATALOGUE
from benchmarks.uci import calls
from benchmarks.uci.published import PUBLISHED, Pair
from benchmarks.uci.scores import Mean, Result, Results, difference, mean, mean_of, of_call
from benchmarks.uci.tables import TABLES

ABOUT = """Made by `make bench-uci` (`python -m benchmarks.uci`).

The protocol of Hernández-Lobato and Adams (2015): one hidden layer of 50 units (protein: 100), the
given splits into nine tenths to train on and one tenth to test on. Every figure is a mean over test
rows, then over splits, in the target's units, ± the standard error (the standard deviation over
√splits). A number in parentheses says how many splits were run, if not all of them. Everything is
chosen from training rows, by one call for all tables:

    batchprop.train(X.T, y.T, hidden_size=50)

Other calls of ours are named by the arguments that they add. `n_init=5 combine=mean` returns the
mean of five starts, as one network. The other libraries' models were run on the same splits with
their own defaults: X standardised for GaussianProcess, X and y for MLPRegressor. "GaussianProcess,
Matérn" fits a length for each input and the noise, on at most {gp_rows} training rows. Methods with
a year, and those marked as measured, were not run here; `benchmarks/uci/published.py` has the
sources. Data: UCI repository, CC BY."""

TUNED = """**Tuning.** No table here is new to this package. {tuned} are among the tables on which
defaults may be tuned ([defaults.md](defaults.md)). The factor m between the penalties on W_y and
W_h and the default activation were settled after looking at test errors on them; the rule of
`alpha="auto"` and the calibration of `uncertainty="laplace"` were developed with them in view.
Picking the best of the published scikit-learn rows for each table would be a choice by test error,
too. Their errors on power are means of four splits."""

LIKELIHOOD = """Mean over test rows of ½ ln(2π v) + r²/(2v), where r is the error and v the
predicted variance, in the target's units. Ours predict v with `uncertainty="laplace"`, calibrated
by samples left out of training. NGBoost's splits were others."""

COVERAGE = """Share of the test rows inside their interval, which should be 0.90, / mean width in
the target's units. "normal" is an interval of a normal distribution with the variance above;
"conformal" has the same width everywhere, and "normalised" conformal one in proportion to the
predicted standard deviation."""

SECONDS = """CPU time of a fit on one thread, after a warm-up that loads libraries and kernels. Our
calls with `uncertainty` include the training of further networks, on folds, for the calibration."""

CHOICE = """What choosing the penalty costs: the CPU time of the call less that of training with the
penalty that it chose, and the RMSE, on the splits that both were run on."""

BEHIND = """Lower RMSE than our call without arguments, with the difference. Models that were run
are compared on the splits that both have, published ones only where all splits were run:"""

Measure = Callable[[Result], float | None]
Text = Callable[[float, float | None], str]  # of a mean and its standard error


def number(value: float) -> str:
    """Format an error or a likelihood: two digits behind the point, three below 1 in size."""
    return f"{value:.{2 if abs(value) >= 1 else 3}f}"


def spread(value: float, error: float | None) -> str:
    """Format a mean and its standard error with the same digits."""
    digits = 2 if abs(value) >= 1 else 3
    return number(value) if error is None else f"{number(value)} ± {error:.{digits}f}"


def of_splits(text: str, table: str, count: int) -> str:
    """Add the number of splits if they are not all."""
    return text if count == TABLES[table].n_splits else f"{text} ({count})"


def cell(table: str, average: Mean | None, text: Text = spread) -> str:
    """Format a mean; that of one split has no standard error."""
    if average is None:
        return markdown.MISSING
    error = average.error if average.n > 1 else None
    return of_splits(text(average.value, error), table, average.n)


def tables_of(results: Results) -> list[str]:
    present = {table for table, _, _ in results}
    return [name for name in TABLES if name in present]


def calls_of(results: Results) -> list[str]:
    """Return the calls that have results: ours in the order of the benchmark, then the others."""
    order = [*calls.CALLS, *calls.OTHERS]
    present = {call for _, call, _ in results}
    return [name for name in order if name in present] + sorted(present - {*order})


def _rows(
    results: Results, names: Sequence[str], measure: Measure,
    text: Text = spread,
) -> list[list[str]]:  # fmt: skip
    """Return a row for each call that has the measure, with a cell for each UCI table."""
    rows = []
    for call in names:
        means = [mean_of(results, table, call, measure) for table in tables_of(results)]
        if any(means):
            cells = [cell(*pair, text) for pair in zip(tables_of(results), means, strict=True)]
            rows.append([calls.title_of(call), *cells])
    return rows


def _published_rows(results: Results, of: Callable[[Any], dict[str, Pair]]) -> list[list[str]]:
    rows = []
    for method in PUBLISHED:
        known = of(method)
        if any(name in known for name in tables_of(results)):
            cells = [
                spread(*known[name]) if name in known else markdown.MISSING
                for name in tables_of(results)
            ]
            rows.append([method.title, *cells])
    return rows


def _is_uncertain(call: str) -> bool:
    return calls.is_ours(call) and "uncertainty=" in call


def errors(results: Results) -> str:
    """Return the table of RMSE.  ``uncertainty`` does not change the network, so it has no row."""
    names = [call for call in calls_of(results) if not _is_uncertain(call)]
    rows = _rows(results, names, lambda result: result.rmse)
    rows += _published_rows(results, lambda method: method.rmse)
    return markdown.table(["test RMSE", *tables_of(results)], rows)


def likelihoods(results: Results) -> str:
    """Return the table of negative log likelihoods; "" if no call predicted a variance."""
    rows = _rows(results, calls_of(results), lambda result: result.nll)
    if not rows:
        return ""
    rows += _published_rows(results, lambda method: method.nll)
    return markdown.table(["NLL", *tables_of(results)], rows)


def _covered(table: str, results: Results, call: str, method: str) -> str:
    pairs = [r.intervals[method] for r in of_call(results, table, call) if method in r.intervals]
    shares, widths = mean([pair[0] for pair in pairs]), mean([pair[1] for pair in pairs])
    if shares is None or widths is None:
        return markdown.MISSING
    text = f"{shares.value:.3f} / {markdown.number(widths.value)}"
    return of_splits(text, table, shares.n)


def intervals(results: Results) -> str:
    """Return the table of coverage and width, a row for each call and method; "" if none has."""
    rows = []
    for call in calls_of(results):
        methods = {name for r in results.values() if r.call == call for name in r.intervals}
        for method in (name for name in calls.METHODS.values() if name in methods):
            cells = [_covered(table, results, call, method) for table in tables_of(results)]
            rows.append([calls.title_of(call), method, *cells])
    head = ["coverage of 90 % / width", "interval", *tables_of(results)]
    return markdown.table(head, rows, left=2) if rows else ""


def seconds(results: Results) -> str:
    """Return the table of CPU time."""
    rows = _rows(results, calls_of(results), lambda result: result.seconds,
                 lambda value, error: markdown.duration(value))  # fmt: skip
    return markdown.table(["CPU time of a fit", *tables_of(results)], rows)


def choices(results: Results) -> str:
    """Return the table of what choosing the penalty costs; "" if only one way was run."""
    rows = []
    for table in tables_of(results):
        pair = [
            {result.split: result for result in of_call(results, table, call)}
            for call in (calls.OURS, calls.CROSS_VALIDATED)
        ]
        both = sorted(set(pair[0]) & set(pair[1]))
        if not both:
            continue
        cost = [_mean_choice([by_split[k] for k in both]) for by_split in pair]
        rmse = [mean([by_split[k].rmse for k in both]) for by_split in pair]
        ratio = cost[0] / cost[1] if cost[0] is not None and cost[1] else None
        rows.append(
            [table, str(len(both)), *map(markdown.duration, cost),
             markdown.MISSING if ratio is None else f"{ratio:.2f}",
             *(number(average.value) for average in rmse if average)]
        )  # fmt: skip
    head = ["table", "splits", "by evidence", 'by `alpha="cv"`', "ratio",
            "RMSE by evidence", 'RMSE by `alpha="cv"`']  # fmt: skip
    return markdown.table(head, rows) if rows else ""


def _mean_choice(results: Sequence[Result]) -> float | None:
    """Return the mean CPU seconds of choosing; None if the noise of the clock hides them."""
    if any(result.fit_seconds is None for result in results):
        return None
    costs = mean([result.seconds - (result.fit_seconds or 0.0) for result in results])
    return costs.value if costs and costs.value > 0.0 else None


def _lower(results: Results, table: str, ours: Mean) -> list[str]:
    """Return what has a lower RMSE on a table; published means are of all splits."""
    lower = []
    for call in filter(lambda name: not calls.is_ours(name), calls_of(results)):
        gap = difference(results, table, call, calls.OURS)
        if gap is not None and gap.value < 0:
            error = gap.error if gap.n > 1 else None
            lower.append(f"{calls.title_of(call)} (by {spread(-gap.value, error)})")
    if ours.n < TABLES[table].n_splits:
        return lower
    return lower + [
        f"{method.title} (by {number(ours.value - method.rmse[table][0])})"
        for method in PUBLISHED
        if table in method.rmse and method.rmse[table][0] < ours.value
    ]


def behind(results: Results) -> str:
    """Return, for each UCI table, what has a lower RMSE than our call without arguments."""
    lines = []
    for table in tables_of(results):
        ours = mean_of(results, table, calls.OURS, lambda result: result.rmse)
        if ours is not None:
            lines.append(f"- {table}: {'; '.join(_lower(results, table, ours)) or 'none'}.")
    return "\n".join([BEHIND, "", *lines]) if lines else ""


def failures(results: Results) -> str:
    """Return a list of the fits that gave no result."""
    lines = [f"- {r.table}, split {r.split}, {calls.title_of(r.call)}: {r.note}"
             for r in results.values() if r.note]  # fmt: skip
    return "\n".join(["Without a result:\n", *lines]) if lines else ""


def not_run(results: Results) -> str:
    """Return a sentence that names the other libraries' models without any result."""
    absent = [name for name in calls.OTHERS if name not in calls_of(results)]
    if not absent:
        return ""
    return f"Not run, or not installed: {', '.join(map(calls.title_of, absent))}."


def _tuned() -> str:
    """Return the names of the UCI tables on which defaults may be tuned."""
    tuned = {table.name for table in CATALOGUE if table.tuned}
    *others, last = [name for name in TABLES if name in tuned]
    return f"{', '.join(others).capitalize()} and {last}"


def document(results: Results, head: dict[str, Any]) -> str:
    """Return the report."""
    tuning = textwrap.fill(TUNED.format(tuned=_tuned()), 100)
    parts = ["# Test errors on UCI tables", ABOUT.format(gp_rows=calls.GP_ROWS), tuning]
    parts += ["## Errors", errors(results), behind(results), not_run(results), failures(results)]
    for title, text, table in (
        ("## How sure: likelihood", LIKELIHOOD, likelihoods(results)),
        ("## How sure: intervals", COVERAGE, intervals(results)),
        ("## Time", SECONDS, seconds(results)),
        ("", CHOICE, choices(results)),
    ):
        parts += [title, text, table] if table else []
    others = ", ".join(f"{name} {version}" for name, version in head["packages"].items())
    parts += [f"Other libraries: {others}." if others else "",
              machine.sentence(head["machine"], head["date"])]  # fmt: skip
    return "\n\n".join(part for part in parts if part) + "\n"
