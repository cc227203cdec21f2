"""Where progress is drawn: a line of a terminal, lines of a file, or a bar in a notebook."""

from __future__ import annotations

import math
import shutil
import sys
import threading
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

from batchprop.compiler import console

WIDTH = 24  # characters of the bar


class Status(NamedTuple):
    """What a line says: what is trained, how many steps of how many are done, and figures."""

    subject: str
    n_done: int
    n_total: int | None  # None shows no bar
    figures: str

    def line(self) -> str:
        """Return all of it, with a bar of characters."""
        parts = [self.subject, self.figures]
        if self.n_total is not None:
            full = min(WIDTH, WIDTH * self.n_done // max(1, self.n_total))
            bar = "█" * full + "·" * (WIDTH - full)
            parts.insert(1, f"{bar} {self.n_done:>{len(str(self.n_total))}}/{self.n_total}")
        return "  ".join(filter(None, parts))


class _Surface(Protocol):
    """What a ``Screen`` draws on."""

    seconds: float  # from one status to the next

    def draw(self, status: Status) -> None:
        """Show a status in place of the last one, or below it."""
        ...

    def keep(self) -> None:
        """Leave the last status where it is."""
        ...

    def remove(self) -> None:
        """Remove the last status, where that is possible."""
        ...


class Screen:
    """Shows the status of all networks of a call, one at a time; threads may share it.

    Parameters
    ----------
    surface : _Surface
        What it is drawn on.
    """

    def __init__(self, surface: _Surface) -> None:
        self._surface, self._lock = surface, threading.Lock()
        self._drawn_at, self._is_open = -math.inf, False

    def is_due(self, now: float) -> bool:
        """Return whether the last status is old enough to be replaced."""
        return now - self._drawn_at >= self._surface.seconds

    def show(self, status: Status, now: float | None = None) -> bool:
        """Show a status, or only if that is due at time ``now``; return whether it was shown."""
        with self._lock:
            if now is not None:
                if not self.is_due(now):
                    return False
                self._drawn_at = now
            self._surface.draw(status)
            self._is_open = True
            return True

    def end(self, keep: bool) -> None:
        """Leave the last status for good, or remove it."""
        with self._lock:
            if self._is_open:
                self._is_open = False
                if keep:
                    self._surface.keep()
                else:
                    self._surface.remove()


class _Text:
    """Writes to a stream that may be closed, missing, or without some characters."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        if self._stream is None:  # a program without a console
            return
        with suppress(OSError):  # progress is no reason to end a run
            try:
                self._stream.write(text)
            except UnicodeEncodeError:  # an encoding without these characters
                self._stream.write(text.replace("█", "#").replace("·", "."))
            self._stream.flush()


class Terminal(_Text):
    """A line of a terminal, which is rewritten."""

    seconds = 0.1

    def draw(self, status: Status) -> None:
        """Rewrite the line; it stays within the width of the terminal."""
        width = shutil.get_terminal_size().columns - 1
        self.write(f"\r\x1b[K{status.line()[:width]}")

    def keep(self) -> None:
        """Go to the next line."""
        self.write("\n")

    def remove(self) -> None:
        """Empty the line."""
        self.write("\r\x1b[K")


class Lines(_Text):
    """Lines of a file or a pipe, one after the other."""

    seconds = 5.0

    def draw(self, status: Status) -> None:
        """Write a line."""
        self.write(f"{status.line()}\n")

    def keep(self) -> None:
        """Nothing: the line has ended."""

    def remove(self) -> None:
        """Nothing: what is in a file stays there."""


class NotebookText(_Text):
    """A line below a cell, for notebooks without tqdm or ipywidgets."""

    seconds = 0.2
    _length = 0  # of the line

    def draw(self, status: Status) -> None:
        """Rewrite the line; blanks cover what was longer."""
        line = status.line()
        self.write("\r" + line.ljust(self._length))
        self._length = len(line)

    def keep(self) -> None:
        """Go to the next line."""
        self.write("\n")
        self._length = 0

    def remove(self) -> None:
        """Empty the line."""
        self.write("\r" + " " * self._length + "\r")
        self._length = 0


class NotebookBar:
    """A bar of tqdm below a cell.

    Parameters
    ----------
    make : callable
        ``tqdm.notebook.tqdm``.
    """

    seconds = 0.2

    def __init__(self, make: Any) -> None:
        self._make: Any = make
        self._bar: Any = None

    def draw(self, status: Status) -> None:
        """Move the bar, or make one."""
        total = status.n_total
        if self._bar is None:
            self._bar = self._make(total=total, leave=True, bar_format="{bar}", mininterval=0.0)
        elif self._bar.total != total:
            self._bar.reset(total=total)
        count = "" if total is None else f" {status.n_done}/{total}"
        self._bar.n = status.n_done
        self._bar.bar_format = f"{status.subject} {{bar}}{count}  {status.figures}"
        self._bar.refresh()

    def keep(self) -> None:
        """Leave the bar as it is; a run that ended before its limit is no failure."""
        self._close(leave=True)

    def remove(self) -> None:
        """Remove the bar."""
        self._close(leave=False)

    def _close(self, leave: bool) -> None:
        if self._bar is not None:
            self._bar.total, self._bar.leave = None, leave  # else tqdm marks it as failed
            self._bar.close()
            self._bar = None


def screen_on(stream: Any) -> Screen:
    """Return the screen for a stream: a terminal, a file, None, or that of a notebook."""
    if console.is_terminal(stream):
        return Screen(Terminal(stream))
    if stream is sys.stderr and console.in_notebook():
        with suppress(ImportError):
            from tqdm import notebook  # type: ignore[import-untyped]

            if notebook.IProgress is not None:  # ipywidgets is installed
                return Screen(NotebookBar(notebook.tqdm))
        return Screen(NotebookText(stream))
    return Screen(Lines(stream))
