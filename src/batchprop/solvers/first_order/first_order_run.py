"""Runs of a first-order solver: evaluate, judge, step; a number of epochs at a time.

The loop around the fused engine is compiled: an epoch of a tiny network takes less than a
microsecond.  The loop around the other engines is in Python and calls the same compiled judgement
and update rules.
"""

from __future__ import annotations

import math
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from numba import types

from batchprop.compiler.jit import kernel, returning
from batchprop.compiler.kernel_struct import KernelStruct
from batchprop.engines.fused.objective import Objective as FusedObjective
from batchprop.engines.fused.thread_team import GRADIENT, LOSS, evaluate, reported
from batchprop.engines.scaled_objective import CopiedObjective
from batchprop.solvers.first_order.update_rules import move
from batchprop.solvers.penalty_kernel import Penalty, add_penalty, penalise
from batchprop.solvers.settings import Settings
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

Array = npt.NDArray[Any]


@returning(types.int64)
def _judge_and_step(settings, rules, state, objective, loss, validation_loss, gradient):
    """Judge an evaluation and, if the run goes on, take a step."""
    state.calls[0] += 1
    reason = judge(rules, state, objective, loss, validation_loss, gradient)
    if reason == RUNNING:
        copy(state.theta, state.previous)
        state.epoch[0] += 1
        move(settings, state.epoch[0], state.theta, gradient, state.memory)
    elif reason == NON_FINITE and state.epoch[0] > 0:
        copy(state.previous, state.theta)
        state.epoch[0] -= 1
    return reason


@kernel
def _judge_and_step_kernel(settings, rules, state, objective, loss, validation_loss, gradient):
    """Python entry point of ``_judge_and_step``."""
    return _judge_and_step(settings, rules, state, objective, loss, validation_loss, gradient)


@kernel
def _descend(settings, rules, penalty, state, task, validation_task, losses, validation_losses):
    """Run until the curves are full or there is a reason to stop.

    Returns the reason, or RUNNING, and how many epochs were evaluated.
    """
    for k in range(losses.size):
        copy(state.theta, task.theta)
        with_gradient = not is_last(rules, state)
        objective = evaluate(task, GRADIENT if with_gradient else LOSS)
        objective += add_penalty(penalty, task.theta, task.gradient, with_gradient)
        losses[k] = reported(task)
        if rules.validating:
            copy(state.theta, validation_task.theta)
            evaluate(validation_task, LOSS)
            validation_losses[k] = reported(validation_task)
        if is_cancelled(task.scratch.token):
            return CANCELLED, k
        reason = _judge_and_step(
            settings, rules, state, objective, losses[k], validation_losses[k], task.gradient
        )
        if reason != RUNNING:
            return reason, k + 1
    return RUNNING, losses.size


def _record_step_length(state: State) -> None:
    """Record the length of the last step for observers; the compiled loop need not compute it."""
    step = state.theta.astype(np.float64) - state.previous
    state.step[0] = math.sqrt(np.einsum("i,i->", step, step))


class Run(Protocol):
    """A run of a solver, advanced some epochs at a time."""

    def advance(self, losses: Array, validation_losses: Array) -> tuple[int, int]:
        """Fill the curves; return a reason to stop (or RUNNING) and how many entries were filled.

        CANCELLED leaves the state as after the last judgement: the run can go on from there.
        Validation losses are left as they are where there are no validation data.
        """
        ...


class FusedRun:
    """The compiled loop."""

    def __init__(
        self,
        settings: Settings,
        rules: Rules,
        penalty: Penalty,
        state: State,
        objective: FusedObjective,
        validation: FusedObjective | None,
    ) -> None:
        self._state = state
        self._fixed = tuple(map(KernelStruct, (settings, rules, penalty, state)))
        self._tasks = objective.task, objective.task if validation is None else validation.task

    def advance(self, losses: Array, validation_losses: Array) -> tuple[int, int]:
        """Run compiled for as many epochs as the curves have room for."""
        reason, count = _descend(*self._fixed, *self._tasks, losses, validation_losses)
        if count > 0:
            _record_step_length(self._state)
        return int(reason), int(count)


class InterpretedRun:
    """The same loop in Python, around any engine."""

    def __init__(
        self,
        settings: Settings,
        rules: Rules,
        penalty: Penalty,
        state: State,
        objective: CopiedObjective,
        validation: CopiedObjective | None,
    ) -> None:
        self._settings, self._rules, self._penalty = settings, rules, penalty
        self._state = state
        self._objective, self._validation = objective, validation
        self._gradient = np.zeros_like(state.theta)

    def advance(self, losses: Array, validation_losses: Array) -> tuple[int, int]:
        """Run for as many epochs as the curves have room for."""
        count, reason = 0, RUNNING
        while reason == RUNNING and count < losses.size:
            try:
                value = self._evaluate(losses[count:], validation_losses[count:])
            except Cancelled:
                reason = CANCELLED
                break
            reason = _judge_and_step_kernel(
                self._settings, self._rules, self._state, value,
                losses[count], validation_losses[count], self._gradient,
            )  # fmt: skip
            count += 1
        if count > 0:
            _record_step_length(self._state)
        return int(reason), count

    def _evaluate(self, losses: Array, validation_losses: Array) -> float:
        """Return F(θ); fill in the first entries of both curves."""
        theta, gradient = self._state.theta, self._gradient
        with np.errstate(over="ignore", invalid="ignore"):  # judged, and told once
            last = self._state.epoch[0] == self._rules.max_epochs  # no step follows
            if last:
                value = self._objective.loss(theta)
            else:
                value = self._objective.loss_and_gradient(theta, gradient)
            value += penalise(self._penalty, theta, gradient, not last)
            losses[0] = self._objective.reported
            if self._validation is not None:
                self._validation.loss(theta)
                validation_losses[0] = self._validation.reported
        return float(value)
