"""A progress line on standard error: rewritten in a terminal, a few lines elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TextIO

from batchprop.result import Progress

_SECONDS = {True: 0.1, False: 5.0}  # between lines, in a terminal and elsewhere


class ProgressLine:
    """Shows the epoch, the loss and the seconds while a run goes on."""

    def __init__(self, max_epochs: int, stream: TextIO | None = None) -> None:
        self._max_epochs = max_epochs
        self._stream = sys.stderr if stream is None else stream
        self._terminal = self._stream.isatty()
        self._shown = -float("inf")

    def show(self, progress: Progress, last: bool = False) -> None:
        """Show where the run stands, not too often."""
        now = time.perf_counter()
        if not last and now - self._shown < _SECONDS[self._terminal]:
            return
        self._shown = now
        width = 24
        done = min(width, width * progress.epoch // max(1, self._max_epochs))
        bar = "█" * done + "·" * (width - done)
        validation = (
            ""
            if progress.validation_loss != progress.validation_loss
            else f"  validation {progress.validation_loss:.4e}"
        )
        line = (
            f"{bar} {progress.epoch:>{len(str(self._max_epochs))}}/{self._max_epochs}"
            f"  loss {progress.loss:.4e}{validation}  {progress.seconds:.1f} s"
        )
        if self._terminal:
            self._stream.write(f"\r\x1b[K{line}" + ("\n" if last else ""))
        else:
            self._stream.write(line + "\n")
        self._stream.flush()
