"""One training run, from what was checked to the result."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop.bursts import History, Watch, advance
from batchprop.engines.fused.objective import Objective as FusedObjective
from batchprop.engines.standardised import CopiedObjective
from batchprop.network import Network
from batchprop.options import Data
from batchprop.result import TrainResult
from batchprop.scaling import Scaling, fold
from batchprop.solvers.families import family
from batchprop.solvers.penalty import penalty
from batchprop.solvers.stopping import CONVERGED, Rules, State, start

Array = npt.NDArray[Any]


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
    alpha : float
        The penalty.
    n_threads : int or None
        At most so many threads.
    """

    data: Data
    scaling: Scaling | None
    first: Network
    given: Network | None
    engine: str
    solver: str
    settings: Any
    rules: Rules
    alpha: float
    n_threads: int | None


def run(job: Job, watch: Watch) -> TrainResult:
    """Train."""
    kind = family(job.solver)
    first = job.first
    state = start(first.theta, kind.memory(job.settings, first.theta.size))
    history = History()
    fixed = job.settings, job.rules, penalty(job.alpha, _total_weight(job.data), first.shape), state
    try:
        with ExitStack() as stack:
            objectives = _objectives(job, stack)
            made = (kind.fused if job.engine == "fused" else kind.interpreted)(*fixed, *objectives)
            reason = advance(made, state, history, watch)
    except KeyboardInterrupt:
        reason = "interrupted"
    return _result(job, state, history, reason, watch.began)


def _total_weight(data: Data) -> float:
    if data.sample_weight is None:
        return float(data.X.shape[1])
    return float(np.sum(data.sample_weight, dtype=np.float64))


def _objectives(job: Job, stack: ExitStack) -> tuple[Any, Any]:
    """Prepare training and validation data for the engine; ``stack`` closes what is opened."""
    data, first = job.data, job.first
    form = first.shape, first.activation, first.dtype

    def prepared(X: Array, T: Array, weight: Array | None) -> Any:
        if job.engine == "fused":
            return FusedObjective(X, T, weight, *form, job.n_threads, job.scaling)
        return CopiedObjective(job.engine, X, T, weight, *form, job.scaling)

    objective = stack.enter_context(prepared(data.X, data.T, data.sample_weight))
    if data.X_val is None or data.T_val is None:
        return objective, None
    return objective, stack.enter_context(prepared(data.X_val, data.T_val, None))


def _result(job: Job, state: State, history: History, reason: str, began: float) -> TrainResult:
    """Put together what the run has come to."""
    n_epochs, best_epoch = int(state.epoch[0]), int(state.best_epoch[0])
    last = state.theta
    if 0 < state.evaluations[0] <= n_epochs:  # the last step led to a place not evaluated any more
        n_epochs, last = n_epochs - 1, state.previous
    losses, validation_losses = history.curves(n_epochs + 1)

    def network(theta: Array, epoch: int) -> Network:
        first, scaling = job.first, job.scaling
        if epoch == 0 and job.given is not None:  # as it was given, to the last bit
            return job.given.astype(first.dtype)
        if scaling is not None:
            theta = fold(theta, first.shape, scaling)
        return Network.from_theta(theta, first.shape, first.activation)

    return TrainResult(
        network=network(state.best, best_epoch),
        loss=float(losses[best_epoch]),
        validation_loss=float(validation_losses[best_epoch]),
        last_network=network(last, n_epochs),
        loss_curve=losses,
        validation_loss_curve=validation_losses if job.rules.validating else np.empty(0),
        n_epochs=n_epochs,
        n_evaluations=int(state.calls[0]),
        gradient_norm=float(state.gradient_norm[0]),
        score=float(state.best_score[0]),
        best_epoch=best_epoch,
        stop_reason=reason,
        converged=reason in CONVERGED,
        seconds=time.perf_counter() - began,
        solver=job.solver,
    )
