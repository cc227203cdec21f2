"""A program that is sent a real Ctrl-C while it trains."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import NamedTuple

from tests.project import SRC


class Ended(NamedTuple):
    """What an interrupted program wrote, and how many seconds it went on after the signal."""

    out: str
    errors: str
    seconds: float


def interrupted(code: str, after: float) -> Ended:
    """Run a program, which writes "running" as it begins, and send SIGINT so many seconds later."""
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=SRC, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        try:
            assert process.stdout.readline() == "running\n"
            time.sleep(after)
            process.send_signal(signal.SIGINT)
            sent = time.perf_counter()
            out, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0, errors
    return Ended(out, errors, time.perf_counter() - sent)
