"""A progress line on standard error: rewritten in a terminal, a few lines elsewhere."""

from __future__ import annotations

import math
import sys
import time
from typing import TextIO

from batchprop.training.result import CALIBRATION, Progress, Search

_SECONDS = {True: 0.1, False: 5.0}  # from line to line, in a terminal and elsewhere
_WIDTH = 24  # characters of the bar


class ProgressLine:
    """Shows epoch, loss and seconds during a run.

    Parameters
    ----------
    max_epochs : int or None
        Largest number of steps; None shows no bar.
    stream : file or None
        Where to write; None is standard error, or nowhere if the process has none.
    n_networks : int
        Networks that are trained together; with more than one the line names the network.
    """

    def __init__(
        self, max_epochs: int | None, stream: TextIO | None = None, n_networks: int = 1
    ) -> None:
        self._max_epochs, self._n_networks = max_epochs, n_networks
        self._stream = sys.stderr if stream is None else stream
        self._terminal = self._stream is not None and self._stream.isatty()
        self._shown = -math.inf
        self._last: Progress | None = None

    def show(self, progress: Progress) -> None:
        """Show the progress of the run, unless the last line is too recent."""
        now = time.perf_counter()
        if now - self._shown >= _SECONDS[self._terminal]:
            self._shown, self._last = now, progress
            self._write(self._line(progress), "")

    def search(self, search: Search, seconds: float, start: int) -> None:
        """Show the progress of fits that serve the run, unless the last line is too recent."""
        now = time.perf_counter()
        if now - self._shown >= _SECONDS[self._terminal]:
            self._shown = now
            parts = [
                "calibration" if search.stage == CALIBRATION else f"alpha {search.alpha:.1e}",
                f"fit {search.n_done + 1} of {search.n_fits}",
                f"{seconds:.1f} s",
            ]
            if self._n_networks > 1:
                parts.insert(0, f"network {start + 1}/{self._n_networks}")
            self._write("  ".join(parts), "")

    def end(self, progress: Progress | None) -> None:
        """Show the end of the run; None if nothing was evaluated."""
        if progress is not None and (self._terminal or progress is not self._last):
            self._write(self._line(progress), "\n")

    def _line(self, progress: Progress) -> str:
        parts = [f"epoch {progress.epoch}"]
        if self._max_epochs is not None:
            done = min(_WIDTH, _WIDTH * progress.epoch // max(1, self._max_epochs))
            bar = "█" * done + "·" * (_WIDTH - done)
            parts = [f"{bar} {progress.epoch:>{len(str(self._max_epochs))}}/{self._max_epochs}"]
        if self._n_networks > 1:
            parts.insert(0, f"network {progress.start + 1}/{self._n_networks}")
        parts.append(f"loss {progress.loss:.4e}")
        if not math.isnan(progress.validation_loss):
            parts.append(f"validation {progress.validation_loss:.4e}")
        parts.append(f"{progress.seconds:.1f} s")
        return "  ".join(parts)

    def _write(self, line: str, end: str) -> None:
        if self._stream is None:  # a program without a console
            return
        text = f"\r\x1b[K{line}{end}" if self._terminal else f"{line}\n"
        try:
            self._stream.write(text)
        except UnicodeEncodeError:  # an encoding without these characters
            self._stream.write(text.replace("█", "#").replace("·", "."))
        self._stream.flush()
