"""A target loss: the returned network must reach it, not only the solver.

The solver's loss is that of unrounded parameters on standardised data.  It can be below the target
while that of the returned network is not.  Then the run goes on without the rule, and each epoch is
confirmed: the run ends when both losses have reached the target.
"""

from __future__ import annotations

from collections.abc import Callable

from batchprop.solvers.protocol import Run
from batchprop.solvers.run_state import State, uncount_last_evaluation
from batchprop.training.history import History


class TargetConfirmation:
    """Confirms the end of a run at a target loss.

    Parameters
    ----------
    loss : float
        The target.
    reached : callable
        ``reached()`` returns whether the network that would be returned now reaches the target.
    run_without : callable or None
        ``run_without()`` returns a run from the same state that ignores the target; None if the run
        ignores it already, because it cannot be begun again.

    Attributes
    ----------
    every_epoch : bool
        Whether each epoch has to be confirmed, so that bursts have one epoch.
    """

    def __init__(
        self, loss: float, reached: Callable[[], bool], run_without: Callable[[], Run] | None
    ) -> None:
        self._loss, self._reached, self._run_without = loss, reached, run_without
        self.every_epoch = run_without is None

    def refuses(self) -> bool:
        """Return whether the solver has reached the target and the network has not."""
        return not self._reached()

    def continue_without(self, state: State, history: History) -> Run:
        """Undo the end at the target; return a run that goes on from there and ignores it."""
        assert self._run_without is not None, "a run that ignores the target does not end by it"
        uncount_last_evaluation(state)
        history.truncate(int(state.evaluations[0]))
        self.every_epoch = True
        return self._run_without()

    def confirms(self, loss: float) -> bool:
        """Return whether each epoch is confirmed, and this one of the solver's loss ends the run.

        A loss of NaN, where nothing was evaluated, does not.
        """
        return self.every_epoch and loss <= self._loss and self._reached()
