"""How many threads a call may use, and how many are worth using."""

from __future__ import annotations

import contextlib
import math
import os
from functools import cache
from pathlib import Path

# Use one more thread per this many nanoseconds of estimated single-thread time: with less work per
# thread, handing out chunks and waking threads costs more than it saves
# (https://batchprop.readthedocs.io/en/latest/performance.html).
NANOSECONDS_PER_THREAD = 12_000.0


MEMBERSHIP = Path("/proc/self/cgroup")  # the control groups of containers and services
GROUPS = Path("/sys/fs/cgroup")


def _limit(group: Path) -> float:
    """Return the number of processors that one control group may use, or infinity."""
    with contextlib.suppress(OSError, ValueError, ZeroDivisionError):
        quota_us, period_us = (group / "cpu.max").read_text().split()
        return math.inf if quota_us == "max" else int(quota_us) / int(period_us)
    with contextlib.suppress(OSError, ValueError, ZeroDivisionError):  # version 1
        quota_us = (group / "cpu.cfs_quota_us").read_text()
        period_us = (group / "cpu.cfs_period_us").read_text()
        return math.inf if int(quota_us) < 0 else int(quota_us) / int(period_us)
    return math.inf


def control_groups(controller: str) -> list[Path]:
    """Return the folders of this process's control groups and of all their parents."""
    folders: list[Path] = []
    with contextlib.suppress(OSError, ValueError):
        for line in MEMBERSHIP.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers and controller not in controllers.split(","):
                continue
            for top in (GROUPS / controllers, GROUPS / controller if controllers else GROUPS):
                group = top / path.lstrip("/")
                folders.extend(p for p in (group, *group.parents) if p.is_relative_to(top))
    return folders


@cache
def quota() -> float:
    """Return the smallest limit of this process's control groups and all their parents."""
    return min((_limit(group) for group in control_groups("cpu")), default=math.inf)


def _processors_granted() -> int:
    """Return the number of processors that the system or Python's settings grant."""
    if hasattr(os, "process_cpu_count"):  # Python 3.13: affinity, and PYTHON_CPU_COUNT
        return os.process_cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def available() -> int:
    """Return the number of processors that this process may use, at least 1.

    The minimum of what the system grants, the control groups' quota, ``OMP_NUM_THREADS`` and
    ``NUMBA_NUM_THREADS`` (joblib sets the last two in its workers).
    """
    count = _processors_granted()
    if math.isfinite(quota()):
        count = min(count, math.ceil(quota()))
    for variable in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS"):
        value = os.environ.get(variable, "").split(",")[0].strip()
        if value.isdecimal() and int(value) > 0:
            count = min(count, int(value))
    return max(1, count)


def team_size(limit: int | None, nanoseconds: float, n_chunks: int) -> int:
    """Return the number of threads to use for one evaluation.

    Parameters
    ----------
    limit : int or None
        Upper limit set by the caller; None means the available processors.
    nanoseconds : float
        Estimated time of the evaluation on one thread.
    n_chunks : int
        Number of pieces that the work can be divided into.
    """
    max_threads = available() if limit is None else limit
    return max(1, min(max_threads, n_chunks, int(nanoseconds / NANOSECONDS_PER_THREAD)))
