"""How many threads a call may use, and how many it should."""

from __future__ import annotations

import contextlib
import math
import os
from functools import cache
from pathlib import Path

# One thread more for each so many nanoseconds that an evaluation is estimated to take on one: below
# that, handing out chunks and waking up costs more than it saves (docs/performance.md).
NANOSECONDS_PER_THREAD = 12_000.0


MEMBERSHIP = Path("/proc/self/cgroup")  # control groups, which containers and services are
GROUPS = Path("/sys/fs/cgroup")


def _limit(group: Path) -> float:
    """Return the processors that one control group may use together, or infinity."""
    with contextlib.suppress(OSError, ValueError, ZeroDivisionError):
        most, period = (group / "cpu.max").read_text().split()
        return math.inf if most == "max" else int(most) / int(period)
    with contextlib.suppress(OSError, ValueError, ZeroDivisionError):  # version 1
        most = (group / "cpu.cfs_quota_us").read_text()
        period = (group / "cpu.cfs_period_us").read_text()
        return math.inf if int(most) < 0 else int(most) / int(period)
    return math.inf


def groups(controller: str) -> list[Path]:
    """Return the folders of the groups this process is in, and of all they are part of."""
    found: list[Path] = []
    with contextlib.suppress(OSError, ValueError):
        for line in MEMBERSHIP.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers and controller not in controllers.split(","):
                continue
            for top in (GROUPS / controllers, GROUPS / controller if controllers else GROUPS):
                group = top / path.lstrip("/")
                found.extend(p for p in (group, *group.parents) if p.is_relative_to(top))
    return found


@cache
def quota() -> float:
    """Return the least limit of the groups this process is in and of all they are part of."""
    return min((_limit(group) for group in groups("cpu")), default=math.inf)


def _granted() -> int:
    """Return the processors that the system, or Python's own setting, grants this process."""
    if hasattr(os, "process_cpu_count"):  # Python 3.13: affinity, and PYTHON_CPU_COUNT
        return os.process_cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def available() -> int:
    """Return the processors this process may use, at least 1.

    What the system grants and the control group's quota, capped by ``OMP_NUM_THREADS`` and
    ``NUMBA_NUM_THREADS`` (which joblib's workers set).
    """
    count = _granted()
    if math.isfinite(quota()):
        count = min(count, math.ceil(quota()))
    for variable in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS"):
        value = os.environ.get(variable, "").split(",")[0].strip()
        if value.isdecimal() and int(value) > 0:
            count = min(count, int(value))
    return max(1, count)


def team_size(limit: int | None, nanoseconds: float, n_chunks: int) -> int:
    """Return how many threads to use for evaluations that take so long on one thread.

    ``limit`` is the caller's upper limit; None stands for the processors that are available.
    """
    most = available() if limit is None else limit
    return max(1, min(most, n_chunks, int(nanoseconds / NANOSECONDS_PER_THREAD)))
