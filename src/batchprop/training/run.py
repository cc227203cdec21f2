"""One training run, from what was checked to the result."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from math import inf, isclose, nan
from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop import validation
from batchprop.engines.fused.objective import Objective
from batchprop.engines.scaled_objective import CopiedObjective
from batchprop.network import Network
from batchprop.network_loss import network_loss
from batchprop.scaling import start_of
from batchprop.solvers.penalty_kernel import penalty
from batchprop.solvers.registry import family
from batchprop.solvers.settings import RESUMABLE
from batchprop.solvers.stopping import (
    CONVERGED,
    DAMPING,
    LINE_SEARCH,
    MAX_EPOCHS,
    NEVER,
    NON_FINITE,
    REASONS,
    STEP,
    State,
    start,
)
from batchprop.threads.cancellation import Cancellation
from batchprop.training import convergence
from batchprop.training.checkpoint.checkpoint import Checkpoint, resumable
from batchprop.training.loop import History, Target, advance
from batchprop.training.monitor import Monitor
from batchprop.training.result import TrainResult
from batchprop.training.run_specification import RunSpecification

Array = npt.NDArray[Any]

# Reasons of the solver itself: from where it stands there is no step, whatever the rules.
_AT_THE_END = {REASONS[code] for code in (NON_FINITE, LINE_SEARCH, DAMPING, STEP)}

_ROUNDINGS = 64  # of the network's dtype, up to which two losses are the same number


def run(spec: RunSpecification, monitor: Monitor) -> TrainResult:
    """Train."""
    state, history = _begun(spec)

    def snapshot(reason: str) -> Checkpoint:
        return _checkpoint(spec, state, history, reason)

    try:
        reason = _advanced(spec, state, history, monitor, snapshot)
    except KeyboardInterrupt:
        reason = "interrupted"
    except Exception:  # a callback's, which is passed on
        if monitor.writer is not None:
            monitor.writer.write(snapshot("interrupted"))
        raise
    before = spec.resumed_from
    if before is not None and state.evaluations[0] < before.state.evaluations[0]:
        reached = replace(before, stop_reason=reason)  # it was not even evaluated again
    else:
        reached = snapshot(reason)
    if monitor.writer is not None:
        try:
            monitor.writer.write(reached)
        except KeyboardInterrupt:  # the result is worth more than its copy
            reached = replace(reached, stop_reason="interrupted")
    result = _result(spec, reached, monitor.began)
    if reached.stop_reason == REASONS[NON_FINITE]:
        count = int(state.evaluations[0])
        loss, validation_loss = (float(curve[count]) for curve in history.curves(count + 1))
        result = replace(result, at_failure=(loss, validation_loss))
    if convergence.doubt(spec, result):
        result = replace(result, converged=False)
    return result


def _begun(spec: RunSpecification) -> tuple[State, History]:
    """Return the state and the history of a run that begins or goes on."""
    before = spec.resumed_from
    if before is None:
        kind, theta = family(spec.solver), spec.initial_network.theta
        if spec.dataset.scaling is not None:
            theta = start_of(theta, spec.initial_network.shape, spec.dataset.scaling)
        memory = kind.memory(spec.settings, theta.size)
        return start(theta.astype(kind.dtype(theta.dtype)), memory), History()
    state = resumable(before.state)
    losses = before.loss_curve[: int(state.evaluations[0])]
    held_out = before.validation_loss_curve if spec.rules.validating else np.full_like(losses, nan)
    return state, History((losses, held_out[: losses.size]))


def _advanced(
    spec: RunSpecification,
    state: State,
    history: History,
    monitor: Monitor,
    snapshot: Callable[[str], Checkpoint],
) -> str:
    """Advance the run to its end; return the reason."""
    rules, before = spec.rules, spec.resumed_from
    if before is not None:
        rules = rules._replace(max_epochs=min(before.n_epochs + rules.max_epochs, NEVER))
        if before.stop_reason in _AT_THE_END:
            return before.stop_reason
        if state.epoch[0] > rules.max_epochs:  # the step after the last epoch is already taken
            return REASONS[MAX_EPOCHS]
    kind = family(spec.solver)
    if spec.alpha is None:
        raise RuntimeError("a penalty is chosen before a run begins")
    free = penalty(spec.alpha, spec.dataset.total_weight, spec.initial_network.shape)
    cancellation = Cancellation(monitor.ended)
    with ExitStack() as stack:
        objectives = _objectives(spec, stack, cancellation)
        loop = kind.fused_run if spec.engine == "fused" else kind.copied_run

        def run_to(bound: float) -> Any:
            """Return a run that ends at this loss."""
            made = loop(spec.settings, rules._replace(target_loss=bound), free, state, *objectives)
            if hasattr(made, "close"):
                stack.callback(made.close)
            return made

        bound = rules.target_loss
        if bound == -inf or _exact(spec):
            return advance(run_to(bound), state, history, monitor, snapshot, cancellation)
        restarts = spec.solver in RESUMABLE
        target = Target(
            bound,
            lambda: _loss_so_far(spec, state) <= bound,
            partial(run_to, -inf) if restarts else None,
        )
        begun = run_to(bound if restarts else -inf)
        return advance(begun, state, history, monitor, snapshot, cancellation, target)


def _exact(spec: RunSpecification) -> bool:
    """Tell whether the network that is returned is, to the last bit, what the solver evaluates."""
    dtype = spec.initial_network.dtype
    return spec.dataset.scaling is None and family(spec.solver).dtype(dtype) == dtype


def _loss_so_far(spec: RunSpecification, state: State) -> float:
    """Return the loss, on raw units, of the network that a target loss is for.

    That is the best one, which is returned, unless that was chosen by something else than L.
    """
    reached = _checkpoint(spec, state, History(), "running")
    by_loss = not spec.rules.validating and spec.alpha == (0.0, 0.0)
    return _training_loss(spec, reached.network if by_loss else reached.last_network)


def _training_loss(spec: RunSpecification, network: Network) -> float:
    data = spec.dataset
    return network_loss(
        network, data.X, data.T, data.sample_weight, engine=spec.engine, n_threads=spec.n_threads
    )


def _objectives(
    spec: RunSpecification, stack: ExitStack, cancellation: Cancellation
) -> tuple[Any, Any]:
    """Prepare training and validation data for the engine; ``stack`` closes what is opened."""
    data, first, kind = spec.dataset, spec.initial_network, family(spec.solver)
    form = first.shape, first.activation, kind.dtype(first.dtype)

    def prepared(fused: Any, copied: Any, *samples: Array | None) -> Any:
        if spec.engine == "fused":
            made = fused(*samples, *form, spec.n_threads, spec.dataset.scaling, cancellation)
        else:
            made = copied(spec.engine, *samples, *form, spec.dataset.scaling, cancellation)
        return stack.enter_context(made)

    objective = prepared(kind.fused, kind.copied, data.X, data.T, data.sample_weight)
    if data.X_val is None:
        return objective, None
    return objective, prepared(Objective, CopiedObjective, data.X_val, data.T_val, None)


def _checkpoint(spec: RunSpecification, state: State, history: History, reason: str) -> Checkpoint:
    """Return where the run stands."""
    size, user = int(state.evaluations[0]), spec.user_network
    if reason == REASONS[NON_FINITE]:  # at the start, too, its losses are known
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


def _losses(spec: RunSpecification, reached: Checkpoint) -> tuple[float, float]:
    """Return training and validation loss of the best network, NaN where there is none."""
    best_epoch = int(reached.state.best_epoch[0])
    loss, validation_loss = float(reached.loss_curve[best_epoch]), nan
    if spec.rules.validating:
        validation_loss = float(reached.validation_loss_curve[best_epoch])
    if _exact(spec) or reached.state.evaluations[0] == 0:
        return loss, validation_loss
    network, rounding = reached.network, _ROUNDINGS * np.finfo(spec.initial_network.dtype).eps
    with suppress(KeyboardInterrupt):  # the solver's own losses are nearly the same
        measured = _training_loss(spec, network)
        loss = loss if isclose(loss, measured, rel_tol=rounding) else measured
        if spec.dataset.X_val is not None and spec.dataset.T_val is not None:
            measured = network_loss(
                network,
                spec.dataset.X_val,
                spec.dataset.T_val,
                engine=spec.engine,
                n_threads=spec.n_threads,
            )
            same = isclose(validation_loss, measured, rel_tol=rounding)
            validation_loss = validation_loss if same else measured
    return loss, validation_loss


def _result(spec: RunSpecification, reached: Checkpoint, began: float) -> TrainResult:
    """Put together what the run has come to."""
    state, validation_losses = reached.state, reached.validation_loss_curve
    best_epoch = int(state.best_epoch[0])
    loss, validation_loss = _losses(spec, reached)
    return TrainResult(
        network=reached.network,
        loss=loss,
        validation_loss=validation_loss,
        last_network=reached.last_network,
        loss_curve=reached.loss_curve,
        validation_loss_curve=validation_losses,
        n_epochs=reached.n_epochs,
        n_evaluations=int(state.calls[0]),
        gradient_norm=float(state.gradient_norm[0]),
        score=validation_loss if spec.rules.validating else float(state.best_score[0]),
        best_epoch=best_epoch,
        stop_reason=reached.stop_reason,
        converged=reached.stop_reason in CONVERGED,
        seconds=time.perf_counter() - began,
        solver=reached.arguments["solver"],
        checkpoint=reached,
        alpha=validation.penalty(reached.arguments["alpha"]),
        alpha_report=spec.alpha_report,
    )
