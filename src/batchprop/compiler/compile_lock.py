"""A lock between processes that start together: one compiles a kernel, the others wait."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Any

try:
    import fcntl

    _flock: Any = fcntl.flock
    _EXCLUSIVE_NON_BLOCKING = fcntl.LOCK_EX | fcntl.LOCK_NB
except ImportError:  # Windows: every process compiles for itself
    _flock = None

TIMEOUT = 60.0  # seconds to wait; after that a process compiles for itself


class CompileLock:
    """A file lock held during compilation.  The system releases it when the process ends.

    Attributes
    ----------
    descriptor : int
        Of the open file; −1 if there is none.
    """

    def __init__(self) -> None:
        self._path = Path()
        self.descriptor = -1
        self._held = False

    def acquire(self, path: Path, timeout: float | None = None) -> bool:
        """Wait until nobody else holds the lock file ``path``, TIMEOUT seconds unless said.

        Return whether it is held now.
        """
        self.release()
        if _flock is None:
            return False
        with contextlib.suppress(OSError):
            self._path, self.descriptor = path, os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
            deadline = time.monotonic() + (TIMEOUT if timeout is None else timeout)
            while True:
                with contextlib.suppress(BlockingIOError):
                    _flock(self.descriptor, _EXCLUSIVE_NON_BLOCKING)
                    self._held = True
                if self._held or time.monotonic() >= deadline:
                    break
                time.sleep(0.02)
        return self._held

    def release(self) -> None:
        """Release the lock and remove its file, unless another process holds it."""
        if self.descriptor >= 0:
            if self._held:
                with contextlib.suppress(OSError):
                    self._path.unlink(missing_ok=True)
            os.close(self.descriptor)
            self.descriptor, self._held = -1, False

    def pass_on(self) -> None:
        """Leave the lock to a process that has inherited the file, until that process ends."""
        os.close(self.descriptor)
        self.descriptor, self._held = -1, False
