"""A progress line on standard error: what it says, and when."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from batchprop import validation
from batchprop.compiler import console
from batchprop.training.progress_screen import Screen, Status, screen_on
from batchprop.training.result import CALIBRATION, Progress, Search

SILENT_SECONDS = 2.0  # of a call, before a line that nobody asked for


class ProgressLine:
    """Shows epoch, loss and seconds during a run.

    Parameters
    ----------
    max_epochs : int or None
        Largest number of steps; None shows no bar.
    screen : Screen
        Where to draw.  Several lines of one call may share it.
    n_networks : int
        Networks that are trained together; with more than one the line names the network.
    asked : bool
        Whether the user asked for the line.  Such a line is shown at once, and its last state
        stays.  Otherwise it comes after ``SILENT_SECONDS`` and is removed at the end.
    began : float or None
        When the call began, by ``time.perf_counter``; None is now.
    """

    def __init__(
        self,
        max_epochs: int | None,
        screen: Screen,
        n_networks: int = 1,
        asked: bool = True,
        began: float | None = None,
    ) -> None:
        self._max_epochs, self._screen = max_epochs, screen
        self._n_networks, self._asked = n_networks, asked
        self._began = time.perf_counter() if began is None else began
        self._status: Status | None = None  # the latest, without the time
        self._seconds = 0.0  # of the call, when that status came
        self._came_at = self._began
        self._last: Progress | None = None  # that was drawn

    def show(self, progress: Progress) -> None:
        """Show the progress of the run, unless the last line is too recent."""
        if self._show(self._status_of(progress), progress.seconds):
            self._last = progress

    def search(self, search: Search, seconds: float, start: int) -> None:
        """Show the progress of fits that serve the run, unless the last line is too recent."""
        stage = "calibration" if search.stage == CALIBRATION else f"alpha {search.alpha:.1e}"
        figures = f"{stage}  fit {search.n_done + 1} of {search.n_fits}"
        self._show(Status(self._network(start), 0, None, figures), seconds)

    def tick(self) -> None:
        """Show that time passes, also within an evaluation that takes long."""
        now = time.perf_counter()
        if self._screen.is_due(now) and now - self._began >= SILENT_SECONDS:
            self._draw(now)

    def end(self, progress: Progress | None) -> None:
        """Show the end of the run; None if nothing was evaluated, or the line was a search's."""
        if self._asked and progress is not None and progress is not self._last:
            self._screen.show(_timed(self._status_of(progress), progress.seconds))
        self._screen.end(keep=self._asked and progress is not None)

    def close(self) -> None:
        """End whatever is shown, at the end of the call."""
        self._screen.end(keep=self._asked)

    def _show(self, status: Status, seconds: float) -> bool:
        """Take a new status; return whether it was drawn."""
        now = time.perf_counter()
        self._status, self._seconds, self._came_at = status, seconds, now
        return self._draw(now)

    def _draw(self, now: float) -> bool:
        """Draw the latest status, if it is time; return whether it was drawn."""
        if not self._asked and now - self._began < SILENT_SECONDS:
            return False
        status = self._status or Status("", 0, None, "starting")
        return self._screen.show(_timed(status, self._seconds + now - self._came_at), now)

    def _network(self, start: int) -> str:
        """Name one of several networks."""
        return f"network {start + 1}/{self._n_networks}" if self._n_networks > 1 else ""

    def _status_of(self, progress: Progress) -> Status:
        """Return what a line says of a run."""
        parts = [f"loss {progress.loss:.4e}"]
        if self._max_epochs is None:
            parts.insert(0, f"epoch {progress.epoch}")
        if not math.isnan(progress.validation_loss):
            parts.append(f"validation {progress.validation_loss:.4e}")
        subject = self._network(progress.start)
        return Status(subject, progress.epoch, self._max_epochs, "  ".join(parts))


def _timed(status: Status, seconds: float) -> Status:
    """Return a status that says how long the call has taken."""
    return status._replace(figures=f"{status.figures}  {seconds:.1f} s")


def screen_for(progress: bool | None, has_callback: bool, shows_long_calls: bool) -> Screen | None:
    """Return the screen for the progress of a call, or None if it shows none.

    Parameters
    ----------
    progress : bool or None
        The argument of the call.
    has_callback : bool
        Whether a callback tells the user of the progress; a line would get into its way.
    shows_long_calls : bool
        Whether a call that did not ask shows a line if it takes long and somebody watches.
    """
    asked = progress is not None and validation.flag("progress", progress)
    if progress is not None and not asked:
        return None
    watched = shows_long_calls and not has_callback and console.is_watched(sys.stderr)
    return screen_on(sys.stderr) if asked or watched else None


@contextmanager
def closed_at_end(displays: Iterable[object]) -> Iterator[None]:
    """End the lines of a call, however it ends."""
    try:
        yield
    finally:
        for display in displays:
            if isinstance(display, ProgressLine):
                display.close()
