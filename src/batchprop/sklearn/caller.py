"""Where a warning points: to the user's line, also if a pipeline or a search calls ``fit``."""

from __future__ import annotations

import sys
from types import FrameType

# Packages whose functions stand between the user's line and ``fit``.
_BETWEEN = frozenset({"batchprop", "sklearn", "joblib"})
_WORKERS = frozenset({"threading", "multiprocessing", "concurrent"})  # below them there is no line


def user_stacklevel() -> int:
    """Return what the calling method passes to ``warnings.warn`` to point to the user's line.

    In a worker of a parallel search there is no such line; then the warning points to the method's
    caller.
    """
    frame: FrameType | None = sys._getframe(1)
    level = 1
    while frame is not None:
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if package in _WORKERS:
            break
        if package not in _BETWEEN:
            return level
        frame, level = frame.f_back, level + 1
    return 2
