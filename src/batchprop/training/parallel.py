"""Many networks at once: side by side where a single one would not keep all processors busy.

Compiled evaluations release the interpreter lock for about 0.02 s at a time, so Python threads are
enough.  Results do not depend on the number of threads: each network is the same as if it were
trained alone.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from batchprop import engines
from batchprop.machine.thread_count import available
from batchprop.training.dataset import Dataset
from batchprop.training.monitor import Monitor
from batchprop.training.result import TrainResult
from batchprop.training.run import run
from batchprop.training.run_specification import RunSpecification

_POLL_SECONDS = 0.05  # a wait without a timeout does not notice Ctrl-C on some systems


def run_all(
    specs: Sequence[RunSpecification], monitors: Sequence[Monitor] | Monitor, n_threads: int | None
) -> list[TrainResult]:
    """Run all specs with ``n_threads`` threads in all; return the results in the order of specs.

    A spec is taken from the sequence when its run begins.  A single ``Monitor`` is for specs that
    differ only in their start; it gets the number of each.  Ctrl-C, or an exception of a callback,
    ends all runs.  ``n_threads`` runs go on at a time.  If the number of runs is not a multiple of
    it, the remainder runs first, with several threads each.  Engines that hold the interpreter lock
    run one spec after another, and so do runs that read their samples in each pass.
    """
    total_threads = available() if n_threads is None else n_threads
    count = len(specs)
    if count == 1:
        return [_run_alone(specs[0]._replace(n_threads=total_threads), monitors)]
    distinct = [specs[0]] if isinstance(monitors, Monitor) else specs
    if not all(map(_may_run_beside_others, distinct)):
        return _SideBySide(specs, monitors, range(count), total_threads).run(1)
    first = count % total_threads
    results = _SideBySide(specs, monitors, range(first), total_threads // max(1, first)).run(first)
    return results + _SideBySide(specs, monitors, range(first, count), 1).run(total_threads)


def _may_run_beside_others(spec: RunSpecification) -> bool:
    return engines.load(spec.engine).releases_gil and isinstance(spec.dataset, Dataset)


def _run_alone(spec: RunSpecification, monitors: Sequence[Monitor] | Monitor) -> TrainResult:
    """Run a single spec, in the caller's thread."""
    monitor = monitors if isinstance(monitors, Monitor) else monitors[0]
    result = run(spec, monitor)
    if result.stop_reason == "interrupted":  # so that no fits follow it
        monitor.cancel()
    return result


class _SideBySide:
    """Runs of some of the specs, side by side.

    Parameters
    ----------
    specs, monitors
        As for ``run_all``.
    indices : range
        Which of the specs.
    n_threads : int
        Threads for each run.
    """

    def __init__(
        self,
        specs: Sequence[RunSpecification],
        monitors: Sequence[Monitor] | Monitor,
        indices: range,
        n_threads: int,
    ) -> None:
        self._specs, self._monitors, self._n_threads = specs, monitors, n_threads
        self._indices, self._remaining, self._n_running = indices, iter(indices), 0
        self._lock, self._done = threading.Lock(), threading.Event()
        self._results: dict[int, TrainResult] = {}
        self._errors: list[BaseException] = []
        self._threads: list[threading.Thread] = []

    def run(self, n_parallel: int) -> list[TrainResult]:
        """Run all of them, ``n_parallel`` at a time."""
        try:
            if n_parallel > 1 and len(self._indices) > 1:
                self._start(min(n_parallel, len(self._indices)))
                self._wait()
        except KeyboardInterrupt:
            self._cancel_all()
        self._run_remaining()  # in the caller's thread, as far as other threads have not
        self._wait()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        if self._errors:
            raise self._errors[0]
        return [self._results[k] for k in self._indices]

    def _start(self, count: int) -> None:
        """Start ``count`` threads, or as many as the system allows."""
        for k in range(count):
            thread = threading.Thread(target=self._run_remaining, name=f"batchprop-network-{k}")
            self._threads.append(thread)  # first: Ctrl-C may come right after the start
            try:
                thread.start()
            except RuntimeError:  # fewer threads will do
                self._threads.pop()
                return

    def _wait(self) -> None:
        """Wait until no run is left.  An interrupted ``Thread.join`` may return too early."""
        while self._threads and not self._done.wait(_POLL_SECONDS):
            pass

    def _run_remaining(self) -> None:
        """Run one spec after another until none is left."""
        while (k := self._take_next()) is not None:
            monitor = self._monitors
            monitor = monitor._replace(start=k) if isinstance(monitor, Monitor) else monitor[k]
            try:
                result = run(self._specs[k]._replace(n_threads=self._n_threads), monitor)
                self._results[k] = result
                if result.stop_reason == "interrupted":
                    self._cancel_all()
            except BaseException as error:  # a callback's: runs that have not begun never will
                self._errors.append(error)
                self._remaining = iter(())
                self._cancel_all()
            with self._lock:
                self._n_running -= 1
        with self._lock:
            if self._n_running == 0:
                self._done.set()

    def _take_next(self) -> int | None:
        """Take the index of the next spec; None if none is left."""
        with self._lock:
            k = next(self._remaining, None)
            self._n_running += k is not None
            return k

    def _cancel_all(self) -> None:
        for monitor in [self._monitors] if isinstance(self._monitors, Monitor) else self._monitors:
            if monitor.cancelled is not None:
                monitor.cancelled.set()
