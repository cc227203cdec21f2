"""Writes a run's checkpoint file, between bursts and at the end."""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from batchprop import validation
from batchprop.files import temporary_file
from batchprop.training.checkpoint.checkpoint import Checkpoint

_SHARE = 0.1  # of the time, at most, goes into writing


class CheckpointWriter:
    """Writes a run's checkpoints to one file.

    Parameters
    ----------
    path : Path
        The file.
    seconds : float
        From one write to the next; longer if a write took more than a tenth of that.
    """

    def __init__(self, path: Path, seconds: float) -> None:
        self._path = path
        self._seconds = seconds
        self._due = time.perf_counter() + seconds
        temporary_file.remove_abandoned(path)

    def write_if_due(self, snapshot: Callable[[str], Checkpoint]) -> None:
        """Write a checkpoint if it is time to."""
        if time.perf_counter() >= self._due:
            self.write(snapshot("running"))

    def write(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint.  A failure is a warning: it must not end the run."""
        began = time.perf_counter()
        try:
            checkpoint.save(self._path)
        except OSError as error:
            warnings.warn(
                f"The checkpoint could not be written to {os.fspath(self._path)!r}: "
                f"{error.strerror or error}. "
                f"The run is not affected, and what the file held before is unchanged.",
                RuntimeWarning,
                stacklevel=_to_the_caller(),
            )
        ended = time.perf_counter()
        self._due = ended + max(self._seconds, (ended - began) / _SHARE)


def _to_the_caller() -> int:
    """Return the ``stacklevel`` of the user's line, seen from the caller of this function."""
    level, frame = 0, sys._getframe(1)
    while frame.f_back and str(frame.f_globals.get("__name__")).split(".")[0] == "batchprop":
        level, frame = level + 1, frame.f_back
    return level + 1


def writer_of(path: object, seconds: object) -> CheckpointWriter | None:
    """Check path and interval of checkpoints; return their writer, None without a path."""
    interval = validation.number("checkpoint_seconds", seconds, least=0)
    if path is None:
        return None
    return CheckpointWriter(validation.file_path("checkpoint", path), interval)
