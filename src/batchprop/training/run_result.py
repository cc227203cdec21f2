"""From the last checkpoint of a run to its result, with the losses of the network itself."""

from __future__ import annotations

import time
from contextlib import suppress
from math import isclose, nan

import numpy as np

from batchprop import validation
from batchprop.engines.samples import Samples
from batchprop.network import Network
from batchprop.network_loss import network_loss
from batchprop.solvers import registry
from batchprop.solvers.stopping import CONVERGED
from batchprop.training.checkpoint.checkpoint import Checkpoint
from batchprop.training.result import TrainResult
from batchprop.training.run_specification import RunSpecification

_ROUNDINGS = 64  # two losses are equal if they differ by so many eps of the network's dtype


def assemble_result(spec: RunSpecification, checkpoint: Checkpoint, began: float) -> TrainResult:
    """Assemble the result from the last checkpoint."""
    state, validation_losses = checkpoint.state, checkpoint.validation_loss_curve
    best_epoch = int(state.best_epoch[0])
    loss, validation_loss = _losses_of_best(spec, checkpoint)
    return TrainResult(
        network=checkpoint.network,
        loss=loss,
        validation_loss=validation_loss,
        last_network=checkpoint.last_network,
        loss_curve=checkpoint.loss_curve,
        validation_loss_curve=validation_losses,
        n_epochs=checkpoint.n_epochs,
        n_evaluations=int(state.calls[0]),
        gradient_norm=float(state.gradient_norm[0]),
        score=validation_loss if spec.rules.validating else float(state.best_score[0]),
        best_epoch=best_epoch,
        stop_reason=checkpoint.stop_reason,
        converged=checkpoint.stop_reason in CONVERGED,
        seconds=time.perf_counter() - began,
        solver=checkpoint.arguments["solver"],
        checkpoint=checkpoint,
        alpha=validation.penalty(checkpoint.arguments["alpha"]),
        alpha_report=spec.alpha_report,
    )


def _losses_of_best(spec: RunSpecification, checkpoint: Checkpoint) -> tuple[float, float]:
    """Return training and validation loss of the best network; NaN without validation data."""
    best_epoch = int(checkpoint.state.best_epoch[0])
    loss, validation_loss = float(checkpoint.loss_curve[best_epoch]), nan
    if spec.rules.validating:
        validation_loss = float(checkpoint.validation_loss_curve[best_epoch])
    if is_exact(spec) or checkpoint.state.evaluations[0] == 0:
        return loss, validation_loss
    network, rounding = checkpoint.network, _ROUNDINGS * np.finfo(spec.initial_network.dtype).eps
    with suppress(KeyboardInterrupt):  # then the solver's losses, which are nearly the same
        measured = loss_on(spec.dataset.training, network, spec)
        loss = loss if isclose(loss, measured, rel_tol=rounding) else measured
        held_out = spec.dataset.validation
        if held_out is not None:
            measured = loss_on(held_out, network, spec)
            same = isclose(validation_loss, measured, rel_tol=rounding)
            validation_loss = validation_loss if same else measured
    return loss, validation_loss


def is_exact(spec: RunSpecification) -> bool:
    """Tell whether the solver evaluates, to the last bit, the network that is returned."""
    dtype = spec.initial_network.dtype
    return (
        spec.dataset.scaling is None and registry.load(spec.solver).training_dtype(dtype) == dtype
    )


def loss_on(samples: Samples, network: Network, spec: RunSpecification) -> float:
    """Return the loss L of a network on training or validation data, from its own predictions."""
    X, T, weight, _ = samples
    return network_loss(network, X, T, weight, engine=spec.engine, n_threads=spec.n_threads)
