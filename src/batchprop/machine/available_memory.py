"""How much memory this process can still have.

Linux and Windows tell what is left.  macOS and the BSDs tell only how much there is: that is taken
for what is left, a guess that is too high, but refuses what cannot fit in any case.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import os
from pathlib import Path
from typing import Any

from batchprop.machine.thread_count import groups

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


class _MemoryStatus(ctypes.Structure):
    """Windows' MEMORYSTATUSEX."""

    _fields_ = (
        ("length", ctypes.c_uint32),
        ("load", ctypes.c_uint32),
        ("total_physical", ctypes.c_uint64),
        ("available_physical", ctypes.c_uint64),
        ("total_page_file", ctypes.c_uint64),
        ("available_page_file", ctypes.c_uint64),
        ("total_virtual", ctypes.c_uint64),
        ("available_virtual", ctypes.c_uint64),
        ("available_extended_virtual", ctypes.c_uint64),
    )


def _linux() -> float:
    lines = dict(line.split(":", 1) for line in MACHINE.read_text().splitlines())
    return 1024.0 * int(lines["MemAvailable"].split()[0])


def _windows() -> float:
    kernel: Any = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined,unused-ignore]
    status = _MemoryStatus(length=ctypes.sizeof(_MemoryStatus))
    if not kernel.GlobalMemoryStatusEx(ctypes.byref(status)):
        raise OSError("GlobalMemoryStatusEx failed")
    return float(min(status.available_physical, status.available_virtual))


def _posix() -> float:
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    if pages <= 0 or size <= 0:  # -1 stands for unknown
        raise ValueError("the system does not tell")
    return float(pages) * size


def _of_machine() -> float:
    """Return what the machine has left, by the first way that this system knows, or infinity."""
    for tell in (_linux, _windows, _posix):
        with contextlib.suppress(OSError, ValueError, KeyError, AttributeError):
            return tell()
    return math.inf


def available_memory() -> float:
    """Return the bytes that are left on this machine and in all control groups of this process.

    Infinite where the system does not tell.
    """
    return min(_of_machine(), *map(_of_group, groups("memory")), math.inf)
