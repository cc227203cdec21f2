"""Warnings about a fit, in scikit-learn's terms and at the line of the user's call."""

from __future__ import annotations

import warnings

from sklearn.exceptions import ConvergenceWarning

from batchprop.training import limits
from batchprop.training.result import TrainResult
from batchprop.vocabulary import Words

_NAMES = {
    "T": "y",
    "T_val": "y_val",
    "max_epochs": "max_iter",
    "n_epochs_no_change": "n_iter_no_change",
    "seed": "random_state",
    "tol=None": "tol=0",
}
# What to do when a limit has ended a fit.
_REMEDIES = {
    "max_epochs": "Raise max_iter, or try another solver.",
    "max_seconds": "Raise max_seconds, or leave it out.",
    "max_evaluations": "Raise max_evaluations in solver_options, or leave it out.",
    "method_gave_up": "Try another method in solver_options, or another solver.",
}

INTERRUPTED = "fit was interrupted; the estimator has the best network so far."
INTERRUPTED_AT_THE_START = (
    "fit was interrupted before its first iteration; the estimator is unchanged."
)


def words(flat: bool) -> Words:
    """Return the estimator's vocabulary; ``flat`` is whether y was a flat array."""
    return Words(
        _NAMES,
        rows_are_samples=True,
        flat=flat,
        unsettled=ConvergenceWarning,
        constant_inputs_are_usual=True,
    )


def was_interrupted(result: TrainResult) -> bool:
    """Tell whether Ctrl-C ended a fit.

    A callback that ends one start interrupts the others; that is not a Ctrl-C.
    """
    reasons = {start.stop_reason for start in (result, *result.starts)}
    return "interrupted" in reasons and "callback" not in reasons


def warn_if_not_converged(result: TrainResult, stacklevel: int) -> None:
    """Warn if a limit ended a fit; ``stacklevel`` is as in ``warnings.warn``."""
    reason = result.stop_reason
    if was_interrupted(result):  # an exception says it
        return
    if limits.is_untrained(result):
        warnings.warn(limits.UNTRAINED, ConvergenceWarning, stacklevel=stacklevel + 1)
    elif reason in _REMEDIES:
        warnings.warn(
            f"Stopped by {'max_iter' if reason == 'max_epochs' else reason} after "
            f"n_iter_={result.n_epochs} iterations, before the loss settled (it is "
            f"{result.loss:.4g} now). {_REMEDIES[reason]}",
            ConvergenceWarning,
            stacklevel=stacklevel + 1,
        )
