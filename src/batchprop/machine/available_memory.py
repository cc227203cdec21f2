"""How much memory this process can still allocate.

Linux and Windows report the available memory.  macOS and the BSDs report only the total, which is
used instead: too high, but enough to refuse what cannot fit in any case.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import os
from pathlib import Path
from typing import Any

from batchprop.machine.thread_count import control_groups

MACHINE = Path("/proc/meminfo")
# Files of a control group, for versions 2 and 1: its limit, its usage, and the entries of its
# statistics that count cached files, which the kernel drops when memory is short.
_FILES = (
    ("memory.max", "memory.current", ("inactive_file", "active_file")),
    (
        "memory.limit_in_bytes",
        "memory.usage_in_bytes",
        ("total_inactive_file", "total_active_file"),
    ),
)


def _of_group(group: Path) -> float:
    """Return the bytes that one control group has left; infinity if it has no limit."""
    for limit_file, usage_file, cache_names in _FILES:
        with contextlib.suppress(OSError, ValueError):
            limit_bytes = int((group / limit_file).read_text())
            used_bytes = int((group / usage_file).read_text())
            lines = (group / "memory.stat").read_text().splitlines()
            statistics = {name: int(value) for name, value in map(str.split, lines)}
            return limit_bytes - used_bytes + sum(statistics.get(name, 0) for name in cache_names)
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
    """Return the bytes that the machine has left, by the first method that works here."""
    for method in (_linux, _windows, _posix):
        with contextlib.suppress(OSError, ValueError, KeyError, AttributeError):
            return method()
    return math.inf


def available_memory() -> float:
    """Return the bytes left on this machine and in all control groups of this process.

    Infinity if the system does not report it.
    """
    return min(_of_machine(), *map(_of_group, control_groups("memory")), math.inf)
