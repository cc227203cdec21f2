"""How much memory this process can still have."""

from __future__ import annotations

import contextlib
import math
from pathlib import Path

from batchprop.engines.fused.cpus import groups

MACHINE = Path("/proc/meminfo")
# files of a control group: its limit, what it uses, and the lines of its statistics that name
# copies of files, which make room where memory is short (version 2, version 1)
_FILES = (
    ("memory.max", "memory.current", ("inactive_file", "active_file")),
    (
        "memory.limit_in_bytes",
        "memory.usage_in_bytes",
        ("total_inactive_file", "total_active_file"),
    ),
)


def _of_group(group: Path) -> float:
    """Return what one control group has left, or infinity."""
    for limit, usage, copies in _FILES:
        with contextlib.suppress(OSError, ValueError):
            most, used = int((group / limit).read_text()), int((group / usage).read_text())
            lines = (group / "memory.stat").read_text().splitlines()
            room = {name: int(value) for name, value in map(str.split, lines)}
            return most - used + sum(room.get(name, 0) for name in copies)
    return math.inf


def available_memory() -> float:
    """Return the bytes that are left on this machine and in all control groups of this process.

    Infinity where the system does not tell.
    """
    left = [_of_group(group) for group in groups("memory")]
    with contextlib.suppress(OSError, ValueError, KeyError):
        lines = dict(line.split(":", 1) for line in MACHINE.read_text().splitlines())
        left.append(1024.0 * int(lines["MemAvailable"].split()[0]))
    return min(left, default=math.inf)
