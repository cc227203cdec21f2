"""Our errors beside the published ones."""

from __future__ import annotations

import math
from typing import Any

from benchmarks import machine, markdown
from benchmarks.uci.published import PUBLISHED, best
from benchmarks.uci.tables import TABLES

ABOUT = """Made by `make bench-uci` (`python -m benchmarks.uci`).

The protocol of Hernández-Lobato and Adams (2015): one hidden layer of 50 units (protein: 100), the
given splits into nine tenths to train on and one tenth to test on; the root mean squared error of
the test rows in the target's units, mean over the splits ± its standard error (the standard
deviation over √splits). Everything is chosen from training rows, by one call for all tables:

    batchprop.train(X.T, y.T, hidden_size={hidden_size}{options})

One network is trained on a split and tested, not an average of several. Picking the best of the
scikit-learn rows for each table would be a choice by test error. So is, to a lesser degree, what
our call leaves out: that `alpha="auto"` penalises W_y m times as much as W_h (docs/penalty.md), and
tanh as the default activation, were settled after looking at test errors on these five tables, not
by their training rows alone. scikit-learn's errors on power are means of four splits. Data: UCI
repository, CC BY."""


def error(mean: float, standard_error: float | None) -> str:
    digits = 2 if mean >= 1 else 3
    known = standard_error is not None
    spread = f" ± {standard_error:.{digits}f}" if known else ""
    return f"{mean:.{digits}f}{spread}"


def comparison(found: dict[str, dict[str, float]]) -> str:
    """One row a method, one column a table that was run."""
    names = [name for name in TABLES if name in found]
    ours = [error(found[name]["rmse"], found[name]["standard_error"]) for name in names]
    body = [["**batchprop**", *(f"**{cell}**" for cell in ours)]]
    for method in PUBLISHED:
        cells = [
            error(*method.rmse[name]) if name in method.rmse else markdown.MISSING for name in names
        ]
        body.append([method.title, *cells])
    return markdown.table(["test RMSE", *names], body)


def details(found: dict[str, dict[str, float]]) -> str:
    """One row a table: where ours stands, and what it took."""
    body = []
    for name, one in found.items():
        least, _ = best(name)
        gap = one["rmse"] / least - 1
        body.append(
            [name, f"{one['splits']:.0f} of {TABLES[name].n_splits}", error(one["rmse"], None),
             error(least, None), f"{100 * gap:+.1f} %", error(one["train_rmse"], None),
             markdown.duration(one["seconds"])]
        )  # fmt: skip
    head = ["table", "splits", "ours", "best of one hidden layer", "difference", "on training rows",
            "time a split"]  # fmt: skip
    return markdown.table(head, body)


def behind(found: dict[str, dict[str, float]]) -> str:
    """Name the tables where another row is lower."""
    told = []
    for name, one in found.items():
        least, spread = best(name)
        if one["rmse"] > least:
            within = one["rmse"] - least <= math.hypot(one["standard_error"], spread)
            told.append(f"{name} (by {'less' if within else 'more'} than the standard error)")
    if not told:
        return "At or below the best published row of one hidden layer on every table that was run."
    return f"Behind the best published row of one hidden layer: {', '.join(told)}."


def document(
    found: dict[str, dict[str, float]], setting: dict[str, Any], threads: int | None,
    described: dict[str, Any], date: str,
) -> str:  # fmt: skip
    """The whole report."""
    options = "".join(f", {name}={value!r}" for name, value in setting.items())
    about = ABOUT.format(hidden_size="50 or 100", options=options)
    on = "as many threads as suit the work" if threads is None else f"{threads} thread(s)"
    return "\n\n".join(
        ["# Test errors on UCI tables", about, comparison(found), behind(found), details(found),
         f"On {on}. {machine.sentence(described, date)}"]
    ) + "\n"  # fmt: skip
