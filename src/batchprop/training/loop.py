"""The loop around a solver: bursts of epochs; between them the clock, callback and checkpoint."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import NamedTuple

from batchprop import validation
from batchprop.solvers.protocol import Run
from batchprop.solvers.run_state import State
from batchprop.solvers.stopping import (
    CANCELLED,
    NEVER,
    NON_FINITE,
    REASONS,
    RUNNING,
    TARGET_LOSS,
)
from batchprop.threads.cancellation import Cancellation
from batchprop.training.checkpoint.checkpoint import Checkpoint
from batchprop.training.history import History
from batchprop.training.monitor import Monitor
from batchprop.training.result import Progress
from batchprop.training.target_loss import TargetConfirmation

_BURST_SECONDS = 0.05  # of compiled epochs, between two looks at clock, callback and checkpoint


def advance(
    run: Run,
    state: State,
    history: History,
    monitor: Monitor,
    snapshot: Callable[[str], Checkpoint],
    cancellation: Cancellation,
    target: TargetConfirmation | None = None,
) -> str:
    """Advance a run until a rule, the clock or the callback ends it; return the reason.

    Parameters
    ----------
    run : Run
        Of the solver.
    state : State
        The run's, which it moves.
    history : History
        Takes the losses.
    monitor : Monitor
        Looked at between bursts.
    snapshot : callable
        ``snapshot(reason)`` returns a checkpoint of the run.
    cancellation : Cancellation
        Ends a burst early when ``monitor.poll`` gives a reason.
    target : TargetConfirmation or None
        Confirms the end at a target loss.
    """
    observers, size = _Observers(monitor, state), 1
    try:
        while True:
            burst = _run_burst(run, state, history, cancellation, observers.burst_size(size))
            if burst.code == TARGET_LOSS and target is not None and target.refuses():
                run, size = target.continue_without(state, history), 1
                continue
            stop = observers.report(burst)
            if burst.code not in (RUNNING, CANCELLED):
                return REASONS[burst.code]
            if target is not None and target.confirms(burst.loss):
                return REASONS[TARGET_LOSS]
            if stop:
                monitor.cancel()
                return "callback"
            if burst.cancelled_by:
                return burst.cancelled_by
            if monitor.writer is not None:
                monitor.writer.write_if_due(snapshot)
            reason = monitor.ended()
            if reason:
                return reason
            size = _next_burst_size(size, burst, monitor.seconds_left)
            if target is not None and target.every_epoch:
                size = 1
    finally:
        observers.end()


class _Burst(NamedTuple):
    """What came of a burst."""

    code: int  # RUNNING, CANCELLED or the solver's reason to stop
    n_evaluated: int  # epochs
    loss: float  # at the last of them
    validation_loss: float
    ended: float  # when, by ``time.perf_counter``
    seconds: float
    cancelled_by: str  # the reason, if it was cancelled from outside


def _run_burst(
    run: Run, state: State, history: History, cancellation: Cancellation, size: int
) -> _Burst:
    """Advance a run by up to ``size`` epochs; raise what cancelled it, if that is an exception."""
    losses, validation_losses = history.new_burst(size)
    began = time.perf_counter()
    cancellation.restart()
    code, count = run.advance(losses, validation_losses)
    ended = time.perf_counter()
    return _Burst(
        code=code,
        n_evaluated=count,
        loss=float(losses[count - 1]) if count > 0 else math.nan,
        validation_loss=float(validation_losses[count - 1]) if count > 0 else math.nan,
        ended=ended,
        seconds=ended - began,
        cancelled_by=cancellation.reason() if code == CANCELLED else "",
    )


def _next_burst_size(size: int, burst: _Burst, seconds_left: float) -> int:
    """Return how many epochs take as long as a burst should; at most four times ``size``."""
    epochs_per_second = burst.n_evaluated / max(burst.seconds, 1e-9)
    epochs = epochs_per_second * min(_BURST_SECONDS, seconds_left)
    return int(max(1, min(epochs, 4 * size)))


class _Observers:
    """Tells display and callback where a run stands.

    Parameters
    ----------
    monitor : Monitor
        Has both.
    state : State
        The run's.
    """

    def __init__(self, monitor: Monitor, state: State) -> None:
        self._monitor, self._state = monitor, state
        self._progress: Progress | None = None  # at the last evaluated epoch
        self._callback_epoch = NEVER  # the next one at which the callback is due
        self._called_epoch = -1  # the last one at which it was due

    def burst_size(self, size: int) -> int:
        """Return the size of a burst that ends at the next call of the callback, if not before."""
        n_evaluated = int(self._state.evaluations[0])
        if self._monitor.callback is not None:
            every = self._monitor.every
            self._callback_epoch = -(-n_evaluated // every) * every
        return min(size, 1 + self._callback_epoch - n_evaluated)

    def report(self, burst: _Burst) -> bool:
        """Report the end of a burst; return whether the callback stops the run."""
        if burst.code == NON_FINITE:
            return False
        if burst.n_evaluated > 0:
            self._progress = self._progress_after(burst)
        progress = self._progress
        if progress is None or progress.epoch <= self._called_epoch:
            return False
        if self._monitor.display is not None:
            self._monitor.display.show(progress)
        due, callback = progress.epoch == self._callback_epoch, self._monitor.callback
        if due:
            self._called_epoch = progress.epoch
        if callback is None or not (due or burst.code not in (RUNNING, CANCELLED)):
            return False
        return validation.answer(callback(progress))

    def end(self) -> None:
        """Let the display show where the run ended."""
        if self._monitor.display is not None:
            self._monitor.display.end(self._progress)

    def _progress_after(self, burst: _Burst) -> Progress:
        state = self._state
        return Progress(
            epoch=int(state.evaluations[0]) - 1,
            loss=burst.loss,
            validation_loss=burst.validation_loss,
            best_loss=float(state.best_loss[0]),
            gradient_norm=float(state.gradient_norm[0]),
            seconds=burst.ended - self._monitor.began,
            step=float(state.step[0]),
            evaluations=int(state.calls[0]),
            start=self._monitor.start,
        )
