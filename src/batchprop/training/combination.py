"""From the results of several starts to one result: the best of them, or their mean."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from dataclasses import replace
from math import inf, isnan

import numpy as np

from batchprop.averaging import average
from batchprop.solvers.stopping import NON_FINITE, REASONS
from batchprop.training.monitor import CUT_SHORT
from batchprop.training.result import BEST, MEAN, TrainResult
from batchprop.training.run_result import measured_fit
from batchprop.training.run_specification import RunSpecification

COMBINATIONS = (BEST, MEAN)

_MAX_NAMED = 8  # starts that a warning lists


def combined(
    spec: RunSpecification, results: Sequence[TrainResult], combine: str, began: float
) -> TrainResult:
    """Return the result of a call from those of its starts; that of a single start as it is.

    Parameters
    ----------
    spec : RunSpecification
        Of the first start.  All have its data and its engine.
    results : sequence of TrainResult
        In the order of their seeds.
    combine : {"best", "mean"}
        Which result to return.
    began : float
        When the call began, by ``time.perf_counter``.
    """
    if len(results) == 1:
        return results[0]
    result = _mean(spec, results) if combine == MEAN else _lowest(results)
    return replace(result, starts=tuple(results), seconds=time.perf_counter() - began)


def averaged(results: Sequence[TrainResult]) -> list[TrainResult]:
    """Return the results that take part in the mean; at least one does.

    Left out are starts that became NaN or infinite, and some of those that the clock, Ctrl-C or a
    callback cut short: a start that took no step is a random network, and one whose score is above
    those of all starts that ran to their end has only begun.  If nothing else is left, the best of
    all starts stands alone.
    """
    finite = [result for result in results if result.stop_reason != REASONS[NON_FINITE]]
    ended = [result for result in finite if result.stop_reason not in CUT_SHORT]
    highest = max((result.selection_score for result in ended), default=inf)
    members = [
        result
        for result in finite
        if result.stop_reason not in CUT_SHORT
        or (result.n_epochs > 0 and result.selection_score <= highest)
    ]
    return members or [_lowest(results)]


def _lowest(results: Sequence[TrainResult]) -> TrainResult:
    def score(result: TrainResult) -> float:
        return inf if isnan(result.selection_score) else result.selection_score

    return min(results, key=score)


def _mean(spec: RunSpecification, results: Sequence[TrainResult]) -> TrainResult:
    """Return the result of the mean of the starts; its run is that of one of them."""
    members = averaged(results)
    run = _lowest([result for result in members if not result.converged] or members)
    cut_short = [result for result in results if result.stop_reason in CUT_SHORT]
    network = average([result.network for result in members])
    fit = measured_fit(spec, network)
    if spec.dataset.validation is not None:
        selection_score = fit.validation_loss
    else:
        selection_score = float(np.mean([result.selection_score for result in members]))
    return replace(
        run,
        network=network,
        last_network=average([result.last_network for result in members]),
        loss=fit.loss,
        validation_loss=fit.validation_loss,
        training_errors=fit.training_errors,
        validation_errors=fit.validation_errors,
        selection_score=selection_score,
        stop_reason=cut_short[0].stop_reason if cut_short else run.stop_reason,
        converged=all(result.converged for result in results),
        combine=MEAN,
    )


def warn_of_diverged(result: TrainResult, stacklevel: int) -> None:
    """Warn of starts that a mean leaves out because they became NaN or infinite.

    ``stacklevel`` is that of the user's call, seen from the caller of this function.
    """
    reason = REASONS[NON_FINITE]
    diverged = [k for k, start in enumerate(result.starts) if start.stop_reason == reason]
    if result.combine != MEAN or not diverged:
        return
    positions = ", ".join(map(str, diverged[:_MAX_NAMED]))
    if len(diverged) > _MAX_NAMED:
        positions += f" and {len(diverged) - _MAX_NAMED} more"
    warnings.warn(
        f"{len(diverged)} of {len(result.starts)} starts became NaN or infinite and are left out "
        f"of the mean: {positions} in the order of their seeds. Standardise the data "
        f"(scale=True), lower learning_rate, or use solver='lbfgs'.",
        RuntimeWarning,
        stacklevel=stacklevel + 1,
    )
