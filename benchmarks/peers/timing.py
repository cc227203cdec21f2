"""Selects the fastest correct implementation of a library, and times it in chunks of steps."""

from __future__ import annotations

import gc
import math
import time
import traceback
from collections.abc import Sequence
from typing import Any, NamedTuple

from benchmarks.peers.candidate import Candidate, Unsuitable, Workload, judge
from benchmarks.peers.storage import Expected

RATE = 1e-3  # learning rate while timing, small enough not to diverge
# Wait for other processes' threads to sleep: OpenBLAS's spin for a tenth of a second.
SETTLE_SECONDS = {True: 0.15, False: 0.02}  # with several threads, with one


class Effort(NamedTuple):
    """How long to measure."""

    select_seconds: float  # per implementation, to find the fastest
    chunk_seconds: float
    chunk_steps: int  # minimum number of steps, whatever their time


def steps_for(candidate: Candidate, seconds: float, least: int) -> tuple[int, float]:
    """Return a number of steps that takes about so long, and the seconds per step."""
    steps = candidate.multiple
    while True:
        took = candidate.seconds(steps)
        if took >= seconds / 4 or steps >= 1 << 24:
            break
        growth = min(16.0, 0.4 * seconds / max(took, 1e-9))
        steps = candidate.multiple * max(
            steps // candidate.multiple + 1, int(steps * growth) // candidate.multiple
        )
    n_steps = max(least, round(steps * seconds / took))
    return candidate.multiple * math.ceil(n_steps / candidate.multiple), took / steps


def _release(candidate: Candidate) -> None:
    candidate.close()
    gc.collect()


def try_one(
    candidate: Candidate, workload: Workload, expected: Expected, select_seconds: float
) -> dict[str, Any]:
    """Build, check and time one candidate."""
    began = time.perf_counter()
    candidate.build(workload)
    candidate.load(workload.start, RATE)
    candidate.run(candidate.multiple)
    built = time.perf_counter() - began
    verdict = judge(candidate, workload, expected)
    record = {"way": candidate.name, "build_seconds": built, **verdict._asdict()}
    record["trial_seconds"] = 0.0
    if verdict.passed and select_seconds:
        candidate.load(workload.start, RATE)
        steps, once = steps_for(candidate, select_seconds / 3, 1)
        rounds = 2 if once < select_seconds else 0
        trials = [candidate.seconds(steps) / steps for _ in range(rounds)]
        record["trial_seconds"] = min([once, *trials])
    return record


def choose(
    candidates: Sequence[Candidate], workload: Workload, expected: Expected, effort: Effort
) -> tuple[Candidate | None, dict[str, Any] | None, list[dict[str, Any]]]:
    """Return the fastest correct candidate, its record, and the records of all candidates.

    A candidate that fails does not affect the others.
    """
    best, best_record, tried = None, None, []
    compare = effort.select_seconds if len(candidates) > 1 else 0.0
    for candidate in candidates:
        name = candidate.name
        try:
            record = try_one(candidate, workload, expected, compare)
        except Unsuitable as reason:
            tried.append({"way": name, "unsuitable": str(reason)})
            _release(candidate)
            continue
        except Exception as error:
            traceback.print_exc()
            tried.append({"way": name, "failed": f"{type(error).__name__}: {error}"[:300]})
            _release(candidate)
            continue
        tried.append(record)
        faster = best_record is None or record["trial_seconds"] < best_record["trial_seconds"]
        if record["passed"] and faster:
            if best is not None:
                _release(best)
            best, best_record = candidate, record
        else:
            _release(candidate)
    return best, best_record, tried


class Clock:
    """Times chunks of steps of the selected candidate."""

    def __init__(self, candidate: Candidate, workload: Workload, effort: Effort) -> None:
        self._candidate = candidate
        self._settle = SETTLE_SECONDS[workload.threads > 1]
        candidate.load(workload.start, RATE)
        self.steps, _ = steps_for(candidate, effort.chunk_seconds, effort.chunk_steps)

    def chunk(self) -> float:
        """Return the seconds per step over one chunk."""
        time.sleep(self._settle)
        self._candidate.run(self._candidate.multiple)  # reload what other processes evicted
        return self._candidate.seconds(self.steps) / self.steps
