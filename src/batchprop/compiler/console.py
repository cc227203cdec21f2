"""Whether somebody watches what the process writes: on a terminal or in a notebook."""

from __future__ import annotations

import os
import sys
from multiprocessing import current_process
from typing import Any


def is_terminal(stream: Any) -> bool:
    """Return whether a stream is a terminal that can rewrite a line."""
    try:
        return bool(stream.isatty()) and os.environ.get("TERM") != "dumb"
    except (AttributeError, OSError, ValueError):  # None, closed, or not a file
        return False


def in_notebook() -> bool:
    """Return whether the process is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")  # a kernel has imported it
    shell = None if ipython is None else ipython.get_ipython()
    return hasattr(shell, "kernel")


def is_watched(stream: Any) -> bool:
    """Return whether somebody waits for this process and sees what it writes to the stream.

    That is not so in worker processes, and not where the environment variable ``CI`` says that
    nobody does.
    """
    if os.environ.get("CI", "").lower() not in ("", "0", "false"):
        return False
    if current_process().name != "MainProcess":
        return False
    return stream is not None and (is_terminal(stream) or in_notebook())
