"""Parameters of the estimator as options of ``batchprop.train``."""

from __future__ import annotations

import math
import numbers
from dataclasses import replace
from typing import Any

import numpy as np

from batchprop import validation
from batchprop.solvers.stopping import NEVER
from batchprop.training.checkpoint.checkpoint import Checkpoint
from batchprop.training.options import Callback, TrainOptions
from batchprop.training.run_options import RUN_OPTIONS, RunOptions
from batchprop.validation.error_text import described, message

# What solver_options may hold: settings of single solvers, and stopping rules that few will need.
OPTIONS = (
    "momentum", "beta_1", "beta_2", "epsilon", "history_size", "max_evaluations", "damping",
    "max_damping", "step_tol", "method", "method_options", "target_loss", "gradient_tol",
)  # fmt: skip


def train_options(estimator: Any, callback: Callback | None, callback_every: int) -> TrainOptions:
    """Return the options of a fit, but for those that depend on samples or on an earlier fit.

    Parameters that ``train`` calls by another name are checked here.
    """
    solver_options = validation.mapping("solver_options", estimator.solver_options)
    for name in solver_options:
        validation.choice("a key of solver_options", name, OPTIONS)
    max_epochs, window = estimator.max_iter, estimator.n_iter_no_change
    if not validation.is_auto(max_epochs):
        max_epochs = validation.optional_count("max_iter", max_epochs, auto=True)
    if isinstance(window, float) and window == math.inf:  # as scikit-learn has it
        window = NEVER
    elif not validation.is_auto(window):
        window = validation.count("n_iter_no_change", window, auto=True)
    return TrainOptions(
        **solver_options,
        hidden_size=_hidden_size(estimator.hidden_size),
        activation=estimator.activation,
        solver=estimator.solver,
        engine=estimator.engine,
        alpha=estimator.alpha,
        scale=estimator.scale,
        uncertainty=estimator.uncertainty,
        learning_rate=_learning_rate(estimator.learning_rate),
        max_epochs=max_epochs,
        tol=validation.number("tol", estimator.tol, least=0),
        n_epochs_no_change=window,
        callback=callback,
        callback_every=callback_every,
        progress=is_shown(estimator.verbose) or None,
        max_seconds=estimator.max_seconds,
        n_threads=estimator.n_threads,
    )


def _hidden_size(value: Any) -> int:
    """Check the number of hidden units, which ``MLPRegressor`` has in a tuple."""
    if not isinstance(value, tuple | list):
        return validation.count("hidden_size", value)
    expected = "be one integer, the number of units of the one hidden layer"
    remedy = "Add the sizes up, or choose a number such as 50."
    if len(value) == 1:
        remedy = f"Pass hidden_size={value[0]!r}."
    raise TypeError(message("hidden_size", expected, described(value), remedy))


def _learning_rate(value: Any) -> Any:
    """Refuse a schedule of ``MLPRegressor``; ``train`` checks numbers."""
    if isinstance(value, str):
        expected = "be a positive number or None, and is constant"
        remedy = "Pass the value of MLPRegressor's learning_rate_init, or leave it out."
        raise TypeError(message("learning_rate", expected, described(value), remedy))
    return value


def resuming(options: TrainOptions, checkpoint: Checkpoint) -> TrainOptions:
    """Return the options of a fit that continues an earlier one: the run's are left out."""
    defaults = RunOptions()
    left_out = {name: getattr(defaults, name) for name in RUN_OPTIONS}
    return replace(options, **left_out, resume=checkpoint)


def is_shown(verbose: Any) -> bool:
    """Return whether to show progress."""
    if isinstance(verbose, bool):
        return verbose
    return validation.count("verbose", verbose, least=0) > 0


def seed_of(random_state: Any, generator: np.random.RandomState) -> int:
    """Return the seed of the random start; an integer ``random_state`` is passed on unchanged."""
    if isinstance(random_state, numbers.Integral):
        return int(random_state)
    return int(generator.randint(np.iinfo(np.int32).max))
