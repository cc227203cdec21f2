"""Observing fits that serve a run: the progress line, and the user's callback.

These are the fits of a search for a penalty, and those that calibrate uncertainty.  They run in
several threads, or one after the other for a wide table.  Each reports at its looks at the clock.
Twice a second at most the user's callback is called; the progress line shows which α is tried and
how many fits are done.  A true answer ends the search and the run, or the calibration.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from batchprop import validation
from batchprop.training.monitor import Monitor
from batchprop.training.progress_line import ProgressLine
from batchprop.training.result import PENALTY, Progress, Search
from batchprop.training.run_specification import RunSpecification

_SECONDS = 0.5  # from one call of the callback to the next, and before the first


class SearchMonitor:
    """Collects what the fits of one search report.

    Parameters
    ----------
    monitor : Monitor
        Of the run that the search is for.
    stage : {"penalty", "calibration"}
        What is searched for.

    Attributes
    ----------
    stopped : threading.Event
        Set when the callback has answered with true.
    """

    def __init__(self, monitor: Monitor, stage: str = PENALTY) -> None:
        self._monitor, self._stage = monitor, stage
        self.stopped = threading.Event()
        self._lock = threading.Lock()
        self._last_call = monitor.began
        self._n_done = self._n_fits = 0

    def expect(self, n_fits: int) -> None:
        """Add to the number of fits that are needed."""
        self._n_fits += n_fits

    def display(self, alpha: float) -> _FitDisplay:
        """Return the display of a fit with this α_h."""
        return _FitDisplay(self, alpha)

    def monitors(
        self, fits: Sequence[RunSpecification], bounds: Monitor, cancelled: threading.Event
    ) -> list[Monitor]:
        """Return a monitor of each fit; ``bounds`` has the time limit."""
        return [
            Monitor(
                bounds.began,
                bounds.limit,
                None,
                1,
                self.display(_alpha_h(fit)),
                cancelled,
                stopped=self.stopped,
            )
            for fit in fits
        ]

    def show(self, alpha: float) -> None:
        """Report a fit that goes on."""
        with self._lock:
            now = time.perf_counter()
            search = Search(alpha, self._n_done, self._n_fits, self._stage)
            seconds, start = now - self._monitor.began, self._monitor.start
            if isinstance(self._monitor.display, ProgressLine):
                self._monitor.display.search(search, seconds, start)
            callback = self._monitor.callback
            if callback is None or self.stopped.is_set() or now - self._last_call < _SECONDS:
                return
            self._last_call = now
            if validation.answer(callback(Progress.of_search(search, seconds, start))):
                self.stopped.set()

    def tick(self) -> None:
        """Let the progress line show that time passes."""
        if self._monitor.display is not None:
            self._monitor.display.tick()

    def end(self) -> None:
        """Count a fit that has ended."""
        with self._lock:
            self._n_done += 1


class _FitDisplay:
    """The display of one fit: it reports to the monitor of the search."""

    def __init__(self, search: SearchMonitor, alpha: float) -> None:
        self._search, self._alpha = search, alpha

    def show(self, progress: Progress) -> None:
        """Report the fit."""
        self._search.show(self._alpha)

    def tick(self) -> None:
        """Let the search show that time passes."""
        self._search.tick()

    def end(self, progress: Progress | None) -> None:
        """Count the fit."""
        self._search.end()


def _alpha_h(spec: RunSpecification) -> float:
    assert not isinstance(spec.alpha, str)
    return spec.alpha[0]
