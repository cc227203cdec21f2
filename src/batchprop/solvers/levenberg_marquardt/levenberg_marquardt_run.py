"""Runs of Levenberg–Marquardt, a number of iterations at a time.

The loop around the fused engine is compiled; the loop around the other engines is in Python.
"""

from __future__ import annotations

from numba import types

from batchprop.compiler.jit import helper, kernel, returning
from batchprop.compiler.kernel_struct import KernelStruct
from batchprop.engines.fused.evaluation import evaluate, reported
from batchprop.engines.fused.gauss_newton.assemble import gauss_newton
from batchprop.engines.fused.gauss_newton.curvature import curvature
from batchprop.engines.fused.task import LOSS
from batchprop.engines.protocol import GaussNewtonObjective, Objective
from batchprop.solvers.compiled_run import CompiledRun
from batchprop.solvers.interpreted_run import InterpretedRun
from batchprop.solvers.levenberg_marquardt import step
from batchprop.solvers.levenberg_marquardt.levenberg_marquardt_memory import LmSettings, work
from batchprop.solvers.penalty_kernel import Penalty, add_penalty, penalise
from batchprop.solvers.protocol import Run
from batchprop.solvers.stopping import (
    CANCELLED,
    NON_FINITE,
    RUNNING,
    Rules,
    State,
    copy,
    is_last,
    judge,
)
from batchprop.threads.cancellation import Cancelled, is_cancelled


@returning(types.int64)
def _judge_and_begin(rules, penalty, state, work, objective, loss, validation_loss):
    """Judge the end of an iteration and, if the run goes on, begin the next."""
    state.calls[0] += 1
    reason = judge(rules, state, objective, loss, validation_loss, work.gradient)
    if reason == RUNNING:
        step.begin(penalty, state, work, objective)
    # Only validation data can be the cause: a trial that is not finite is never accepted.
    elif reason == NON_FINITE and state.epoch[0] > 0:
        copy(state.previous, state.theta)
        state.epoch[0] -= 1
    return reason


@returning(types.boolean)
def _has_begun(state):
    """Return whether θ has been judged and the step from there has not been taken."""
    return state.evaluations[0] > state.epoch[0]


@helper
def _take_trial(state, work):
    """θ ← the accepted trial."""
    copy(state.theta, state.previous)
    copy(work.trial, state.theta)
    state.epoch[0] += 1
    state.step[0] = step.distance(state.theta, state.previous)


@returning(types.int64)
def _iterate(settings, penalty, state, work, task):
    """Find an acceptable step and take it; return a reason to stop, or RUNNING."""
    while True:
        reason = step.propose(settings, state.memory, work, state.theta)
        if reason != RUNNING:
            return reason
        accelerated = settings.acceleration > 0.0
        if accelerated:
            copy(work.points, task.points)
            curvature(task, work.correction)
            state.calls[0] += 1
        worth_a_trial = step.accelerate(settings, state.memory, work, accelerated)
        if is_cancelled(work.token):
            return CANCELLED
        if not worth_a_trial:
            continue
        copy(work.trial, task.theta)
        objective = evaluate(task, LOSS)
        if is_cancelled(work.token):
            return CANCELLED
        objective += add_penalty(penalty, work.trial, work.gradient, False)
        state.calls[0] += 1
        if step.accept(state.memory, work, objective):
            _take_trial(state, work)
            return RUNNING


@kernel
def _minimise(
    settings, rules, penalty, state, work, task, validation_task, losses, validation_losses
):
    """Run until the curves are full or there is a reason to stop.

    Returns the reason, or RUNNING, and how many epochs were evaluated.  The step from the last of
    them is taken by the next call, so that observers between calls need not wait for it.
    """
    for k in range(losses.size):
        if _has_begun(state):
            reason = _iterate(settings, penalty, state, work, task)
            if reason == CANCELLED:
                step.undo(state, work)
            if reason != RUNNING:
                return reason, k
        copy(state.theta, task.theta)
        last = is_last(rules, state)
        if last:
            objective = evaluate(task, LOSS)
        else:
            objective = gauss_newton(task, work.matrix)
            copy(task.gradient, work.gradient)
        losses[k] = reported(task)
        objective += add_penalty(penalty, state.theta, work.gradient, not last)
        if rules.validating:
            copy(state.theta, validation_task.theta)
            evaluate(validation_task, LOSS)
            validation_losses[k] = reported(validation_task)
        if is_cancelled(work.token):
            return CANCELLED, k
        reason = _judge_and_begin(
            rules, penalty, state, work, objective, losses[k], validation_losses[k]
        )
        if reason != RUNNING:
            return reason, k + 1
    return RUNNING, losses.size


