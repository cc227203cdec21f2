"""One training run, from what was checked to the result."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from math import nan
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop import validation
from batchprop.bursts import History, Watch, advance
from batchprop.checkpoint import Checkpoint, resumable
from batchprop.engines.fused.objective import Objective
from batchprop.engines.standardised import CopiedObjective
from batchprop.fingerprint import Fingerprint
from batchprop.network import Network
from batchprop.options import Data
from batchprop.result import AlphaReport, TrainResult
from batchprop.scaling import Scaling
from batchprop.solvers.families import family
from batchprop.solvers.penalty import penalty
from batchprop.solvers.stopping import (
    CONVERGED,
    DAMPING,
    LINE_SEARCH,
    MAX_EPOCHS,
    NEVER,
    NON_FINITE,
    REASONS,
    STEP,
    Rules,
    State,
    start,
)

Array = npt.NDArray[Any]

# Reasons of the solver itself: from where it stands there is no step, whatever the rules.
_AT_THE_END = {REASONS[code] for code in (NON_FINITE, LINE_SEARCH, DAMPING, STEP)}


class Job(NamedTuple):
    """All that a run depends on, but for who looks on.

    Attributes
    ----------
    data : Data
        Training and validation data, in the user's units.
    scaling : Scaling or None
        How they are standardised.
    first : Network
        Where training starts, a network of standardised data.
    given : Network or None
        The same in the user's units, where the user gave it.
    engine, solver : str
        Their names.
    settings : NamedTuple
        The solver's numbers.
    rules : Rules
        When to stop.
    alpha : tuple of two floats, or None
        The penalty (α_h, α_y); None is yet to be chosen, before the run.
    n_threads : int or None
        At most so many threads.
    arguments : dict
        What a checkpoint keeps of the call.
    samples : dict of str to Fingerprint
        What to know the data by.
    resumed : Checkpoint or None
        Of the run that goes on.
    alpha_report : AlphaReport or None
        How the penalty was chosen.
    """

    data: Data
    scaling: Scaling | None
    first: Network
    given: Network | None
    engine: str
    solver: str
    settings: Any
    rules: Rules
    alpha: tuple[float, float] | None
    n_threads: int | None
    arguments: dict[str, Any]
    samples: dict[str, Fingerprint]
    resumed: Checkpoint | None = None
    alpha_report: AlphaReport | None = None


def run(job: Job, watch: Watch) -> TrainResult:
    """Train."""
    state, history = _begun(job)

    def snapshot(reason: str) -> Checkpoint:
        return _checkpoint(job, state, history, reason)

    try:
        reason = _advanced(job, state, history, watch, snapshot)
    except KeyboardInterrupt:
        reason = "interrupted"
    except Exception:  # a callback's, which is passed on
        if watch.saver is not None:
            watch.saver.write(snapshot("interrupted"))
        raise
    before = job.resumed
    if before is not None and state.evaluations[0] < before.state.evaluations[0]:
        reached = replace(before, stop_reason=reason)  # it was not even evaluated again
    else:
        reached = snapshot(reason)
    if watch.saver is not None:
        try:
            watch.saver.write(reached)
        except KeyboardInterrupt:  # the result is worth more than its copy
            reached = replace(reached, stop_reason="interrupted")
    result = _result(reached, watch.began, job.alpha_report)
    if reached.stop_reason == REASONS[NON_FINITE]:
        count = int(state.evaluations[0])
        loss, validation_loss = (float(curve[count]) for curve in history.curves(count + 1))
        result = replace(result, at_failure=(loss, validation_loss))
    return result


def _begun(job: Job) -> tuple[State, History]:
    """Return the state and the history of a run that begins or goes on."""
    before = job.resumed
    if before is None:
        kind, theta = family(job.solver), job.first.theta
        memory = kind.memory(job.settings, theta.size)
        return start(theta.astype(kind.dtype(theta.dtype)), memory), History()
    state = resumable(before.state)
    losses = before.loss_curve[: int(state.evaluations[0])]
    held_out = before.validation_loss_curve if job.rules.validating else np.full_like(losses, nan)
    return state, History((losses, held_out[: losses.size]))


def _advanced(
    job: Job,
    state: State,
    history: History,
    watch: Watch,
    snapshot: Callable[[str], Checkpoint],
) -> str:
    """Advance the run to its end; return the reason."""
    rules, before = job.rules, job.resumed
    if before is not None:
        rules = rules._replace(max_epochs=min(before.n_epochs + rules.max_epochs, NEVER))
        if before.stop_reason in _AT_THE_END:
            return before.stop_reason
        if state.epoch[0] > rules.max_epochs:  # the step after the last epoch is already taken
            return REASONS[MAX_EPOCHS]
    kind = family(job.solver)
    if job.alpha is None:
        raise RuntimeError("a penalty is chosen before a run begins")
    free = penalty(job.alpha, _total_weight(job.data), job.first.shape)
    fixed = job.settings, rules, free, state
    with ExitStack() as stack:
        objectives = _objectives(job, stack)
        loop = kind.fused_run if job.engine == "fused" else kind.copied_run
        made = loop(*fixed, *objectives)
        if hasattr(made, "close"):
            stack.callback(made.close)
        return advance(made, state, history, watch, snapshot)


def _total_weight(data: Data) -> float:
    if data.sample_weight is None:
        return float(data.X.shape[1])
    return float(np.sum(data.sample_weight, dtype=np.float64))


def _objectives(job: Job, stack: ExitStack) -> tuple[Any, Any]:
    """Prepare training and validation data for the engine; ``stack`` closes what is opened."""
    data, first, kind = job.data, job.first, family(job.solver)
    form = first.shape, first.activation, kind.dtype(first.dtype)

    def prepared(fused: Any, copied: Any, *samples: Array | None) -> Any:
        if job.engine == "fused":
            made = fused(*samples, *form, job.n_threads, job.scaling)
        else:
            made = copied(job.engine, *samples, *form, job.scaling)
        return stack.enter_context(made)

    objective = prepared(kind.fused, kind.copied, data.X, data.T, data.sample_weight)
    if data.X_val is None:
        return objective, None
    return objective, prepared(Objective, CopiedObjective, data.X_val, data.T_val, None)


def _checkpoint(job: Job, state: State, history: History, reason: str) -> Checkpoint:
    """Return where the run stands."""
    losses, validation_losses = history.curves(max(1, int(state.evaluations[0])))
    return Checkpoint(
        arguments=job.arguments,
        shape=job.first.shape,
        samples=job.samples,
        scaling=job.scaling,
        given=None if job.given is None else job.given.astype(job.first.dtype).theta,
        state=state,
        loss_curve=losses,
        validation_loss_curve=validation_losses if job.rules.validating else np.empty(0),
        stop_reason=reason,
    )


def _result(reached: Checkpoint, began: float, report: AlphaReport | None) -> TrainResult:
    """Put together what the run has come to."""
    state, validation_losses = reached.state, reached.validation_loss_curve
    best_epoch = int(state.best_epoch[0])
    return TrainResult(
        network=reached.network,
        loss=float(reached.loss_curve[best_epoch]),
        validation_loss=float(validation_losses[best_epoch]) if validation_losses.size else nan,
        last_network=reached.last_network,
        loss_curve=reached.loss_curve,
        validation_loss_curve=validation_losses,
        n_epochs=reached.n_epochs,
        n_evaluations=int(state.calls[0]),
        gradient_norm=float(state.gradient_norm[0]),
        score=float(state.best_score[0]),
        best_epoch=best_epoch,
        stop_reason=reached.stop_reason,
        converged=reached.stop_reason in CONVERGED,
        seconds=time.perf_counter() - began,
        solver=reached.arguments["solver"],
        checkpoint=reached,
        alpha=validation.penalty(reached.arguments["alpha"]),
        alpha_report=report,
    )
