"""The measures: RMSE, negative log likelihood, coverage and width of intervals; means over splits.

All are means over the test rows of a split, in the target's units.  Means over splits come with the
standard error that publications print: the standard deviation (divisor n) over √n.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from benchmarks.data import Array


def rmse(prediction: Array, target: Array) -> float:
    """Return the root mean squared error."""
    return math.sqrt(np.mean((prediction - target) ** 2))


def negative_log_likelihood(prediction: Array, std: Array, target: Array) -> float:
    """Return the mean of −ln of the normal density: ½ ln(2π v) + r²/(2v), with v = std²."""
    variance = std**2
    squares = (prediction - target) ** 2
    return float(np.mean(0.5 * np.log(2 * math.pi * variance) + 0.5 * squares / variance))


def coverage(lower: Array, upper: Array, target: Array) -> float:
    """Return the share of targets inside their interval, ends included."""
    return float(np.mean((lower <= target) & (target <= upper)))


def width(lower: Array, upper: Array) -> float:
    """Return the mean width of the intervals."""
    return float(np.mean(upper - lower))


class Result(NamedTuple):
    """A call on a split.  If it failed, the note says why, and its measures are NaN.

    ``nll`` is None if the call predicts no variance.  ``intervals`` holds coverage and mean width
    by method.  Seconds are CPU time on one thread: of the whole call, and, if it chose a penalty,
    of training alone with the penalty that it chose.
    """

    table: str
    call: str
    split: int
    rmse: float
    nll: float | None
    intervals: dict[str, tuple[float, float]]
    seconds: float
    fit_seconds: float | None
    stopped: str
    note: str


Results = dict[tuple[str, str, int], Result]  # by table, call and split


class Mean(NamedTuple):
    """The mean over splits, its standard error, and the number of splits."""

    value: float
    error: float
    n: int


def mean(values: Sequence[float]) -> Mean | None:
    """Return the mean of values, None if there are none."""
    if not values:
        return None
    array = np.array(values, float)
    return Mean(float(array.mean()), float(array.std() / math.sqrt(array.size)), array.size)


def of_call(results: Results, table: str, call: str) -> list[Result]:
    """Return the results of a call on a table that did not fail, by split."""
    selected = [r for r in results.values() if (r.table, r.call) == (table, call) and not r.note]
    return sorted(selected, key=lambda result: result.split)


def mean_of(
    results: Results, table: str, call: str, measure: Callable[[Result], float | None]
) -> Mean | None:
    """Return the mean of a measure over the splits on which the call has it."""
    values = [measure(result) for result in of_call(results, table, call)]
    return mean([value for value in values if value is not None])


def difference(results: Results, table: str, call: str, other: str) -> Mean | None:
    """Return by how much the RMSE of a call is above that of another, on the splits of both."""
    others = {result.split: result.rmse for result in of_call(results, table, other)}
    return mean(
        [
            result.rmse - others[result.split]
            for result in of_call(results, table, call)
            if result.split in others
        ]
    )
