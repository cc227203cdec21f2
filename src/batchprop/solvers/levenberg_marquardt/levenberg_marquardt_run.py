"""Runs of Levenberg–Marquardt, a number of iterations at a time.

The loop around the fused engine is compiled; the loop around the other engines is in Python.
"""

from __future__ import annotations

from numba import types

from batchprop.compiler.jit import helper, kernel, returning
from batchprop.compiler.kernel_call import Call
from batchprop.compiler.kernel_struct import KernelStruct
from batchprop.engines.fused.evaluation import evaluate, reported
from batchprop.engines.fused.gauss_newton.assemble import gauss_newton
from batchprop.engines.fused.gauss_newton.curvature import curvature
from batchprop.engines.fused.task import LOSS
from batchprop.engines.protocol import GaussNewtonObjective, Objective
from batchprop.solvers.compiled_run import CompiledRun
from batchprop.solvers.interpreted_run import InterpretedRun
from batchprop.solvers.levenberg_marquardt import iteration
from batchprop.solvers.levenberg_marquardt.levenberg_marquardt_memory import (
    LevenbergMarquardtSettings,
    work,
)
from batchprop.solvers.penalty_kernel import Penalty, add_penalty, penalise
from batchprop.solvers.protocol import Run
from batchprop.solvers.run_state import State, is_judged, is_judged_helper, undo_step_helper
from batchprop.solvers.stopping import (
    CANCELLED,
    NON_FINITE,
    RUNNING,
    Rules,
    is_last,
    is_last_helper,
    judge,
)
from batchprop.solvers.vector_ops import copy, distance
from batchprop.threads.cancellation import Cancellation, Cancelled, is_cancelled


@returning(types.int64)
def _judge_and_begin(rules, penalty, state, work, F, loss, validation_loss):
    """Judge the end of an iteration and, if the run goes on, begin the next."""
    state.calls[0] += 1
    reason = judge(rules, state, F, loss, validation_loss, work.gradient)
    if reason == RUNNING:
        iteration.begin(penalty, state, work, F)
    # Only validation data can be the cause: a trial that is not finite is never accepted.
    elif reason == NON_FINITE:
        undo_step_helper(state)
    return reason


@helper
def _take_trial(state, work):
    """θ ← the accepted trial."""
    copy(state.theta, state.previous)
    copy(work.trial, state.theta)
    state.epoch[0] += 1
    state.step[0] = distance(state.theta, state.previous)


@returning(types.int64)
def _iterate(settings, penalty, state, work, task):
    """Find an acceptable step and take it; return a reason to stop, or RUNNING."""
    while True:
        reason = iteration.propose(settings, state.memory, work, state.theta)
        if reason != RUNNING:
            return reason
        uses_acceleration = settings.max_correction > 0.0
        if uses_acceleration:
            copy(work.points, task.points)
            curvature(task, work.correction)
            state.calls[0] += 1
        worth_a_trial = iteration.add_correction(settings, state.memory, work, uses_acceleration)
        if is_cancelled(work.token):
            return CANCELLED
        if not worth_a_trial:
            continue
        copy(work.trial, task.theta)
        F = evaluate(task, LOSS)
        if is_cancelled(work.token):
            return CANCELLED
        F += add_penalty(penalty, work.trial, work.gradient, False)
        state.calls[0] += 1
        if iteration.accept(state.memory, work, F):
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
        if is_judged_helper(state):
            reason = _iterate(settings, penalty, state, work, task)
            if reason == CANCELLED:
                iteration.undo(state, work)
            if reason != RUNNING:
                return reason, k
        copy(state.theta, task.theta)
        last = is_last_helper(rules, state)
        if last:
            F = evaluate(task, LOSS)
        else:
            F = gauss_newton(task, work.matrix)
            copy(task.gradient, work.gradient)
        losses[k] = reported(task)
        F += add_penalty(penalty, state.theta, work.gradient, not last)
        if rules.validating:
            copy(state.theta, validation_task.theta)
            evaluate(validation_task, LOSS)
            validation_losses[k] = reported(validation_task)
        if is_cancelled(work.token):
            return CANCELLED, k
        reason = _judge_and_begin(rules, penalty, state, work, F, losses[k], validation_losses[k])
        if reason != RUNNING:
            return reason, k + 1
    return RUNNING, losses.size


@kernel
def _judge_and_begin_kernel(rules, penalty, state, work, F, loss, validation_loss):
    """Python entry point of ``_judge_and_begin``."""
    return _judge_and_begin(rules, penalty, state, work, F, loss, validation_loss)


