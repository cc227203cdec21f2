"""From the last checkpoint of a run to its result, with the losses of the network itself."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from math import isclose, isnan, nan
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop import validation
from batchprop.engines.samples import Samples
from batchprop.network import Network
from batchprop.network_loss import output_losses
from batchprop.solvers import registry
from batchprop.solvers.stopping import CONVERGED
from batchprop.training.checkpoint.checkpoint import Checkpoint
from batchprop.training.dataset import Dataset
from batchprop.training.external_dataset import ExternalDataset
from batchprop.training.fit_errors import FitErrors, of_output_losses
from batchprop.training.result import TrainResult
from batchprop.training.run_specification import RunSpecification

Array = npt.NDArray[Any]

OutputLosses = tuple[Array | None, Array | None]
"""The losses of each output on training and validation data, where they are known."""
_SAME = 1e-12  # relative difference up to which sums of the same numbers are equal
_ROUNDINGS = 64  # two losses are equal if they differ by so many eps of the network's dtype


def assemble_result(
    spec: RunSpecification,
    checkpoint: Checkpoint,
    began: float,
    known: OutputLosses = (None, None),
) -> TrainResult:
    """Assemble the result from the last checkpoint.

    ``known`` are the losses of each output of the best network as the solver's last evaluation has
    them; they are meaningless if that evaluation was cancelled.
    """
    state, validation_losses = checkpoint.state, checkpoint.validation_loss_curve
    best_epoch, validating = int(state.best_epoch[0]), spec.rules.validating
    fit = _fit_of_best(spec, checkpoint, known)
    return TrainResult(
        network=checkpoint.network,
        loss=fit.loss,
        validation_loss=fit.validation_loss,
        last_network=checkpoint.last_network,
        loss_curve=checkpoint.loss_curve,
        validation_loss_curve=validation_losses,
        n_epochs=checkpoint.n_epochs,
        n_evaluations=int(state.calls[0]),
        gradient_norm=float(state.gradient_norm[0]),
        selection_score=fit.validation_loss if validating else float(state.best_score[0]),
        best_epoch=best_epoch,
        stop_reason=checkpoint.stop_reason,
        converged=checkpoint.stop_reason in CONVERGED,
        seconds=time.perf_counter() - began,
        solver=checkpoint.arguments["solver"],
        checkpoint=checkpoint,
        alpha=validation.penalty(checkpoint.arguments["alpha"]),
        alpha_report=spec.alpha_report,
        training_errors=fit.training_errors,
        validation_errors=fit.validation_errors,
    )


class NetworkFit(NamedTuple):
    """Losses and errors of a network; those on validation data are NaN and None without any."""

    loss: float
    validation_loss: float
    training_errors: FitErrors
    validation_errors: FitErrors | None


def measured_fit(
    spec: RunSpecification,
    network: Network,
    solver_losses: tuple[float, float] = (nan, nan),
    rounding: float = 0.0,
) -> NetworkFit:
    """Measure a network on training and validation data.

    Parameters
    ----------
    spec : RunSpecification
        Has the data and the engine.
    network : Network
        In the user's units.
    solver_losses : tuple of two floats
        Training and validation loss as the solver has them.  They are kept if the measured ones
        agree, or if Ctrl-C ends the measurement.
    rounding : float
        Relative difference up to which they agree.
    """
    losses: list[float] = list(solver_losses)
    measured: list[Array | None] = [None, None]
    with suppress(KeyboardInterrupt):
        for k, of_samples in enumerate((training_losses, validation_losses)):
            each = measured[k] = of_samples(network, spec)
            if each is not None:
                loss = float(each.sum())
                losses[k] = losses[k] if isclose(losses[k], loss, rel_tol=rounding) else loss
    return _fit(spec.dataset, (losses[0], losses[1]), measured)


def _fit(
    dataset: Dataset | ExternalDataset,
    losses: tuple[float, float],
    of_outputs: Sequence[Array | None],
) -> NetworkFit:
    """Return losses with the errors that they mean; ``of_outputs`` has the losses of each output.

    The loss of a single output need not be measured for the output.
    """
    errors: list[FitErrors | None] = []
    deviations = dataset.target_std, dataset.validation_target_std
    for loss, each, std in zip(losses, of_outputs, deviations, strict=True):
        if std is None:
            errors.append(None)
        elif std.size == 1:
            errors.append(of_output_losses([loss], std))
        else:
            unknown = np.full(std.size, nan)
            errors.append(of_output_losses(unknown if each is None else each, std))
    training_errors, validation_errors = errors
    assert training_errors is not None
    return NetworkFit(*losses, training_errors, validation_errors)


def _fit_of_best(spec: RunSpecification, checkpoint: Checkpoint, known: OutputLosses) -> NetworkFit:
    """Return losses and errors of the best network; measure only what the solver does not know."""
    best_epoch = int(checkpoint.state.best_epoch[0])
    loss, validation_loss = float(checkpoint.loss_curve[best_epoch]), nan
    if spec.rules.validating:
        validation_loss = float(checkpoint.validation_loss_curve[best_epoch])
    exact, losses = is_exact(spec), (loss, validation_loss)
    if checkpoint.state.evaluations[0] == 0 or (exact and spec.dataset.n_outputs == 1):
        return _fit(spec.dataset, losses, (None, None))
    if exact and all(map(_agree, losses, known)):
        return _fit(spec.dataset, losses, known)
    rounding = 1.0 if exact else _ROUNDINGS * np.finfo(spec.initial_network.dtype).eps
    return measured_fit(spec, checkpoint.network, losses, float(rounding))


def _agree(loss: float, of_outputs: Array | None) -> bool:
    """Tell whether the losses of outputs are those of a loss; nothing is known of a loss of NaN."""
    if of_outputs is None:
        return isnan(loss)
    return isclose(loss, float(of_outputs.sum()), rel_tol=_SAME)


def is_exact(spec: RunSpecification) -> bool:
    """Tell whether the solver evaluates, to the last bit, the network that is returned."""
    dtype = spec.initial_network.dtype
    return (
        spec.dataset.scaling is None and registry.load(spec.solver).training_dtype(dtype) == dtype
    )


def training_losses(network: Network, spec: RunSpecification) -> Array:
    """Return the loss of each output (s,) on the training data, from the network's predictions."""
    dataset = spec.dataset
    if isinstance(dataset, ExternalDataset):
        return dataset.training.output_losses(dataset.summary, network, spec.n_threads)
    return _losses_of_arrays(dataset.training, network, spec)


def validation_losses(network: Network, spec: RunSpecification) -> Array | None:
    """Return the same on the validation data, if there are any."""
    dataset = spec.dataset
    if isinstance(dataset, ExternalDataset):
        samples, summary = dataset.validation, dataset.validation_summary
        if samples is None or summary is None:
            return None
        return samples.output_losses(summary, network, spec.n_threads)
    if dataset.validation is None:
        return None
    return _losses_of_arrays(dataset.validation, network, spec)


def _losses_of_arrays(samples: Samples, network: Network, spec: RunSpecification) -> Array:
    X, T, weight, _ = samples
    return output_losses(network, X, T, weight, engine=spec.engine, n_threads=spec.n_threads)
