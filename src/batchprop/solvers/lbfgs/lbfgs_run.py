"""Runs of L-BFGS, some iterations at a time: compiled around the fused engine, or in Python."""

from __future__ import annotations

from numba import types

from batchprop.compiler.jit import kernel, returning
from batchprop.engines.fused.thread_team import GRADIENT, LOSS, evaluate, reported
from batchprop.engines.protocol import Objective
from batchprop.solvers.compiled_run import CompiledRun
from batchprop.solvers.interpreted_run import InterpretedRun
from batchprop.solvers.lbfgs.iteration import accept, propose
from batchprop.solvers.lbfgs.lbfgs_memory import LbfgsSettings
from batchprop.solvers.penalty_kernel import Penalty, add_penalty, penalise
from batchprop.solvers.protocol import Run
from batchprop.solvers.stopping import CANCELLED, NON_FINITE, RUNNING, Rules, State, copy, judge
from batchprop.threads.cancellation import is_cancelled


@returning(types.int64)
def _after(settings, rules, state, objective, loss, validation_loss, gradient):
    """Judge the end of an iteration and, if the run goes on, begin the next."""
    reason = judge(rules, state, objective, loss, validation_loss, gradient)
    if reason == RUNNING:
        return propose(settings, state, objective, gradient)
    if reason == NON_FINITE and state.epoch[0] > 0:  # on validation data: no trial ends like this
        copy(state.previous, state.theta)
        state.epoch[0] -= 1
    return reason


@kernel
def _accept_point(settings, state, objective, gradient):
    """The decision about a trial, called from Python."""
    return accept(settings, state, objective, gradient)


@kernel
def _after_iteration(settings, rules, state, objective, loss, validation_loss, gradient):
    """The judgement after an iteration, called from Python."""
    return _after(settings, rules, state, objective, loss, validation_loss, gradient)


@kernel
def _minimise(settings, rules, penalty, state, task, validation_task, losses, validation_losses):
    """Run for as many iterations as the curves have room for; return the reason and how many."""
    for k in range(losses.size):
        objective, accepted = 0.0, False
        while not accepted:
            copy(state.theta, task.theta)
            objective = evaluate(task, GRADIENT)
            if is_cancelled(task.scratch.token):
                return CANCELLED, k
            objective += add_penalty(penalty, task.theta, task.gradient, True)
            accepted = accept(settings, state, objective, task.gradient)
        losses[k] = reported(task)
        if rules.validating:
            copy(state.theta, validation_task.theta)
            evaluate(validation_task, LOSS)
            validation_losses[k] = reported(validation_task)
            if is_cancelled(task.scratch.token):
                state.calls[0] -= 1  # it is accepted again when the run goes on
                return CANCELLED, k
        reason = _after(
            settings, rules, state, objective, losses[k], validation_losses[k], task.gradient
        )
        if reason != RUNNING:
            return reason, k + 1
    return RUNNING, losses.size


class InterpretedLbfgsRun(InterpretedRun):
    """The same loop in Python, around any objective.

    Parameters
    ----------
    settings, rules, penalty, state, objective, validation
        As in ``protocol.Solver.run``.
    """

    def _evaluate(self) -> float:
        """Evaluate until a point is accepted; return F there."""
        state, gradient = self._state, self._gradient
        while True:
            objective = self._objective.loss_and_gradient(state.theta, gradient)
            objective += penalise(self._penalty, state.theta, gradient, True)
            if _accept_point(self._settings, state, objective, gradient):
                return float(objective)

    def _validation_loss(self, validation: Objective) -> float:
        try:
            return super()._validation_loss(validation)
        except BaseException:
            self._state.calls[0] -= 1  # it is accepted again when the run goes on
            raise

    def _judge(self, objective: float, loss: float, validation_loss: float) -> int:
        return int(
            _after_iteration(
                self._settings, self._rules, self._state, objective, loss, validation_loss,
                self._gradient,
            )
        )  # fmt: skip


def lbfgs_run(
    settings: LbfgsSettings,
    rules: Rules,
    penalty: Penalty,
    state: State,
    objective: Objective,
    validation: Objective | None,
) -> Run:
    """Return a run, compiled if the objective is; arguments as in ``protocol.Solver.run``."""
    if objective.task is None:
        return InterpretedLbfgsRun(settings, rules, penalty, state, objective, validation)
    return CompiledRun(_minimise, (settings, rules, penalty, state), objective, validation)
