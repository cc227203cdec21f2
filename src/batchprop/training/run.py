"""One training run: from its checked specification to the result."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from math import inf, nan
from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop import engines
from batchprop.engines.protocol import Objective
from batchprop.scaling import start_of
from batchprop.solvers import registry
from batchprop.solvers.penalty_kernel import penalty
from batchprop.solvers.protocol import Run
from batchprop.solvers.run_state import State, initial_state
from batchprop.solvers.settings import RESUMABLE
from batchprop.solvers.stopping import (
    DAMPING,
    LINE_SEARCH,
    MAX_EPOCHS,
    NEVER,
    NON_FINITE,
    REASONS,
    STEP,
)
from batchprop.threads.cancellation import Cancellation
from batchprop.training import convergence
from batchprop.training.checkpoint.checkpoint import Checkpoint, resumable
from batchprop.training.external_dataset import ExternalDataset
from batchprop.training.history import History
from batchprop.training.loop import advance
from batchprop.training.monitor import Monitor
from batchprop.training.result import TrainResult
from batchprop.training.run_result import OutputLosses, assemble_result, is_exact, training_losses
from batchprop.training.run_specification import RunSpecification
from batchprop.training.target_loss import TargetConfirmation

Array = npt.NDArray[Any]

# Stop reasons after which the solver finds no further step, whatever the rules are.
_FINAL_REASONS = {REASONS[code] for code in (NON_FINITE, LINE_SEARCH, DAMPING, STEP)}


def run(spec: RunSpecification, monitor: Monitor) -> TrainResult:
    """Carry out one run and return its result; write the last checkpoint."""
    state, history = _initial(spec)

    def snapshot(reason: str) -> Checkpoint:
        return _checkpoint(spec, state, history, reason)

    output_losses: OutputLosses = (None, None)
    try:
        reason, output_losses = _advance(spec, state, history, monitor, snapshot)
    except KeyboardInterrupt:
        reason = "interrupted"
    except Exception:  # of a callback
        if monitor.writer is not None:
            monitor.writer.write(snapshot("interrupted"))
        raise
    previous = spec.resumed_from
    if previous is not None and state.evaluations[0] < previous.state.evaluations[0]:
        checkpoint = replace(previous, stop_reason=reason)  # ended before its first evaluation
    else:
        checkpoint = snapshot(reason)
    if monitor.writer is not None:
        try:
            monitor.writer.write(checkpoint)
        except KeyboardInterrupt:  # return the result all the same
            checkpoint = replace(checkpoint, stop_reason="interrupted")
    result = assemble_result(spec, checkpoint, monitor.began, output_losses)
    if checkpoint.stop_reason == REASONS[NON_FINITE]:
        count = int(state.evaluations[0])
        loss, validation_loss = (float(curve[count]) for curve in history.curves(count + 1))
        result = replace(result, at_failure=(loss, validation_loss))
    if convergence.doubt(spec, result):
        result = replace(result, converged=False)
    return result


def _initial(spec: RunSpecification) -> tuple[State, History]:
    """Return the state and the history that a new or a resumed run begins with."""
    previous = spec.resumed_from
    if previous is None:
        solver, theta = registry.load(spec.solver), spec.initial_network.theta
        if spec.dataset.scaling is not None:
            theta = start_of(theta, spec.initial_network.shape, spec.dataset.scaling)
        memory = solver.initial_memory(spec.settings, theta.size)
        return initial_state(theta.astype(solver.training_dtype(theta.dtype)), memory), History()
    state = resumable(previous.state)
    losses = previous.loss_curve[: int(state.evaluations[0])]
    validation_losses = np.full_like(losses, nan)
    if spec.rules.validating:
        validation_losses = previous.validation_loss_curve[: losses.size]
    return state, History(losses, validation_losses)


def _advance(
    spec: RunSpecification,
    state: State,
    history: History,
    monitor: Monitor,
    snapshot: Callable[[str], Checkpoint],
) -> tuple[str, OutputLosses]:
    """Advance the run to its end; return the reason, and what is known of the best network."""
    rules, previous = spec.rules, spec.resumed_from
    if previous is not None:
        rules = rules._replace(max_epochs=min(previous.n_epochs + rules.max_epochs, NEVER))
        if previous.stop_reason in _FINAL_REASONS:
            return previous.stop_reason, (None, None)
        if state.epoch[0] > rules.max_epochs:  # the last step was taken but not evaluated
            return REASONS[MAX_EPOCHS], (None, None)
    solver = registry.load(spec.solver)
    if isinstance(spec.alpha, str):
        raise RuntimeError("a penalty is chosen before a run begins")
    rates = penalty(spec.alpha, spec.dataset.total_weight, spec.initial_network.shape)
    cancellation = Cancellation(monitor.poll)
    with ExitStack() as stack:
        objective, validation = objectives = _objectives(spec, stack, cancellation)

        def run_to(bound: float) -> Run:
            """Return a run that ends at a loss of ``bound``."""
            bounded = rules._replace(target_loss=bound)
            run = solver.run(spec.settings, bounded, rates, state, *objectives)
            stack.callback(run.close)
            return run

        bound, target = rules.target_loss, None
        if bound > -inf and not is_exact(spec):
            restarts = spec.solver in RESUMABLE
            target = TargetConfirmation(
                bound,
                lambda: _current_loss(spec, state) <= rules.target_loss,
                partial(run_to, -inf) if restarts else None,
            )
            bound = bound if restarts else -inf
        reason = advance(run_to(bound), state, history, monitor, snapshot, cancellation, target)
        of_validation = None if validation is None else validation.output_losses(state.best)
        return reason, (objective.output_losses(state.best), of_validation)


def _current_loss(spec: RunSpecification, state: State) -> float:
    """Return the loss L, in the user's units, that is compared with a target loss.

    It is the best network's loss if L decides which is best, otherwise the last network's.
    """
    checkpoint = _checkpoint(spec, state, History(), "running")
    by_loss = not spec.rules.validating and spec.alpha == (0.0, 0.0)
    network = checkpoint.network if by_loss else checkpoint.last_network
    return float(training_losses(network, spec).sum())


def _objectives(
    spec: RunSpecification, stack: ExitStack, cancellation: Cancellation
) -> tuple[Objective, Objective | None]:
    """Open the objectives of training and validation data; ``stack`` closes them."""
    dataset, network = spec.dataset, spec.initial_network
    engine, solver = engines.load(spec.engine), registry.load(spec.solver)
    dtype, needs_JTJ = solver.training_dtype(network.dtype), solver.needs_gauss_newton
    arguments = network.shape, network.activation, dtype, spec.n_threads, cancellation
    if isinstance(dataset, ExternalDataset):
        return _external_objectives(dataset, stack, arguments, needs_JTJ)
    open_training = engine.GaussNewtonObjective if needs_JTJ else engine.Objective
    objective = stack.enter_context(open_training(dataset.training, *arguments))
    if dataset.validation is None:
        return objective, None
    return objective, stack.enter_context(engine.Objective(dataset.validation, *arguments))


def _external_objectives(
    dataset: ExternalDataset, stack: ExitStack, arguments: Any, needs_JTJ: bool
) -> tuple[Objective, Objective | None]:
    """Open the objectives of samples that are not in memory."""
    samples, summary = dataset.training, dataset.summary
    objective = stack.enter_context(
        samples.objective(summary, dataset.scaling, *arguments, with_JTJ=needs_JTJ)
    )
    samples_val, summary_val = dataset.validation, dataset.validation_summary
    if samples_val is None or summary_val is None:
        return objective, None
    validation = samples_val.objective(summary_val, dataset.scaling, *arguments, with_JTJ=False)
    return objective, stack.enter_context(validation)


def _checkpoint(spec: RunSpecification, state: State, history: History, reason: str) -> Checkpoint:
    """Return where the run stands."""
    size, user = int(state.evaluations[0]), spec.user_network
    if reason == REASONS[NON_FINITE]:  # the losses at a start that is not finite
        size = max(1, size)
    losses, validation_losses = history.curves(size)
    return Checkpoint(
        arguments=spec.arguments,
        shape=spec.initial_network.shape,
        samples=spec.dataset.fingerprints,
        scaling=spec.dataset.scaling,
        given=None if user is None else user.astype(spec.initial_network.dtype).theta,
        state=state,
        loss_curve=losses,
        validation_loss_curve=validation_losses if spec.rules.validating else np.empty(0),
        stop_reason=reason,
    )
