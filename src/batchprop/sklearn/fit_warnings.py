"""What the estimator says: in scikit-learn's words, and at the user's line."""

from __future__ import annotations

import warnings

from sklearn.exceptions import ConvergenceWarning

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
# Limits of a fit, and what to do where one of them has ended it.
_LIMITS = {
    "max_epochs": "Raise max_iter, or try another solver.",
    "max_seconds": "Raise max_seconds, or leave it out.",
    "max_evaluations": "Raise max_evaluations in solver_options, or leave it out.",
    "method_gave_up": "Try another method in solver_options, or another solver.",
}


def words(flat: bool) -> Words:
    """Return the estimator's words; ``flat`` tells whether y was a flat array."""
    return Words(_NAMES, rows_are_samples=True, flat=flat, unsettled=ConvergenceWarning)


def say_how_it_ended(result: TrainResult, stacklevel: int) -> None:
    """Warn of a fit that Ctrl-C or a limit has ended; ``stacklevel`` is as for warnings.warn."""
    reason = result.stop_reason
    reasons = {one.stop_reason for one in (result, *result.starts)}
    # A callback that ends one of several starts interrupts the others; Ctrl-C is no callback.
    if "interrupted" in reasons and "callback" not in reasons:
        warnings.warn(
            "Interrupted; the best network so far is kept.", UserWarning, stacklevel=stacklevel + 1
        )
    elif reason in _LIMITS:
        warnings.warn(
            f"Stopped by {'max_iter' if reason == 'max_epochs' else reason} after "
            f"n_iter_={result.n_epochs} iterations, before the loss settled (it is "
            f"{result.loss:.4g} now). {_LIMITS[reason]}",
            ConvergenceWarning,
            stacklevel=stacklevel + 1,
        )
