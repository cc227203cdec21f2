"""``Monitor``: who watches a run, and who may end it."""

from __future__ import annotations

import threading
import time
from typing import NamedTuple, Protocol

from batchprop.training.checkpoint.writer import CheckpointWriter
from batchprop.training.options import Callback
from batchprop.training.result import Progress

CUT_SHORT = ("callback", "interrupted", "max_seconds")
"""The reasons of ``Monitor.ended``: stop reasons of runs that were ended from outside."""


class ProgressDisplay(Protocol):
    """Shows progress: a ``ProgressLine``, or a stand-in for one during a search for a penalty."""

    def show(self, progress: Progress) -> None:
        """Show where the run stands."""
        ...

    def tick(self) -> None:
        """Show that time passes."""
        ...

    def end(self, progress: Progress | None) -> None:
        """Show where it ended; None if nothing was evaluated."""
        ...


class Monitor(NamedTuple):
    """The observers of a run, and what can end it from outside.

    Attributes
    ----------
    began : float
        When the call began, by ``time.perf_counter``.
    limit : float
        Seconds that the run may take, or infinity.
    callback : callable or None
        Called at epoch 0, after every ``every`` epochs and at the end.  A true answer stops the
        run.
    every : int
        Epochs from one call to the next.
    display : ProgressDisplay or None
        Shows progress.
    cancelled : threading.Event or None
        Ends the run when it is set.  Runs that end together share it.
    start : int
        Which of several starts or configurations this is, from 0.
    writer : CheckpointWriter or None
        Writes checkpoints.
    stopped : threading.Event or None
        Set when a callback has ended the search for the penalty, which ends the run, too.
    """

    began: float
    limit: float
    callback: Callback | None
    every: int
    display: ProgressDisplay | None
    cancelled: threading.Event | None = None
    start: int = 0
    writer: CheckpointWriter | None = None
    stopped: threading.Event | None = None

    @property
    def seconds_left(self) -> float:
        """Seconds until the time limit."""
        return self.limit - (time.perf_counter() - self.began)

    def ended(self) -> str:
        """Return the reason why the run has to end now, or an empty string."""
        if self.stopped is not None and self.stopped.is_set():
            return "callback"
        if self.cancelled is not None and self.cancelled.is_set():
            return "interrupted"
        return "max_seconds" if self.seconds_left <= 0 else ""

    def poll(self) -> str:
        """Let the display show that time passes, and return what ``ended`` returns."""
        if self.display is not None:
            self.display.tick()
        return self.ended()

    def cancel(self) -> None:
        """End the run, and all that end together with it."""
        if self.cancelled is not None:
            self.cancelled.set()
