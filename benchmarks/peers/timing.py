"""The fastest right way of a library, and how long its steps take, a chunk at a time."""

from __future__ import annotations

import gc
import math
import time
import traceback
from collections.abc import Sequence
from typing import Any, NamedTuple

from benchmarks.peers.candidate import Candidate, Given, Unsuitable, judge
from benchmarks.peers.storage import Expected

RATE = 1e-3  # step size while timing: small, nothing diverges
# Others' threads go to sleep: OpenBLAS's wait for more work for a tenth of a second.
SETTLE_SECONDS = {True: 0.15, False: 0.02}  # by whether there are several threads


class Effort(NamedTuple):
    """How long to measure."""

    select_seconds: float  # for each way of a library, when the fastest is looked for
    chunk_seconds: float
    chunk_steps: int  # at least so many, whatever they take


def steps_for(candidate: Candidate, seconds: float, least: int) -> tuple[int, float]:
    """Return how many steps last about so long, and the seconds that one takes."""
    steps = candidate.multiple
    while True:
        took = candidate.seconds(steps)
        if took >= seconds / 4 or steps >= 1 << 24:
            break
        growth = min(16.0, 0.4 * seconds / max(took, 1e-9))
        steps = candidate.multiple * max(
            steps // candidate.multiple + 1, int(steps * growth) // candidate.multiple
        )
    wanted = max(least, round(steps * seconds / took))
    return candidate.multiple * math.ceil(wanted / candidate.multiple), took / steps


def _release(candidate: Candidate) -> None:
    candidate.close()
    gc.collect()


def try_one(
    candidate: Candidate, given: Given, expected: Expected, select_seconds: float
) -> dict[str, Any]:
    """Build a candidate, judge it and take its time."""
    began = time.perf_counter()
    candidate.build(given)
    candidate.load(given.start, RATE)
    candidate.run(candidate.multiple)
    built = time.perf_counter() - began
    verdict = judge(candidate, given, expected)
    record = {"way": candidate.name, "build_seconds": built, **verdict._asdict()}
    record["trial_seconds"] = 0.0
    if verdict.passed and select_seconds:
        candidate.load(given.start, RATE)
        steps, once = steps_for(candidate, select_seconds / 3, 1)
        rounds = 2 if once < select_seconds else 0
        trials = [candidate.seconds(steps) / steps for _ in range(rounds)]
        record["trial_seconds"] = min([once, *trials])
    return record


def choose(
    candidates: Sequence[Candidate], given: Given, expected: Expected, effort: Effort
) -> tuple[Candidate | None, dict[str, Any] | None, list[dict[str, Any]]]:
    """Return the fastest candidate that is right, its record, and the records of all.

    A candidate that fails does not take the others along.
    """
    best, best_record, tried = None, None, []
    compare = effort.select_seconds if len(candidates) > 1 else 0.0
    for candidate in candidates:
        name = candidate.name
        try:
            record = try_one(candidate, given, expected, compare)
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
    """Times chunks of steps of the chosen candidate."""

    def __init__(self, candidate: Candidate, given: Given, effort: Effort) -> None:
        self._candidate = candidate
        self._settle = SETTLE_SECONDS[given.threads > 1]
        candidate.load(given.start, RATE)
        self.steps, _ = steps_for(candidate, effort.chunk_seconds, effort.chunk_steps)

    def chunk(self) -> float:
        """Return the seconds of a step, over one chunk."""
        time.sleep(self._settle)
        self._candidate.run(self._candidate.multiple)  # what others pushed out of the caches
        return self._candidate.seconds(self.steps) / self.steps
