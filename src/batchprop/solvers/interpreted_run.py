"""A run whose loop is Python, around any objective: the frame that all solvers fill in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.engines.protocol import Objective
from batchprop.solvers.penalty_kernel import Penalty
from batchprop.solvers.run_state import State
from batchprop.solvers.stopping import CANCELLED, RUNNING, Rules
from batchprop.threads.cancellation import Cancelled

Array = npt.NDArray[Any]


class InterpretedRun(ABC):
    """A loop of evaluations, each followed by a judgement.

    It calls the same compiled functions as the compiled loop to judge and to move θ.  The objective
    is L̃ alone; a solver's run adds the penalty to get F.

    Parameters
    ----------
    settings, rules, penalty, state, objective, validation
        As in ``protocol.Solver.run``.
    """

    def __init__(
        self,
        settings: Any,
        rules: Rules,
        penalty: Penalty,
        state: State,
        objective: Objective,
        validation: Objective | None,
    ) -> None:
        self._settings, self._rules, self._penalty = settings, rules, penalty
        self._state: Any = self._for_kernels(state)
        self._objective, self._validation = objective, validation
        self._gradient = np.zeros_like(state.theta)

    def _for_kernels(self, state: State) -> Any:
        """Return the state, on the same arrays, in the form that the solver's kernels take."""
        return state

    def advance(self, losses: Array, validation_losses: Array) -> tuple[int, int]:
        """Run for as many epochs as the curves have room for."""
        for k in range(losses.size):
            try:
                with np.errstate(over="ignore", invalid="ignore"):  # judged below
                    reason = self._take_step()
                    if reason != RUNNING:
                        return reason, k
                    F = self._evaluate()
                    losses[k] = self._objective.reported_loss
                    if self._validation is not None:
                        validation_losses[k] = self._validation_loss(self._validation)
            except Cancelled:
                return CANCELLED, k
            reason = self._judge(F, losses[k], validation_losses[k])
            if reason != RUNNING:
                return reason, k + 1
        return RUNNING, losses.size

    def _take_step(self) -> int:
        """Take the pending step, if any; return a reason to stop, or RUNNING."""
        return RUNNING

    @abstractmethod
    def _evaluate(self) -> float:
        """Return F(θ) at the point to be judged, and keep its derivatives."""

    def _validation_loss(self, validation: Objective) -> float:
        """Return the validation loss at θ."""
        validation.loss(self._state.theta)
        return validation.reported_loss

    @abstractmethod
    def _judge(self, F: float, loss: float, validation_loss: float) -> int:
        """Judge an evaluation and, if the run goes on, move; return a reason, or RUNNING."""

    def close(self) -> None:  # noqa: B027 - no solver has anything to add
        """Do nothing: buffers are the objective's."""
