"""Parameters of the estimator as arguments of ``batchprop.train``."""

from __future__ import annotations

from typing import Any

from batchprop import validation

# What solver_options may hold: numbers of single solvers, and rules that few will need.
OPTIONS = (
    "momentum", "beta_1", "beta_2", "epsilon", "history_size", "max_evaluations", "damping",
    "max_damping", "step_tol", "method", "method_options", "target_loss", "gradient_tol",
)  # fmt: skip


def arguments_of_train(estimator: Any) -> dict[str, Any]:
    """Return what the run is; a parameter that ``train`` calls by another name is checked here."""
    more = validation.mapping("solver_options", estimator.solver_options)
    for name in more:
        validation.choice("a key of solver_options", name, OPTIONS)
    most, window = estimator.max_iter, estimator.n_iter_no_change
    if not validation.is_auto(most):
        most = validation.optional_count("max_iter", most, auto=True)
    if not validation.is_auto(window):
        window = validation.count("n_iter_no_change", window, auto=True)
    return more | {
        "hidden_size": estimator.hidden_size,
        "activation": estimator.activation,
        "solver": estimator.solver,
        "engine": estimator.engine,
        "alpha": estimator.alpha,
        "scale": estimator.scale,
        "learning_rate": estimator.learning_rate,
        "max_epochs": most,
        "tol": validation.number("tol", estimator.tol, least=0),
        "n_epochs_no_change": window,
    }


def is_shown(verbose: Any) -> bool:
    """Return whether to show progress."""
    if isinstance(verbose, bool):
        return verbose
    return validation.count("verbose", verbose, least=0) > 0
