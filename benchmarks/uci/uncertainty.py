"""How well a predictive knows its errors on test rows: likelihood, coverage, width."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from batchprop import Predictive
from benchmarks import markdown
from benchmarks.data import Array
from benchmarks.uci.published import NEGATIVE_LOG_LIKELIHOODS

LEVEL = 0.9
METHODS = ("laplace", "conformal", "conformal-normalised")
TITLES = {"": "batchprop", "averaged_": "batchprop, five averaged"}


def assessed(predictive: Predictive | None, X: Array, y: Array) -> dict[str, float]:
    """Return the negative log likelihood of the targets, and coverage and width of intervals.

    All in the target's units; NaN if there is no predictive.
    """
    names = [f"{name}_{method}" for method in METHODS for name in ("coverage", "width")]
    if predictive is None:
        return dict.fromkeys(["nll", *names], math.nan)
    Y, std = predictive.predict(X.T, return_std=True)
    squares = np.square((Y - y.T) / std)
    figures = {"nll": float(np.mean(0.5 * (np.log(2 * math.pi * std**2) + squares)))}
    for method in METHODS:
        lower, upper = predictive.interval(X.T, LEVEL, method)
        figures[f"coverage_{method}"] = float(np.mean((lower <= y.T) & (y.T <= upper)))
        figures[f"width_{method}"] = float(np.mean(upper - lower))
    return figures


def tables(summaries: dict[str, dict[str, Any]]) -> str:
    """Return the tables of the report: likelihoods beside published ones, and intervals."""
    names = list(summaries)
    body = [
        [f"**{title}**", *(f"**{summaries[name][f'{prefix}nll']:.2f}**" for name in names)]
        for prefix, title in TITLES.items()
    ]
    for title, values in NEGATIVE_LOG_LIKELIHOODS.items():
        cells = [f"{values[name]:.2f}" if name in values else markdown.MISSING for name in names]
        body.append([title, *cells])
    likelihoods = markdown.table(["negative log likelihood of a test row", *names], body)
    body = []
    for prefix, title in TITLES.items():
        for method in METHODS:
            cells = [
                f"{100 * summaries[name][f'{prefix}coverage_{method}']:.0f} %, "
                f"{markdown.number(summaries[name][f'{prefix}width_{method}'])}"
                for name in names
            ]
            body.append([f"{title}: {method}", *cells])
    head = [f"intervals of {100 * LEVEL:.0f} %: coverage, mean width", *names]
    times = [
        [
            title,
            *(markdown.duration(summaries[n][f"{prefix}uncertainty_cpu_seconds"]) for n in names),
        ]
        for prefix, title in TITLES.items()
    ]
    costs = markdown.table(["CPU time of the fit with uncertainty", *names], times)
    return "\n\n".join([likelihoods, markdown.table(head, body), costs])
