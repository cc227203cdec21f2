"""Whether the machine has room for a second process that compiles."""

from __future__ import annotations

from batchprop.machine.available_memory import available_memory
from batchprop.machine.thread_count import available

NEEDED_BYTES = 512 << 20  # it takes about 210 MiB


def has_room() -> bool:
    """Return whether a second process has a processor and memory of its own."""
    return available() > 1 and available_memory() >= NEEDED_BYTES
