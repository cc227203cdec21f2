"""Marks for tests of what some systems and some users do not have."""

from __future__ import annotations

import os
import signal
import sys

import pytest

IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
WINDOWS = sys.platform == "win32"

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
needs_kill = pytest.mark.skipif(
    not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL: it ends processes otherwise"
)
needs_interrupts = pytest.mark.skipif(WINDOWS, reason="Windows sends no SIGINT to one process")
needs_alarms = pytest.mark.skipif(
    not hasattr(signal, "setitimer"), reason="this system has no alarms"
)
needs_pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
needs_modes = pytest.mark.skipif(WINDOWS, reason="Windows has no modes of files")
needs_links = pytest.mark.skipif(WINDOWS, reason="Windows lets few users make symbolic links")
needs_chown = pytest.mark.skipif(not IS_ROOT, reason="root alone gives files to other users")
