"""Many networks at once: side by side where one alone would not keep the processors busy.

A run is compiled code that lets go of the interpreter for some 0.05 s at a time, so that plain
threads serve; and as results do not depend on the number of threads, each network is the one that
it would be if trained alone.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from batchprop.bursts import Watch
from batchprop.engines.fused.cpus import available
from batchprop.jobs import Job, run
from batchprop.result import TrainResult


def run_all(
    jobs: Sequence[Job], watches: Sequence[Watch], n_threads: int | None
) -> list[TrainResult]:
    """Run all jobs, ``n_threads`` threads in all; results in the order of jobs.

    Ctrl-C, or whatever a callback raises, ends all of them.
    """
    if len(jobs) == 1:
        return [run(jobs[0], watches[0])]
    most = available() if n_threads is None else n_threads
    together = min(most, len(jobs)) if jobs[0].engine == "fused" else 1
    own = [job._replace(n_threads=max(1, most // together)) for job in jobs]
    if together == 1:
        results = []
        for job, watch in zip(own, watches, strict=True):
            results.append(run(job, watch))
            if results[-1].stop_reason == "interrupted":  # Ctrl-C in one of them ends all
                _cancel(watches)
        return results
    with ThreadPoolExecutor(together) as pool:
        running = [pool.submit(run, *both) for both in zip(own, watches, strict=True)]
        try:
            return [done.result() for done in running]
        except KeyboardInterrupt:
            _cancel(watches)
            return [done.result() for done in running]
        except BaseException:
            _cancel(watches)
            raise


def _cancel(watches: Sequence[Watch]) -> None:
    for watch in watches:
        if watch.cancelled is not None:
            watch.cancelled.set()


def best_of(results: Sequence[TrainResult], began: float) -> TrainResult:
    """Return the best result, with a report of all if there are several."""
    if len(results) == 1:
        return results[0]
    best = min(results, key=lambda result: result.score)
    return replace(best, starts=tuple(results), seconds=time.perf_counter() - began)
