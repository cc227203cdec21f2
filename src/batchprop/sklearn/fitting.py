"""What ``fit`` and ``partial_fit`` do: check the tables, train, and set the fitted attributes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from batchprop import validation
from batchprop.sklearn.arguments import resuming, seed_of, train_options
from batchprop.sklearn.fit_warnings import (
    INTERRUPTED,
    INTERRUPTED_AT_THE_START,
    warn_if_not_converged,
    was_interrupted,
    words,
)
from batchprop.sklearn.fitted_attributes import set_fitted
from batchprop.sklearn.hold_out import hold_out
from batchprop.sklearn.training_data import (
    Samples,
    Tables,
    checked,
    checked_validation,
    checked_weights,
)
from batchprop.sklearn.unchanged import unchanged_on_error
from batchprop.sklearn.warm_start import PreviousFit, previous_network
from batchprop.training.call import trained
from batchprop.training.dataset import DatasetBuilder
from batchprop.training.options import Callback, TrainOptions
from batchprop.training.result import BEST, TrainResult
from batchprop.validation.error_text import message


def train_estimator(
    estimator: Any, tables: Tables, callback: Callback | None, callback_every: int, stacklevel: int
) -> None:
    """Do what ``BatchMLPRegressor.fit`` does.

    Parameters
    ----------
    estimator : BatchMLPRegressor
        Gets the fitted attributes.
    tables : Tables
        As the user passed them.
    callback, callback_every
        As for ``fit``.
    stacklevel : int
        For ``warnings.warn`` in the caller of this function, to point to the user's line.

    Raises
    ------
    TypeError, ValueError
        A parameter or a table is wrong; the estimator is unchanged.
    KeyboardInterrupt
        After Ctrl-C.  The estimator has the best network, or is unchanged if no iteration was made.
    """
    with unchanged_on_error(estimator):
        options = train_options(estimator, callback, callback_every)
        samples, random_state, flat = _samples(estimator, tables, reset=True)
        warm_start = validation.flag("warm_start", estimator.warm_start)
        parameters = estimator.get_params(deep=False)
        previous_fit: PreviousFit | None = getattr(estimator, "_previous_fit", None)
        options = _for_samples(options, samples)
        if (
            warm_start
            and previous_fit is not None
            and previous_fit.is_continued_by(parameters, samples)
        ):
            options = resuming(options, previous_fit.checkpoint)
        else:
            options = _starting(estimator, options, samples, random_state, warm_start)
        result = _trained(samples, options, flat, stacklevel + 1)
        _keep(estimator, parameters, result, samples, flat, warm_start)
        warn_if_not_converged(result, stacklevel + 1)
    if was_interrupted(result):
        raise KeyboardInterrupt(INTERRUPTED)


def train_on_batch(estimator: Any, tables: Tables, stacklevel: int) -> None:
    """Do what ``BatchMLPRegressor.partial_fit`` does; otherwise like ``train_estimator``."""
    with unchanged_on_error(estimator):
        options = replace(train_options(estimator, None, 1), max_epochs=1)
        first = not hasattr(estimator, "network_")
        samples, random_state, flat = _samples(estimator, tables, reset=first)
        _check_outputs(estimator, samples, first)
        parameters = estimator.get_params(deep=False)
        previous_fit: PreviousFit | None = getattr(estimator, "_previous_fit", None)
        checkpoint = None
        if previous_fit is not None:
            checkpoint = (
                previous_fit.checkpoint
                if previous_fit.is_continued_by(parameters, samples)
                else previous_fit.on_batch(parameters, samples)
            )
        options = _for_samples(options, samples)
        if checkpoint is not None:
            options = resuming(options, checkpoint)
        else:
            options = _starting(estimator, options, samples, random_state, warm_start=True)
            if options.network is not None and validation.is_penalty_method(options.alpha):
                options = replace(options, alpha=estimator.alpha_)  # chosen in the first call
        result = _trained(samples, options, flat, stacklevel + 1)
        _keep(estimator, parameters, result, samples, flat, resumable=True)
        if result.stop_reason != "max_epochs":  # that of a single iteration says nothing
            warn_if_not_converged(result, stacklevel + 1)
    if was_interrupted(result):
        raise KeyboardInterrupt(INTERRUPTED)


def _samples(
    estimator: Any, tables: Tables, reset: bool
) -> tuple[Samples, np.random.RandomState, bool]:
    """Return the checked samples, the generator of random numbers, and whether y is flat."""
    X, y = checked(estimator, tables.X, tables.y, reset=reset)
    targets = y.reshape(X.shape[0], -1)
    sample_weight = checked_weights(tables.sample_weight, X)
    random_state = check_random_state(estimator.random_state)
    validation_tables = checked_validation(estimator, tables.X_val, tables.y_val, targets.shape[1])
    weight_val = tables.sample_weight_val
    samples = Samples(X.T, targets.T, sample_weight, sample_weight_val=weight_val)
    early_stopping = validation.flag("early_stopping", estimator.early_stopping)
    if validation_tables is not None:
        samples = samples.validated_by(*validation_tables)
    elif early_stopping and weight_val is None:
        samples = hold_out(samples, estimator.validation_fraction, random_state)
    return samples, random_state, y.ndim == 1


def _check_outputs(estimator: Any, samples: Samples, first: bool) -> None:
    """Refuse a batch with another number of outputs than the batches before it."""
    n_outputs = samples.T.shape[0]
    if not first and n_outputs != estimator.n_outputs_:
        expected = f"have {estimator.n_outputs_} outputs, as many as in earlier calls"
        raise ValueError(message("y", expected, f"{n_outputs}", "Call fit to start anew."))


def _for_samples(options: TrainOptions, samples: Samples) -> TrainOptions:
    """Return the options of a fit to these samples."""
    options = replace(options, **samples.beside_tables)
    if samples.validating:  # with validation data, patience replaces tol
        options = replace(options, tol=None, patience=options.n_epochs_no_change)
    return options


def _starting(
    estimator: Any,
    options: TrainOptions,
    samples: Samples,
    random_state: np.random.RandomState,
    warm_start: bool,
) -> TrainOptions:
    """Return the options of a run that starts from the previous network, or at random."""
    sizes = samples.X.shape[0], samples.T.shape[0]
    network = previous_network(estimator, *sizes) if warm_start else None
    return replace(
        options,
        network=network,
        n_init=estimator.n_init if network is None else 1,
        combine=estimator.combine,
        seed=seed_of(estimator.random_state, random_state),
        dtype=samples.X.dtype,
    )


def _trained(samples: Samples, options: TrainOptions, flat: bool, stacklevel: int) -> TrainResult:
    """Return the result of a run; raise after Ctrl-C if it is the start that it began with."""
    result = trained(
        DatasetBuilder(samples.X, samples.T, words(flat)), options, stacklevel=stacklevel + 1
    )
    if was_interrupted(result) and result.n_epochs == 0:
        raise KeyboardInterrupt(INTERRUPTED_AT_THE_START)
    return result


def _keep(
    estimator: Any,
    parameters: dict[str, Any],
    result: TrainResult,
    samples: Samples,
    flat: bool,
    resumable: bool,
) -> None:
    """Set the fitted attributes, and what a later fit continues."""
    continuable = resumable and result.combine == BEST
    estimator._previous_fit = PreviousFit.of(parameters, result.checkpoint) if continuable else None
    set_fitted(estimator, result, flat, samples.validating)
