"""Many networks at once: side by side where one alone would not keep the processors busy.

A run is compiled code that lets go of the interpreter for some 0.05 s at a time, so that plain
threads serve; and as results do not depend on the number of threads, each network is the one that
it would be if trained alone.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace

from batchprop.bursts import Watch
from batchprop.engines.fused.cpus import available
from batchprop.jobs import Job, run
from batchprop.result import TrainResult
from batchprop.settled import judged

_Item = tuple[int, tuple[Job, Watch]]


def run_all(
    jobs: Sequence[Job], watches: Sequence[Watch], n_threads: int | None
) -> list[TrainResult]:
    """Run all jobs, ``n_threads`` threads in all; results in the order of jobs.

    Ctrl-C, or whatever a callback raises, ends all of them.  As many run at a time as there are
    threads; what that leaves over goes first, with more threads each.  Other engines than the
    fused one hold the interpreter, and run one after another.
    """
    most = available() if n_threads is None else n_threads
    pairs = list(zip(jobs, watches, strict=True))

    def end_all() -> None:
        for watch in watches:
            if watch.cancelled is not None:
                watch.cancelled.set()

    if any(job.engine != "fused" for job in jobs):
        return _side_by_side(pairs, end_all, 1, most)
    first = len(jobs) % most
    results = _side_by_side(pairs[:first], end_all, first, most // max(1, first))
    return results + _side_by_side(pairs[first:], end_all, most, 1)


def _side_by_side(
    pairs: Sequence[tuple[Job, Watch]], end_all: Callable[[], None], together: int, n_threads: int
) -> list[TrainResult]:
    """Run jobs, so many together, each on so many threads."""
    left: deque[_Item] = deque(enumerate(pairs))
    results: dict[int, TrainResult] = {}

    def work_off() -> None:
        try:
            while taken := _taken(left):
                k, (job, watch) = taken
                results[k] = judged(job, run(job._replace(n_threads=n_threads), watch))
                if results[k].stop_reason == "interrupted":
                    end_all()
        except BaseException:
            left.clear()
            end_all()
            raise

    if together <= 1 or len(pairs) <= 1:  # callbacks are called by the caller's thread
        work_off()
    else:
        with ThreadPoolExecutor(together, "batchprop-network") as pool:
            working = []
            try:
                for _ in range(together):
                    working.append(pool.submit(work_off))
                wait(working)
            except KeyboardInterrupt:
                end_all()
        for one in working:
            one.result()  # raises what a callback has raised
        work_off()  # what is left where Ctrl-C came before the first had begun
    return [results[k] for k in range(len(pairs))]


def _taken(left: deque[_Item]) -> _Item | None:
    """Take the next, or None if there is none; safe in several threads."""
    try:
        return left.popleft()
    except IndexError:
        return None


def best_of(results: Sequence[TrainResult], began: float) -> TrainResult:
    """Return the best result, with a report of all if there are several."""
    if len(results) == 1:
        return results[0]
    best = min(results, key=lambda result: result.score)
    return replace(best, starts=tuple(results), seconds=time.perf_counter() - began)
