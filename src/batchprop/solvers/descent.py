"""Runs of a first-order solver: evaluate, judge, move; some epochs at a time.

With the fused engine the loop is compiled and a tiny network costs a fraction of a microsecond an
epoch; with the others the same judgement and the same moves follow each evaluation in Python.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from numba import types

from batchprop.engines import Objective
from batchprop.engines.fused.jit import kernel, returning
from batchprop.engines.fused.objective import Objective as FusedObjective
from batchprop.engines.fused.team import GRADIENT, LOSS, evaluate, scratch_of
from batchprop.solvers.first_order import move
from batchprop.solvers.names import Settings
from batchprop.solvers.stopping import NON_FINITE, RUNNING, Rules, State, copy, is_last, judge

Array = npt.NDArray[Any]


@returning(types.int64)
def _after(settings, rules, state, loss, validation_loss, gradient):
    """Judge an evaluation and, if the run goes on, move."""
    reason = judge(rules, state, loss, validation_loss, gradient)
    if reason == RUNNING:
        copy(state.theta, state.previous)
        state.epoch[0] += 1
        move(settings, state.epoch[0], state.theta, gradient, state.memory)
    elif reason == NON_FINITE and state.epoch[0] > 0:
        copy(state.previous, state.theta)
        state.epoch[0] -= 1
    return reason


@kernel
def _after_step(settings, rules, state, loss, validation_loss, gradient):
    """The same, called from Python."""
    return _after(settings, rules, state, loss, validation_loss, gradient)


@kernel
def _descend(settings, rules, state, task, validation_task, losses, validation_losses):
    """Run for as many epochs as the curves have room for; return the reason and how many ran."""
    scratch, held_out = scratch_of(task, 0), scratch_of(validation_task, 0)
    for k in range(losses.size):
        copy(state.theta, task.theta)
        losses[k] = evaluate(task, scratch, LOSS if is_last(rules, state) else GRADIENT)
        if rules.validating:
            copy(state.theta, validation_task.theta)
            validation_losses[k] = evaluate(validation_task, held_out, LOSS)
        reason = _after(settings, rules, state, losses[k], validation_losses[k], task.gradient)
        if reason != RUNNING:
            return reason, k + 1
    return RUNNING, losses.size


class Run(Protocol):
    """A run of a solver, advanced some epochs at a time."""

    def advance(self, losses: Array, validation_losses: Array) -> tuple[int, int]:
        """Fill the curves; return a reason to stop (or RUNNING) and how many entries were filled.

        Validation losses are left as they are where there are no validation data.
        """
        ...


class FusedRun:
    """The compiled loop."""

    def __init__(
        self,
        settings: Settings,
        rules: Rules,
        state: State,
        objective: FusedObjective,
        validation: FusedObjective | None,
    ) -> None:
        self._fixed = settings, rules, state
        self._tasks = objective.task, objective.task if validation is None else validation.task

    def advance(self, losses: Array, validation_losses: Array) -> tuple[int, int]:
        """Run compiled for as many epochs as the curves have room for."""
        reason, count = _descend(*self._fixed, *self._tasks, losses, validation_losses)
        return int(reason), int(count)


class InterpretedRun:
    """The same loop in Python, around any engine."""

    def __init__(
        self,
        settings: Settings,
        rules: Rules,
        state: State,
        objective: Objective,
        validation: Objective | None,
    ) -> None:
        self._fixed = settings, rules, state
        self._objective, self._validation = objective, validation
        self._gradient = np.zeros_like(state.theta)

    def advance(self, losses: Array, validation_losses: Array) -> tuple[int, int]:
        """Run for as many epochs as the curves have room for."""
        _, rules, state = self._fixed
        theta, gradient = state.theta, self._gradient
        for k in range(losses.size):
            with np.errstate(over="ignore", invalid="ignore"):  # judged, and told once
                if state.epoch[0] == rules.max_epochs:  # no step follows
                    losses[k] = self._objective.loss(theta)
                else:
                    losses[k] = self._objective.loss_and_gradient(theta, gradient)
                if self._validation is not None:
                    validation_losses[k] = self._validation.loss(theta)
            reason = _after_step(*self._fixed, losses[k], validation_losses[k], gradient)
            if reason != RUNNING:
                return int(reason), k + 1
        return RUNNING, losses.size
