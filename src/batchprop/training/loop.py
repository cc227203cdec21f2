"""The loop around a solver: bursts of epochs, and between them the clock and the callback."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from batchprop import validation
from batchprop.solvers.protocol import Run
from batchprop.solvers.stopping import (
    CANCELLED,
    NEVER,
    NON_FINITE,
    REASONS,
    RUNNING,
    TARGET_LOSS,
    State,
    step_back,
)
from batchprop.threads.cancellation import Cancellation
from batchprop.training.checkpoint.checkpoint import Checkpoint
from batchprop.training.checkpoint.writer import CheckpointWriter
from batchprop.training.result import Progress

Array = npt.NDArray[Any]
Callback = Callable[[Progress], object]

_BURST_SECONDS = 0.05  # compiled epochs between two looks at callback, checkpoint and progress


class Line(Protocol):
    """What shows progress: a ``ProgressLine``, or what stands for it during a search."""

    def show(self, progress: Progress) -> None:
        """Show where the run stands."""
        ...

    def end(self, progress: Progress | None) -> None:
        """Show where it ended."""
        ...


class Monitor(NamedTuple):
    """What is looked at between bursts, and where they are long, within.

    Attributes
    ----------
    began : float
        When the run began, by ``time.perf_counter``.
    limit : float
        Seconds it may take, or infinity.
    callback : callable or None
        Called at epoch 0, after every so many epochs and at the end; a true answer stops the run.
    every : int
        Epochs between two calls.
    line : Line or None
        Where progress is shown.
    cancelled : threading.Event or None
        Set when somebody else ends the run; shared by runs that end together.
    start : int
        Which of several starts this is.
    writer : CheckpointWriter or None
        Writes checkpoints.
    stopped : threading.Event or None
        Set when a callback ended the search for the penalty, and with it the run.
    """

    began: float
    limit: float
    callback: Callback | None
    every: int
    line: Line | None
    cancelled: threading.Event | None = None
    start: int = 0
    writer: CheckpointWriter | None = None
    stopped: threading.Event | None = None

    def ended(self) -> str:
        """Return the reason why the run is to end now, or an empty string."""
        if self.stopped is not None and self.stopped.is_set():
            return "callback"
        if self.cancelled is not None and self.cancelled.is_set():
            return "interrupted"
        late = time.perf_counter() - self.began >= self.limit
        return "max_seconds" if late else ""


class Target(NamedTuple):
    """A target loss that the network must reach which is returned.

    The solver's loss is that of unrounded parameters on standardised data; it can be lower.

    Attributes
    ----------
    loss : float
        The target.
    reached : callable
        ``reached()`` tells whether the returned network is as good, where the solver's loss is.
    run_without : callable or None
        ``run_without()`` returns a run of the same state that does not know the target; None if the
        run never knew it.
    """

    loss: float
    reached: Callable[[], bool]
    run_without: Callable[[], Run] | None


class History:
    """Training and validation losses of the epochs, as they come.

    Memory for a burst belongs to the history before the burst runs, so that an interruption loses
    none of its entries.

    Parameters
    ----------
    before : tuple of two ndarrays, shape (n,)
        Both curves of a run that is resumed.
    """

    def __init__(self, *before: tuple[Array, Array]) -> None:
        self._bursts = list(before)

    def room(self, size: int) -> tuple[Array, Array]:
        """Return two curves for a burst to fill."""
        self._bursts.append((np.full(size, np.nan), np.full(size, np.nan)))
        return self._bursts[-1]

    def keep(self, size: int) -> None:
        """Forget all but the first ``size`` entries."""
        self._bursts = [self.curves(size)] if size else []

    def curves(self, size: int) -> tuple[Array, Array]:
        """Return the first ``size`` entries of both curves, one of NaN if there are none."""
        if size == 0:  # what the first burst may have written was not judged
            return np.full(1, np.nan), np.full(1, np.nan)
        end = np.full(size, np.nan)
        losses, validation_losses = zip(*self._bursts, (end, end), strict=True)
        return np.concatenate(losses)[:size], np.concatenate(validation_losses)[:size]


def advance(
    run: Run,
    state: State,
    history: History,
    monitor: Monitor,
    snapshot: Callable[[str], Checkpoint],
    cancellation: Cancellation,
    target: Target | None = None,
) -> str:
    """Advance a run until a rule, the clock or the callback ends it; return the reason.

    ``snapshot(reason)`` returns where the run stands; ``cancellation`` asks
    ``monitor.ended`` within bursts.  With ``target`` the end at a target loss is confirmed; once
    it was not, every epoch is looked at.
    """
    burst, seen, told = 1, None, -1
    confirming = target is not None and target.run_without is None
    try:
        while True:
            due = _next_call(state, monitor)
            size = min(burst, 1 + due - int(state.evaluations[0]))
            losses, validation_losses = history.room(size)
            started = time.perf_counter()
            cancellation.restart()
            reason, count = run.advance(losses, validation_losses)
            now = time.perf_counter()
            if reason == TARGET_LOSS and target is not None and not target.reached():
                assert target.run_without is not None, "a run without the rule does not end by it"
                step_back(state)
                history.keep(int(state.evaluations[0]))
                run, burst, confirming = target.run_without(), 1, True
                continue
            if reason == NON_FINITE:
                return REASONS[reason]
            cancelled_by = cancellation.reason() if reason == CANCELLED else ""
            if count > 0:
                seen = Progress(
                    int(state.evaluations[0]) - 1,
                    float(losses[count - 1]),
                    float(validation_losses[count - 1]),
                    float(state.best_loss[0]),
                    float(state.gradient_norm[0]),
                    now - monitor.began,
                    float(state.step[0]),
                    int(state.calls[0]),
                    monitor.start,
                )
            stop = False
            if seen is not None and seen.epoch > told:
                stop = _tell(monitor, seen, due, ended=reason not in (RUNNING, CANCELLED))
                told = seen.epoch if seen.epoch == due else told
            if reason not in (RUNNING, CANCELLED):
                return REASONS[reason]
            if confirming and count > 0 and _confirmed(target, losses[count - 1]):
                return REASONS[TARGET_LOSS]
            if stop:
                if monitor.cancelled is not None:
                    monitor.cancelled.set()
                return "callback"
            if monitor.stopped is not None and monitor.stopped.is_set():
                return "callback"
            if reason == CANCELLED:
                return cancelled_by
            if monitor.cancelled is not None and monitor.cancelled.is_set():
                return "interrupted"
            if monitor.writer is not None:
                monitor.writer.look(snapshot)
            left = monitor.limit - (time.perf_counter() - monitor.began)
            if left <= 0:
                return "max_seconds"
            speed = count / max(now - started, 1e-9)
            burst = int(max(1, min(speed * min(_BURST_SECONDS, left), 4 * burst)))
            burst = 1 if confirming else burst
    finally:
        if monitor.line is not None:
            monitor.line.end(seen)


def _confirmed(target: Target | None, loss: float) -> bool:
    """Tell whether solver and returned network have both reached the target."""
    return target is not None and loss <= target.loss and target.reached()


def _tell(monitor: Monitor, seen: Progress, due: int, ended: bool) -> bool:
    """Show and call what is to be shown and called; return whether the callback stops the run."""
    if monitor.line is not None:
        monitor.line.show(seen)
    if monitor.callback is not None and (ended or seen.epoch == due):
        return validation.answer(monitor.callback(seen))
    return False


def _next_call(state: State, monitor: Monitor) -> int:
    """Return the next epoch at which the callback is due; without one, an epoch never reached."""
    if monitor.callback is None:
        return NEVER
    return -(-int(state.evaluations[0]) // monitor.every) * monitor.every
