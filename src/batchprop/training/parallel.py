"""Many networks at once: side by side where one alone would not keep the processors busy.

A run is compiled code that lets go of the interpreter for some 0.02 s at a time, so that plain
threads serve; and as results do not depend on the number of threads, each network is the one that
it would be if trained alone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import replace

from batchprop.machine.thread_count import available
from batchprop.training.monitor import Monitor
from batchprop.training.result import TrainResult
from batchprop.training.run import run
from batchprop.training.run_specification import RunSpecification

_POLL_SECONDS = 0.05  # between two looks at Ctrl-C; a wait without end is deaf on some systems


def run_all(
    specs: Sequence[RunSpecification], monitors: Sequence[Monitor] | Monitor, n_threads: int | None
) -> list[TrainResult]:
    """Run all specs, ``n_threads`` threads in all; results in the order of specs.

    Jobs are taken from their sequence when it is their turn.  One ``Monitor`` for all is for specs
    that differ in the start alone, and is told the number of each.  Ctrl-C, or whatever a callback
    raises, ends all of them.  As many run at a time as there are threads; what that leaves over
    goes first, with more threads each.  Other engines than the fused one hold the interpreter, and
    run one after another.
    """
    most = available() if n_threads is None else n_threads
    count = len(specs)
    distinct = [specs[0]] if isinstance(monitors, Monitor) else specs
    if any(spec.engine != "fused" for spec in distinct):
        return _SideBySide(specs, monitors, range(count), most).run(1)
    first = count % most
    results = _SideBySide(specs, monitors, range(first), most // max(1, first)).run(first)
    return results + _SideBySide(specs, monitors, range(first, count), 1).run(most)


class _SideBySide:
    """Some of the specs, that end together.

    Parameters
    ----------
    specs, monitors
        As for ``run_all``.
    which : range
        Their numbers.
    n_threads : int
        Threads for each of them.
    """

    def __init__(
        self,
        specs: Sequence[RunSpecification],
        monitors: Sequence[Monitor] | Monitor,
        which: range,
        n_threads: int,
    ) -> None:
        self._jobs, self._watches, self._n_threads = specs, monitors, n_threads
        self._which, self._left, self._running = which, iter(which), 0
        self._lock, self._done = threading.Lock(), threading.Event()
        self._results: dict[int, TrainResult] = {}
        self._errors: list[BaseException] = []
        self._threads: list[threading.Thread] = []

    def run(self, together: int) -> list[TrainResult]:
        """Run them, so many at a time."""
        try:
            if together > 1 and len(self._which) > 1:
                self._start(min(together, len(self._which)))
                self._wait()
        except KeyboardInterrupt:
            self._end_all()
        self._work_off()  # in the caller's thread, if there were no others to take all of them
        self._wait()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        if self._errors:
            raise self._errors[0]
        return [self._results[k] for k in self._which]

    def _start(self, count: int) -> None:
        """Start threads, or as many of them as the system has to give."""
        for k in range(count):
            thread = threading.Thread(target=self._work_off, name=f"batchprop-network-{k}")
            self._threads.append(thread)  # before Ctrl-C can come between
            try:
                thread.start()
            except RuntimeError:  # fewer do it as well
                self._threads.pop()
                return

    def _wait(self) -> None:
        """Wait until none is running; not for threads: Ctrl-C makes them seem to have ended."""
        while self._threads and not self._done.wait(_POLL_SECONDS):
            pass

    def _work_off(self) -> None:
        """Run one after the other until there is none left."""
        while (k := self._taken()) is not None:
            monitor = self._watches
            monitor = monitor._replace(start=k) if isinstance(monitor, Monitor) else monitor[k]
            try:
                result = run(self._jobs[k]._replace(n_threads=self._n_threads), monitor)
                self._results[k] = result
                if result.stop_reason == "interrupted":
                    self._end_all()
            except BaseException as error:  # a callback's: those that have not begun never will
                self._errors.append(error)
                self._left = iter(())
                self._end_all()
            with self._lock:
                self._running -= 1
        with self._lock:
            if self._running == 0:
                self._done.set()

    def _taken(self) -> int | None:
        """Take the number of the next one, None if there is none."""
        with self._lock:
            k = next(self._left, None)
            self._running += k is not None
            return k

    def _end_all(self) -> None:
        for monitor in [self._watches] if isinstance(self._watches, Monitor) else self._watches:
            if monitor.cancelled is not None:
                monitor.cancelled.set()


def best_of(results: Sequence[TrainResult], began: float) -> TrainResult:
    """Return the best result, with a report of all if there are several."""
    if len(results) == 1:
        return results[0]
    best = min(results, key=lambda result: result.score)
    return replace(best, starts=tuple(results), seconds=time.perf_counter() - began)
