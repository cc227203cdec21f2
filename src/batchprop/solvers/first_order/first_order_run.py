"""Runs of a first-order solver: evaluate, judge, step; a number of epochs at a time.

The loop around the fused engine is compiled: an epoch of a tiny network takes less than a
microsecond.  The loop around the other engines is in Python and calls the same compiled judgement
and update rules.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import types

from batchprop.compiler.jit import kernel, returning
from batchprop.compiler.kernel_call import Call
from batchprop.engines.fused.evaluation import evaluate, reported
from batchprop.engines.fused.task import GRADIENT, LOSS
from batchprop.engines.protocol import Objective
from batchprop.solvers.compiled_run import CompiledRun
from batchprop.solvers.first_order.first_order_memory import FirstOrderSettings
from batchprop.solvers.first_order.update_rules import move
from batchprop.solvers.interpreted_run import InterpretedRun
from batchprop.solvers.penalty_kernel import Penalty, add_penalty, penalise
from batchprop.solvers.protocol import Run
from batchprop.solvers.run_state import State, undo_step_helper
from batchprop.solvers.stopping import (
    CANCELLED,
    NON_FINITE,
    RUNNING,
    Rules,
    is_last,
    is_last_helper,
    judge,
)
from batchprop.solvers.vector_ops import copy
from batchprop.threads.cancellation import is_cancelled

Array = npt.NDArray[Any]


@returning(types.int64)
def _judge_and_step(settings, rules, state, F, loss, validation_loss, gradient):
    """Judge an evaluation and, if the run goes on, take a step."""
    state.calls[0] += 1
    reason = judge(rules, state, F, loss, validation_loss, gradient)
    if reason == RUNNING:
        copy(state.theta, state.previous)
        state.epoch[0] += 1
        move(settings, state.epoch[0], state.theta, gradient, state.memory)
    elif reason == NON_FINITE:
        undo_step_helper(state)
    return reason


@kernel
def _judge_and_step_kernel(settings, rules, state, F, loss, validation_loss, gradient):
    """Python entry point of ``_judge_and_step``."""
    return _judge_and_step(settings, rules, state, F, loss, validation_loss, gradient)


@kernel
def _descend(settings, rules, penalty, state, task, validation_task, losses, validation_losses):
    """Run until the curves are full or there is a reason to stop.

    Returns the reason, or RUNNING, and how many epochs were evaluated.
    """
    for k in range(losses.size):
        copy(state.theta, task.theta)
        with_gradient = not is_last_helper(rules, state)
        F = evaluate(task, GRADIENT if with_gradient else LOSS)
        F += add_penalty(penalty, task.theta, task.gradient, with_gradient)
        losses[k] = reported(task)
        if rules.validating:
            copy(state.theta, validation_task.theta)
            evaluate(validation_task, LOSS)
            validation_losses[k] = reported(validation_task)
        if is_cancelled(task.scratch.token):
            return CANCELLED, k
        reason = _judge_and_step(
            settings, rules, state, F, losses[k], validation_losses[k], task.gradient
        )
        if reason != RUNNING:
            return reason, k + 1
    return RUNNING, losses.size


def _record_step_length(state: State) -> None:
    """Record the length of the last step for observers, once per call: no loop needs it."""
    step = state.theta.astype(np.float64) - state.previous
    state.step[0] = math.sqrt(np.einsum("i,i->", step, step))


class CompiledFirstOrderRun(CompiledRun):
    """The compiled loop.

    Parameters
    ----------
    settings, rules, penalty, state, objective, validation
        As in ``protocol.Solver.run``.
    """

    def __init__(
        self,
        settings: FirstOrderSettings,
        rules: Rules,
        penalty: Penalty,
        state: State,
        objective: Objective,
        validation: Objective | None,
    ) -> None:
        super().__init__(first_order_loop(settings, rules, penalty, state), objective, validation)
        self._state = state

    def advance(self, losses: Array, validation_losses: Array) -> tuple[int, int]:
        """Run compiled for as many epochs as the curves have room for."""
        reason, count = super().advance(losses, validation_losses)
        if count > 0:
            _record_step_length(self._state)
        return reason, count


class InterpretedFirstOrderRun(InterpretedRun):
    """The same loop in Python, around any objective.

    Parameters
    ----------
    settings, rules, penalty, state, objective, validation
        As in ``protocol.Solver.run``.
    """

    def advance(self, losses: Array, validation_losses: Array) -> tuple[int, int]:
        """Run for as many epochs as the curves have room for."""
        reason, count = super().advance(losses, validation_losses)
        if count > 0:
            _record_step_length(self._state)
        return reason, count

    def _evaluate(self) -> float:
        theta, gradient = self._state.theta, self._gradient
        last = is_last(self._rules, self._state)
        if last:
            loss = self._objective.loss(theta)
        else:
            loss = self._objective.loss_and_gradient(theta, gradient)
        return float(loss + penalise(self._penalty, theta, gradient, not last))

    def _judge(self, F: float, loss: float, validation_loss: float) -> int:
        return int(
            _judge_and_step_kernel(
                self._settings, self._rules, self._state, F, loss, validation_loss,
                self._gradient,
            )
        )  # fmt: skip


def first_order_loop(
    settings: FirstOrderSettings, rules: Rules, penalty: Penalty, state: State
) -> Call:
    """Return the compiled loop and its first arguments."""
    return _descend, settings, rules, penalty, state


def first_order_run(
    settings: FirstOrderSettings,
    rules: Rules,
    penalty: Penalty,
    state: State,
    objective: Objective,
    validation: Objective | None,
) -> Run:
    """Return a run, compiled if the objective is; arguments as in ``protocol.Solver.run``."""
    kind = InterpretedFirstOrderRun if objective.task is None else CompiledFirstOrderRun
    return kind(settings, rules, penalty, state, objective, validation)