@kernel
def _undo_kernel(state, work):
    """Undo an iteration that was cancelled, if one has begun."""
    if is_judged_helper(state):
        iteration.undo(state, work)


@kernel
def _propose_kernel(settings, memory, work, theta):
    """Python entry point of ``iteration.propose``."""
    return iteration.propose(settings, memory, work, theta)


@kernel
def _add_correction_kernel(settings, memory, work, uses_acceleration):
    """Python entry point of ``iteration.add_correction``."""
    return iteration.add_correction(settings, memory, work, uses_acceleration)


@kernel
def _accept_kernel(state, work, F):
    """Take the trial as θ if it is accepted; return whether it was."""
    if iteration.accept(state.memory, work, F):
        _take_trial(state, work)
        return True
    return False


class InterpretedLevenbergMarquardtRun(InterpretedRun):
    """The same loop in Python, around any Gauss–Newton objective.

    Parameters
    ----------
    settings, rules, penalty, state, objective, validation
        As in ``protocol.Solver.run``.
    """

    _objective: GaussNewtonObjective

    def __init__(
        self,
        settings: LevenbergMarquardtSettings,
        rules: Rules,
        penalty: Penalty,
        state: State,
        objective: GaussNewtonObjective,
        validation: Objective | None,
    ) -> None:
        super().__init__(settings, rules, penalty, state, objective, validation)
        self._work = KernelStruct(work(state.theta.size, objective.cancellation))

    def _take_step(self) -> int:
        """Take the step from a judged θ; restore the state if that is cancelled or fails."""
        if not is_judged(self._state):
            return RUNNING
        try:
            return self._find_step()
        except BaseException:
            _undo_kernel(self._state, self._work)
            raise

    def _find_step(self) -> int:
        settings, state, work, objective = self._settings, self._state, self._work, self._objective
        uses_acceleration = settings.max_correction > 0.0
        while True:
            reason = int(_propose_kernel(settings, state.memory, work, state.theta))
            if reason == CANCELLED:
                raise Cancelled
            if reason != RUNNING:
                return reason
            if uses_acceleration:
                objective.curvature(work.points.reshape(3, -1), work.correction)
                state.calls[0] += 1
            if not _add_correction_kernel(settings, state.memory, work, uses_acceleration):
                continue
            F = objective.loss(work.trial)
            if objective.cancellation is not None and objective.cancellation.cancelled:
                raise Cancelled  # during the evaluation
            F += float(penalise(self._penalty, work.trial, work.gradient, False))
            state.calls[0] += 1
            if _accept_kernel(state, work, F):
                return RUNNING

    def _evaluate(self) -> float:
        """Return F(θ); unless no step follows, write its gradient and JᵀJ to the work space."""
        state, work = self._state, self._work
        last = is_last(self._rules, state)
        if last:
            loss = self._objective.loss(state.theta)
        else:
            loss = self._objective.gauss_newton(state.theta, work.gradient, work.matrix)
        return loss + float(penalise(self._penalty, state.theta, work.gradient, not last))

    def _judge(self, F: float, loss: float, validation_loss: float) -> int:
        return int(
            _judge_and_begin_kernel(
                self._rules, self._penalty, self._state, self._work, F, loss,
                validation_loss,
            )
        )  # fmt: skip


def _loop(
    settings: LevenbergMarquardtSettings,
    rules: Rules,
    penalty: Penalty,
    state: State,
    cancellation: Cancellation | None,
) -> Call:
    """Return the compiled loop and its first arguments."""
    return _minimise, settings, rules, penalty, state, work(state.theta.size, cancellation)


def levenberg_marquardt_loop(
    settings: LevenbergMarquardtSettings, rules: Rules, penalty: Penalty, state: State
) -> Call:
    """Return the compiled loop and its first arguments, for a run that nothing cancels."""
    return _loop(settings, rules, penalty, state, None)


def levenberg_marquardt_run(
    settings: LevenbergMarquardtSettings,
    rules: Rules,
    penalty: Penalty,
    state: State,
    objective: GaussNewtonObjective,
    validation: Objective | None,
) -> Run:
    """Return a run, compiled if the objective is; arguments as in ``protocol.Solver.run``."""
    if objective.task is None:
        return InterpretedLevenbergMarquardtRun(
            settings, rules, penalty, state, objective, validation
        )
    loop = _loop(settings, rules, penalty, state, objective.cancellation)
    return CompiledRun(loop, objective, validation)
