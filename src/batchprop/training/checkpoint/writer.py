"""The file of a run's checkpoints, written between bursts and at the end."""

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

_SHARE = 0.1  # of the time may go into writing


class CheckpointWriter:
    """Writes a run's checkpoints to one file.

    Parameters
    ----------
    path : Path
        The file.
    seconds : float
        Between two writes; longer where writing one took more than a tenth of that.
    """

    def __init__(self, path: Path, seconds: float) -> None:
        self._path = path
        self._seconds = seconds
        self._due = time.perf_counter() + seconds
        temporary_file.remove_abandoned(path)

    def look(self, snapshot: Callable[[str], Checkpoint]) -> None:
        """Write if it is time to."""
        if time.perf_counter() >= self._due:
            self.write(snapshot("running"))

    def write(self, checkpoint: Checkpoint) -> None:
        """Write; warn where that fails, for the run is worth more than its copy."""
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
    """Return the ``stacklevel`` of the line that called the package, seen from our caller."""
    level, frame = 0, sys._getframe(1)
    while frame.f_back and str(frame.f_globals.get("__name__")).split(".")[0] == "batchprop":
        level, frame = level + 1, frame.f_back
    return level + 1


def writer_of(path: object, seconds: object) -> CheckpointWriter | None:
    """Check where and how often checkpoints are to be written; None writes none."""
    between = validation.number("checkpoint_seconds", seconds, least=0)
    if path is None:
        return None
    return CheckpointWriter(validation.file_path("checkpoint", path), between)
