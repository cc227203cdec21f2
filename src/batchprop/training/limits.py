"""Warnings about runs that a limit ended before the loss settled.

A limit on epochs or seconds that the user gave is no surprise and causes no warning, with one
exception: if the time was up before the first step, the returned network has learnt nothing.
"""

from __future__ import annotations

import warnings

from batchprop import validation
from batchprop.solvers.settings import FIRST_ORDER
from batchprop.solvers.stopping import MAX_EPOCHS, MAX_EVALUATIONS, REASONS
from batchprop.training.options import TrainOptions
from batchprop.training.result import TrainResult

RECENT = 0.5  # a best network of the validation data that is older is no reason to go on
UNTRAINED = (
    "Stopped by 'max_seconds' before the first step: the network is the start and has learnt "
    "nothing. Raise max_seconds, or leave it out."
)


def is_untrained(result: TrainResult) -> bool:
    """Tell whether the time was up before the first step."""
    return result.stop_reason == "max_seconds" and result.n_epochs == 0


def warn(options: TrainOptions, result: TrainResult, stacklevel: int) -> None:
    """Warn if a limit ended a run too early, and say what to do.

    Parameters
    ----------
    options : TrainOptions
        Those of the call: a ``max_epochs`` of "auto" is the solver's limit, not the user's.
    result : TrainResult
        The result of the run.
    stacklevel : int
        What the caller of this function would pass to ``warnings.warn``.
    """
    text = ""
    if is_untrained(result):
        text = UNTRAINED
    elif result.stop_reason == REASONS[MAX_EVALUATIONS]:
        text = (
            f"Stopped by 'max_evaluations' after {result.n_evaluations:,} evaluations, before the "
            f"loss settled. Raise max_evaluations, or leave it out."
        )
    elif result.stop_reason == REASONS[MAX_EPOCHS] and validation.is_auto(options.max_epochs):
        text = _of_default_epochs(result)
    if text and not _is_past_its_best(result):
        warnings.warn(text, UserWarning, stacklevel=stacklevel + 1)


def _of_default_epochs(result: TrainResult) -> str:
    text = (
        f"Stopped by 'max_epochs' after {result.n_epochs:,} epochs, the limit of "
        f"solver={result.solver!r} by default, before the loss settled. Pass a larger max_epochs, "
        f"or continue with resume=result"
    )
    if result.solver in FIRST_ORDER:
        return f"{text}, or leave out solver: the default solver needs far fewer epochs."
    if max(result.alpha) == 0.0 and result.alpha_report is None:
        return f"{text}. With noisy data, leave out alpha: with a penalty the loss settles."
    return f"{text}."


def _is_past_its_best(result: TrainResult) -> bool:
    """Tell whether the validation loss has had no new minimum for so long that more is no use."""
    return result.validation_errors is not None and (
        0 < result.n_epochs and result.best_epoch < RECENT * result.n_epochs
    )
