"""Evidence of the instructions that a process executes: whether it uses AVX-512 registers.

On x86 Linux writes down when a thread's state last held AVX-512 registers
(``/proc/PID/arch_status``).  It looks when it takes the core from the thread.  A second thread
therefore wakes up a thousand times a second, on the same cores, while the work runs.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

WAKE_SECONDS = 0.001
CLOCK_TICK_SECONDS = 0.01  # the resolution of the kernel's record, or less


def milliseconds_since_use() -> float | None:
    """Return the time since a thread of this process last used AVX-512: inf if none ever did.

    None if the system does not tell.
    """
    values = []
    try:
        for thread in os.listdir("/proc/self/task"):
            for line in Path(f"/proc/{thread}/arch_status").read_text("ascii").splitlines():
                name, _, value = line.partition(":")
                if name == "AVX512_elapsed_ms":
                    values.append(float(value))
    except OSError:
        return None
    if not values:
        return None
    return min((value for value in values if value >= 0), default=float("inf"))


def uses_avx512(work: Callable[[], object]) -> bool | None:
    """Return whether AVX-512 registers were in use while ``work()`` ran; None if unknown."""
    if milliseconds_since_use() is None:
        return None
    time.sleep(3 * CLOCK_TICK_SECONDS)  # so that what ran before is older than the work
    over = threading.Event()

    def wake() -> None:
        while not over.wait(WAKE_SECONDS):
            pass

    waker = threading.Thread(target=wake, daemon=True)
    waker.start()
    began = time.monotonic()
    try:
        work()
        since_use = milliseconds_since_use()
        seconds = time.monotonic() - began
    finally:
        over.set()
        waker.join()
    return None if since_use is None else since_use <= 1000 * (seconds + CLOCK_TICK_SECONDS)
