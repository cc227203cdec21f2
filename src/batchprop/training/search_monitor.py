"""Who looks on while a penalty is searched: the progress line, and the user's callback.

The fits of a search run in several threads, one after the other for a wide table.  Each tells how
it goes at its looks at the clock; every second or so the user's callback hears of it, and the line
shows which α is tried and how many fits are done.  A true answer ends the search and the run.
"""

from __future__ import annotations

import threading
import time

from batchprop import validation
from batchprop.training.loop import Monitor
from batchprop.training.progress_line import ProgressLine
from batchprop.training.result import Progress, Search

_SECONDS = 0.5  # between two calls of the callback: a short search is none of its business


class SearchMonitor:
    """What the fits of one search tell, all in one place.

    Parameters
    ----------
    monitor : Monitor
        Of the run whose penalty is searched.

    Attributes
    ----------
    stopped : threading.Event
        Set when the callback has answered with true.
    """

    def __init__(self, monitor: Monitor) -> None:
        self._watch = monitor
        self.stopped = threading.Event()
        self._lock = threading.Lock()
        self._told = monitor.began
        self._n_done = self._n_fits = 0

    def wanted(self, n_fits: int) -> None:
        """Take note of fits that are to come."""
        self._n_fits += n_fits

    def line(self, alpha: float) -> _FitLine:
        """Return what a fit of this α_h shows its progress on."""
        return _FitLine(self, alpha)

    def show(self, alpha: float) -> None:
        """Tell of a fit that goes on."""
        with self._lock:
            now = time.perf_counter()
            search = Search(alpha, self._n_done, self._n_fits)
            if isinstance(self._watch.line, ProgressLine):
                self._watch.line.search(search, now - self._watch.began, self._watch.start)
            callback = self._watch.callback
            if callback is None or self.stopped.is_set() or now - self._told < _SECONDS:
                return
            self._told = now
            seen = Progress.of_search(search, now - self._watch.began, self._watch.start)
            if validation.answer(callback(seen)):
                self.stopped.set()

    def end(self) -> None:
        """Count a fit that has ended."""
        with self._lock:
            self._n_done += 1


class _FitLine:
    """In the place of a progress line for one fit of a search."""

    def __init__(self, search: SearchMonitor, alpha: float) -> None:
        self._search, self._alpha = search, alpha

    def show(self, progress: Progress) -> None:
        """Tell of the fit."""
        self._search.show(self._alpha)

    def end(self, progress: Progress | None) -> None:
        """Count the fit."""
        self._search.end()
