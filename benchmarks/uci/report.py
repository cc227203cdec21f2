"""The report: our errors beside the published ones."""

from __future__ import annotations

import math
from typing import Any

from benchmarks import machine, markdown
from benchmarks.uci import uncertainty
from benchmarks.uci.published import PUBLISHED, best
from benchmarks.uci.tables import TABLES

ABOUT = """Made by `make bench-uci` (`python -m benchmarks.uci`).

The protocol of Hernández-Lobato and Adams (2015): one hidden layer of 50 units (protein: 100), the
given splits into nine tenths to train on and one tenth to test on; the root mean squared error of
the test rows in the target's units, mean over the splits ± its standard error (the standard
deviation over √splits). Everything is chosen from training rows, by one call for all tables:

    batchprop.train(X.T, y.T, hidden_size={hidden_size}{options})

One network is trained on a split and tested. The row "five averaged" is the mean of five starts
with the penalty that this call chose, `n_init=5, combine="mean"`, which is one network, too.
Picking the best of the scikit-learn rows for each table would be a choice by test error. So is, to
a lesser degree, what our call leaves out: that `alpha="auto"` penalises W_y m times as much as W_h
(docs/penalty.md), and tanh as the default activation, were settled after looking at test errors on
these five tables, not by their training rows alone. scikit-learn's errors on power are means of
four splits. Data: UCI repository, CC BY."""


ABOUT_UNCERTAINTY = """How sure it is, by `uncertainty="laplace"` with the penalty that the call
chose (docs/uncertainty.md). Likelihoods are of normal distributions with the predicted standard
deviations, widths are in the target's units."""


def error(mean: float, standard_error: float | None) -> str:
    digits = 2 if mean >= 1 else 3
    known = standard_error is not None
    spread = f" ± {standard_error:.{digits}f}" if known else ""
    return f"{mean:.{digits}f}{spread}"


def comparison(summaries: dict[str, dict[str, float]]) -> str:
    """Return a table with one row per method and one column per UCI table."""
    names = [name for name in TABLES if name in summaries]
    body = []
    for title, prefix in (("batchprop", ""), ("batchprop, five averaged", "averaged_")):
        cells = [
            error(summaries[name][f"{prefix}rmse"], summaries[name][f"{prefix}standard_error"])
            for name in names
        ]
        body.append([f"**{title}**", *(f"**{cell}**" for cell in cells)])
    for method in PUBLISHED:
        cells = [
            error(*method.rmse[name]) if name in method.rmse else markdown.MISSING for name in names
        ]
        body.append([method.title, *cells])
    return markdown.table(["test RMSE", *names], body)


def details(summaries: dict[str, dict[str, float]]) -> str:
    """Return a table with one row per UCI table: our rank, and the cost."""
    body = []
    for name, summary in summaries.items():
        least, _ = best(name)
        gap = summary["rmse"] / least - 1
        body.append(
            [name, f"{summary['splits']:.0f} of {TABLES[name].n_splits}",
             error(summary["rmse"], None), error(least, None), f"{100 * gap:+.1f} %",
             error(summary["train_rmse"], None), markdown.duration(summary["seconds"]),
             markdown.duration(summary["cpu_seconds"]), error(summary["starts_rmse"], None),
             error(summary["averaged_rmse"], None),
             markdown.duration(summary["averaged_cpu_seconds"])]
        )  # fmt: skip
    head = ["table", "splits", "ours", "best of one hidden layer", "difference", "on training rows",
            "time a split", "CPU time", "each of five",
            "five averaged", "CPU time of the five"]  # fmt: skip
    return markdown.table(head, body)


def behind(summaries: dict[str, dict[str, float]]) -> str:
    """Return a sentence that names the tables where a published error is lower."""
    tables_behind = []
    for name, summary in summaries.items():
        least, spread = best(name)
        if summary["rmse"] > least:
            within = summary["rmse"] - least <= math.hypot(summary["standard_error"], spread)
            tables_behind.append(
                f"{name} (by {'less' if within else 'more'} than the standard error)"
            )
    if not tables_behind:
        return "At or below the best published row of one hidden layer on every table that was run."
    return f"Behind the best published row of one hidden layer: {', '.join(tables_behind)}."


def document(
    summaries: dict[str, dict[str, float]], setting: dict[str, Any], threads: int | None,
    described: dict[str, Any], date: str,
) -> str:  # fmt: skip
    """Return the report."""
    options = "".join(f", {name}={value!r}" for name, value in setting.items())
    about = ABOUT.format(hidden_size="50 or 100", options=options)
    on = "as many threads as suit the work" if threads is None else f"{threads} thread(s)"
    return "\n\n".join(
        ["# Test errors on UCI tables", about, comparison(summaries), behind(summaries),
         details(summaries), ABOUT_UNCERTAINTY, uncertainty.tables(summaries),
         f"On {on}. {machine.sentence(described, date)}"]
    ) + "\n"  # fmt: skip
