"""Runs of L-BFGS, a number of iterations at a time.

The loop around the fused engine is compiled; the loop around the other engines is in Python.
"""

from __future__ import annotations

from numba import types

from batchprop.compiler.jit import kernel, returning
from batchprop.compiler.kernel_call import Call
from batchprop.compiler.kernel_struct import KernelStruct
from batchprop.engines.fused.evaluation import evaluate, reported
from batchprop.engines.fused.task import GRADIENT, LOSS
from batchprop.engines.protocol import Objective
from batchprop.solvers.compiled_run import CompiledRun
from batchprop.solvers.interpreted_run import InterpretedRun
from batchprop.solvers.lbfgs.iteration import accept, propose
from batchprop.solvers.lbfgs.lbfgs_memory import LbfgsSettings, kernel_state
from batchprop.solvers.penalty_kernel import Penalty, add_penalty, penalise
from batchprop.solvers.protocol import Run
from batchprop.solvers.run_state import State, undo_step_helper
from batchprop.solvers.stopping import CANCELLED, NON_FINITE, RUNNING, Rules, judge
from batchprop.solvers.vector_ops import copy
from batchprop.threads.cancellation import is_cancelled


@returning(types.int64)
def _judge_and_propose(settings, rules, state, F, loss, validation_loss, gradient):
    """Judge the end of an iteration and, if the run goes on, begin the next."""
    reason = judge(rules, state, F, loss, validation_loss, gradient)
    if reason == RUNNING:
        return propose(settings, state, F, gradient)
    # Only validation data can be the cause: a trial that is not finite is never accepted.
    if reason == NON_FINITE:
        undo_step_helper(state)
    return reason


@kernel
def _accept_kernel(settings, state, F, gradient):
    """Python entry point of ``accept``."""
    return accept(settings, state, F, gradient)


@kernel
def _judge_and_propose_kernel(settings, rules, state, F, loss, validation_loss, gradient):
    """Python entry point of ``_judge_and_propose``."""
    return _judge_and_propose(settings, rules, state, F, loss, validation_loss, gradient)


@kernel
def _minimise(settings, rules, penalty, state, task, validation_task, losses, validation_losses):
    """Run until the curves are full or there is a reason to stop.

    Returns the reason, or RUNNING, and how many iterations have ended.
    """
    for k in range(losses.size):
        F, accepted = 0.0, False
        while not accepted:
            copy(state.theta, task.theta)
            F = evaluate(task, GRADIENT)
            if is_cancelled(task.scratch.token):
                return CANCELLED, k
            F += add_penalty(penalty, task.theta, task.gradient, True)
            accepted = accept(settings, state, F, task.gradient)
        losses[k] = reported(task)
        if rules.validating:
            copy(state.theta, validation_task.theta)
            evaluate(validation_task, LOSS)
            validation_losses[k] = reported(validation_task)
            if is_cancelled(task.scratch.token):
                state.calls[0] -= 1  # a resumed run evaluates and accepts this point again
                return CANCELLED, k
        reason = _judge_and_propose(
            settings, rules, state, F, losses[k], validation_losses[k], task.gradient
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

    def _for_kernels(self, state: State) -> KernelStruct:
        return KernelStruct(kernel_state(state))

    def _evaluate(self) -> float:
        """Evaluate until a point is accepted; return F there."""
        state, gradient = self._state, self._gradient
        while True:
            F = self._objective.loss_and_gradient(state.theta, gradient)
            F += penalise(self._penalty, state.theta, gradient, True)
            if _accept_kernel(self._settings, state, F, gradient):
                return float(F)

    def _validation_loss(self, validation: Objective) -> float:
        try:
            return super()._validation_loss(validation)
        except BaseException:
            self._state.calls[0] -= 1  # a resumed run evaluates and accepts this point again
            raise

    def _judge(self, F: float, loss: float, validation_loss: float) -> int:
        return int(
            _judge_and_propose_kernel(
                self._settings, self._rules, self._state, F, loss, validation_loss,
                self._gradient,
            )
        )  # fmt: skip


def lbfgs_loop(settings: LbfgsSettings, rules: Rules, penalty: Penalty, state: State) -> Call:
    """Return the compiled loop and its first arguments."""
    return _minimise, settings, rules, penalty, kernel_state(state)


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
    return CompiledRun(lbfgs_loop(settings, rules, penalty, state), objective, validation)
