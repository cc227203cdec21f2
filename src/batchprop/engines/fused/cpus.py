"""How many threads a call may use, and how many it should."""

from __future__ import annotations

import math
import os
from functools import cache
from pathlib import Path

# One thread more for each so many nanoseconds that an evaluation is estimated to take on one: below
# that, handing out chunks and waking up costs more than it saves (docs/performance.md).
NANOSECONDS_PER_THREAD = 12_000.0


@cache
def _quota() -> float:
    """Return the processors that the control group may use together, or infinity."""
    try:
        path = Path("/proc/self/cgroup").read_text().strip().rsplit("::", 1)[-1]
        for folder in (Path("/sys/fs/cgroup", path.lstrip("/")), Path("/sys/fs/cgroup")):
            limit = folder / "cpu.max"
            if limit.exists():
                most, period = limit.read_text().split()
                return math.inf if most == "max" else int(most) / int(period)
        most = Path("/sys/fs/cgroup/cpu/cpu.cfs_quota_us").read_text()
        period = Path("/sys/fs/cgroup/cpu/cpu.cfs_period_us").read_text()
        return int(most) / int(period) if int(most) > 0 else math.inf
    except (OSError, ValueError):
        return math.inf


def available() -> int:
    """Return the processors this process may use, at least 1.

    The processor affinity and the control group's quota, capped by ``OMP_NUM_THREADS`` and
    ``NUMBA_NUM_THREADS`` (which joblib's workers set).
    """
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        count = os.cpu_count() or 1
    count = min(count, math.ceil(_quota())) if math.isfinite(_quota()) else count
    for variable in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS"):
        value = os.environ.get(variable, "").split(",")[0].strip()
        if value.isdigit() and int(value) > 0:
            count = min(count, int(value))
    return max(1, count)


def team_size(limit: int | None, nanoseconds: float, n_chunks: int) -> int:
    """Return how many threads to use for evaluations that take so long on one thread.

    ``limit`` is the caller's upper limit; None stands for the processors that are available.
    """
    most = available() if limit is None else limit
    return max(1, min(most, n_chunks, int(nanoseconds / NANOSECONDS_PER_THREAD)))