@kernel
def _judge_and_begin_kernel(rules, penalty, state, work, objective, loss, validation_loss):
    """Python entry point of ``_judge_and_begin``."""
    return _judge_and_begin(rules, penalty, state, work, objective, loss, validation_loss)


@kernel
def _undo_kernel(state, work):
    """Undo an iteration that was cancelled, if one has begun."""
    if _has_begun(state):
        step.undo(state, work)


@kernel
def _propose_kernel(settings, memory, work, theta):
    """Python entry point of ``step.propose``."""
    return step.propose(settings, memory, work, theta)


@kernel
def _accelerate_kernel(settings, memory, work, accelerated):
    """Python entry point of ``step.accelerate``."""
    return step.accelerate(settings, memory, work, accelerated)


@kernel
def _accept_kernel(state, work, objective):
    """Take the trial as θ if it is accepted; return whether it was."""
    if step.accept(state.memory, work, objective):
        _take_trial(state, work)
        return True
    return False


class InterpretedLmRun(InterpretedRun):
    """The same loop in Python, around any Gauss–Newton objective.

    Parameters
    ----------
    settings, rules, penalty, state, objective, validation
        As in ``protocol.Solver.run``.
    """

    _objective: GaussNewtonObjective

    def __init__(
        self,
        settings: LmSettings,
        rules: Rules,
        penalty: Penalty,
        state: State,
        objective: GaussNewtonObjective,
        validation: Objective | None,
    ) -> None:
        super().__init__(settings, rules, penalty, state, objective, validation)
        self._work = KernelStruct(work(state.theta.size, objective.cancellation))

    def _take_step(self) -> int:
        """Find an acceptable step from a judged θ and take it; take it back if that is cut off."""
        if self._state.evaluations[0] <= self._state.epoch[0]:
            return RUNNING
        try:
            return self._find_step()
        except BaseException:
            _undo_kernel(self._state, self._work)
            raise

    def _find_step(self) -> int:
        settings, state, work, objective = self._settings, self._state, self._work, self._objective
        accelerated = settings.acceleration > 0.0
        while True:
            reason = int(_propose_kernel(settings, state.memory, work, state.theta))
            if reason == CANCELLED:
                raise Cancelled
            if reason != RUNNING:
                return reason
            if accelerated:
                objective.curvature(work.points.reshape(3, -1), work.correction)
                state.calls[0] += 1
            if not _accelerate_kernel(settings, state.memory, work, accelerated):
                continue
            value = objective.loss(work.trial)
            if objective.cancellation is not None and objective.cancellation.cancelled:
                raise Cancelled  # while the trial was made
            value += float(penalise(self._penalty, work.trial, work.gradient, False))
            state.calls[0] += 1
            if _accept_kernel(state, work, value):
                return RUNNING

    def _evaluate(self) -> float:
        """Return F(θ); unless no step follows, write its gradient and JᵀJ to the work space."""
        state, work = self._state, self._work
        last = state.epoch[0] >= self._rules.max_epochs
        if last:
            loss = self._objective.loss(state.theta)
        else:
            loss = self._objective.gauss_newton(state.theta, work.gradient, work.matrix)
        return loss + float(penalise(self._penalty, state.theta, work.gradient, not last))

    def _judge(self, objective: float, loss: float, validation_loss: float) -> int:
        return int(
            _judge_and_begin_kernel(
                self._rules, self._penalty, self._state, self._work, objective, loss,
                validation_loss,
            )
        )  # fmt: skip


def levenberg_marquardt_run(
    settings: LmSettings,
    rules: Rules,
    penalty: Penalty,
    state: State,
    objective: GaussNewtonObjective,
    validation: Objective | None,
) -> Run:
    """Return a run, compiled if the objective is; arguments as in ``protocol.Solver.run``."""
    if objective.task is None:
        return InterpretedLmRun(settings, rules, penalty, state, objective, validation)
    buffers = work(state.theta.size, objective.cancellation)
    arguments = settings, rules, penalty, state, buffers
    return CompiledRun(_minimise, arguments, objective, validation)
