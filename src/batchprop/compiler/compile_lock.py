"""Turns: of processes that start together, one compiles a kernel and the others wait for it."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Any

try:
    import fcntl

    _lock: Any = fcntl.flock
    _AT_ONCE_OR_NOT = fcntl.LOCK_EX | fcntl.LOCK_NB
except ImportError:  # on Windows each compiles for itself
    _lock = None

PATIENCE = 60.0  # seconds to wait at most; then one compiles for oneself


class Turn:
    """The right to compile, one process at a time; it ends with the process, whatever happens."""

    def __init__(self) -> None:
        self._path = Path()
        self._file = -1

    def take(self, path: Path) -> None:
        """Wait until no other process has the turn for ``path``, but not for ever."""
        self.end()
        if _lock is None:
            return
        with contextlib.suppress(OSError):
            self._path, self._file = path, os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
            deadline = time.monotonic() + PATIENCE
            while time.monotonic() < deadline:
                with contextlib.suppress(BlockingIOError):
                    _lock(self._file, _AT_ONCE_OR_NOT)
                    return
                time.sleep(0.02)

    def end(self) -> None:
        """Let the next one have it."""
        if self._file >= 0:
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)
            os.close(self._file)
            self._file = -1
