"""Training for the command line: on a part of the rows to measure errors, then on all of them."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from batchprop.cli import measures
from batchprop.cli.console import Console
from batchprop.cli.errors import INTERRUPTED, NOT_RELIABLE, CommandError
from batchprop.cli.measures import Errors
from batchprop.cli.training_data import Rows

if TYPE_CHECKING:
    from batchprop.network import Network
    from batchprop.training.result import TrainResult

Array = npt.NDArray[np.float64]

LEVEL = 0.9  # of the intervals whose coverage is measured
MEAN, LINEAR, NETWORK = "mean", "linear least squares", "network"
INTERRUPTION = "interrupted"  # the stop reason after Ctrl-C
_CUT_SHORT = (INTERRUPTION, "max_seconds")
_FEWEST = 2  # rows that are held out, so that R² has a meaning
_SHARE = 0.5  # of the seconds, for the first of two trainings


@dataclass(frozen=True, eq=False)
class HeldOut:
    """What was measured on rows that the measured predictors have not seen.

    Attributes
    ----------
    X : ndarray, shape (N, e)
        Inputs of these rows.
    T : ndarray, shape (N, s)
        Their targets.
    weights : ndarray, shape (N,), or None
        Their weights.
    errors : dict
        For "mean", "linear least squares" and "network" the errors of each target.
    coverage : list of float, or None
        For each target, the share of rows inside their interval of 90 %.
    network : Network
        The network that was measured.
    """

    X: Array
    T: Array
    weights: Array | None
    errors: dict[str, list[Errors]]
    coverage: list[float] | None
    network: Network


@dataclass(frozen=True, eq=False)
class Fit:
    """The outcome of ``fit``.

    Attributes
    ----------
    result : TrainResult
        Of the training whose network is the model.
    on_all_rows : bool
        Whether that training had all rows.
    n_rows : int
        Number of rows that it had.
    held_out : HeldOut or None
        What was measured on held-out rows.
    interrupted : bool
        Whether Ctrl-C ended a training.
    limited : bool
        Whether a limit that the user set ended the training of the model.
    """

    result: TrainResult
    on_all_rows: bool
    n_rows: int
    held_out: HeldOut | None
    interrupted: bool
    limited: bool


def fit(
    rows: Rows,
    arguments: Mapping[str, Any],
    *,
    fraction: float,
    refit: bool,
    console: Console,
) -> Fit:
    """Train, measure errors on held-out rows, and train again on all rows.

    Parameters
    ----------
    rows : Rows
        All samples.
    arguments : mapping of str to object
        Keyword arguments of ``batchprop.train``.
    fraction : float
        Share of the rows that are held out; 0 for none.
    refit : bool
        Train again on all rows, after the errors were measured.
    console : Console
        For notes and warnings.

    Raises
    ------
    CommandError
        There are too few rows to hold some out; or Ctrl-C or the time limit came before anything
        was learnt.
    """
    limit, began = arguments.get("max_seconds"), time.perf_counter()
    if fraction == 0:
        result = _train(rows, arguments, limit, console)
        return _fit_of(result, True, len(rows), None, arguments)
    mask = measures.held_out_rows(len(rows), fraction, arguments["seed"])
    n_held_out = int(np.count_nonzero(mask))
    if n_held_out < _FEWEST or len(rows) - n_held_out < _FEWEST:
        raise CommandError(
            f"{len(rows)} rows are too few to hold out {fraction:.0%} of them. Pass --hold-out 0 "
            f"to train on all of them without measuring errors."
        )
    training, held_out = rows.where(~mask), rows.where(mask)
    if np.any(np.ptp(training.T, axis=0) == 0):
        raise CommandError(
            "A target is constant in the rows that are not held out. Pass another --seed, a "
            "smaller --hold-out, or --hold-out 0."
        )
    console.note(f"training on {len(training):,} rows; {n_held_out:,} rows are held out")
    share = limit * _SHARE if limit is not None and refit else limit
    first = _train(training, arguments, share, console)
    measured = None if _is_untrained(first) else _measured(first, training, held_out)
    if not refit or first.stop_reason == INTERRUPTION:
        return _fit_of(first, False, len(training), measured, arguments)
    console.note(f"training on all {len(rows):,} rows")
    left = None if limit is None else max(limit - (time.perf_counter() - began), 1e-3)
    second = _train(rows, arguments, left, console)
    if _is_worse(second, first, rows):
        console.note("the second training was cut short; the network of the first is the model")
        chosen = _fit_of(first, False, len(training), measured, arguments)
    else:
        chosen = _fit_of(second, True, len(rows), measured, arguments)
    return replace(chosen, interrupted=True) if second.stop_reason == INTERRUPTION else chosen


def _train(
    rows: Rows, arguments: Mapping[str, Any], max_seconds: float | None, console: Console
) -> TrainResult:
    """Train on rows, with the library's warnings as lines."""
    import batchprop

    with console.warnings_as_lines():
        return batchprop.train(
            rows.X.T,
            rows.T.T,
            sample_weight=rows.weights,
            progress=not console.quiet,
            **{**arguments, "max_seconds": max_seconds},
        )


def _measured(result: TrainResult, training: Rows, held_out: Rows) -> HeldOut:
    """Measure the network and two simple predictors on held-out rows."""
    X, T, weights = held_out.X, held_out.T, held_out.weights
    network = result.network
    Y = network.predict(X.T).T.astype(np.float64)
    mean = np.broadcast_to(measures.means(training.T, training.weights), T.shape)
    linear = measures.linear_least_squares(training.X, training.T, training.weights).predict(X)
    predictions = {MEAN: mean, LINEAR: linear, NETWORK: Y}
    errors = {name: measures.errors(T, values, weights) for name, values in predictions.items()}
    coverage = None
    if result.predictive is not None:
        lower, upper = result.predictive.interval(X.T, LEVEL)
        coverage = measures.coverage(T, lower.T, upper.T, weights)
    return HeldOut(X, T, weights, errors, coverage, network)


def _fit_of(
    result: TrainResult,
    on_all_rows: bool,
    n_rows: int,
    held_out: HeldOut | None,
    arguments: Mapping[str, Any],
) -> Fit:
    """Return the outcome, unless nothing was learnt."""
    interrupted = result.stop_reason == INTERRUPTION
    if _is_untrained(result):
        raise CommandError(
            "training was ended before its first step; nothing was saved",
            INTERRUPTED if interrupted else NOT_RELIABLE,
        )
    limited = arguments.get(result.stop_reason, "auto") not in (None, "auto")
    return Fit(result, on_all_rows, n_rows, held_out, interrupted, limited)


def _is_untrained(result: TrainResult) -> bool:
    """Return whether a training was ended before its first step."""
    return result.n_epochs == 0 and result.stop_reason in _CUT_SHORT


def _is_worse(second: TrainResult, first: TrainResult, rows: Rows) -> bool:
    """Return whether the second training was cut short with a larger loss than the first."""
    if _is_untrained(first):
        return False
    if _is_untrained(second):
        return True
    if second.stop_reason not in _CUT_SHORT:
        return False
    losses = []
    for result in (second, first):
        residuals = result.network.predict(rows.X.T).T - rows.T
        losses.append(float(np.average(np.sum(residuals**2, axis=1), weights=rows.weights)))
    return not losses[0] <= losses[1] or math.isnan(losses[0])
