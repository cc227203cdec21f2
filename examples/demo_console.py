"""The demo's terminal output: headings, tables, and a progress line."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence

from batchprop.training.result import Progress

WIDTH = 92
LIVE = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
COLOUR = LIVE and "NO_COLOR" not in os.environ


def bold(text: str) -> str:
    return f"\033[1m{text}\033[0m" if COLOUR else text


def dim(text: str) -> str:
    return f"\033[2m{text}\033[0m" if COLOUR else text


def heading(text: str) -> None:
    print(f"\n{bold(text)}\n{dim('─' * WIDTH)}", flush=True)


def facts(rows: Sequence[tuple[str, str]]) -> None:
    for name, text in rows:
        print(f"  {name:<12}{text}")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; the first column holds names, the others numbers."""
    widths = [max(len(row[k]) for row in (head, *rows)) for k in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        figures = (cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True))
        return "  " + "   ".join([cells[0].ljust(widths[0]), *figures])

    print(bold(line(head)))
    for row in rows:
        print(line(row))


def duration(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} µs"


class ProgressLine:
    """A progress line that is redrawn in a terminal; in a pipe, a new line every few seconds."""

    def __init__(self, name: str, n_epochs: int) -> None:
        self.name, self.n_epochs = name, n_epochs
        self.shown = time.perf_counter()

    def note(self, text: str) -> None:
        if LIVE:
            print(f"\r\033[K  {self.name:<12}{text}", end="", flush=True)

    def __call__(self, progress: Progress) -> None:
        """Update the line; this makes the object a training callback."""
        now = time.perf_counter()
        if now - self.shown < (0.1 if LIVE else 2.0):
            return
        self.shown = now
        done = progress.epoch / self.n_epochs
        bar = ("█" * round(24 * done)).ljust(24, "░")
        text = f"{bar} {done:4.0%}   epoch {progress.epoch:>6,}   loss {progress.loss:.6f}"
        if LIVE:
            self.note(f"{text}   {progress.seconds:5.1f} s")
        else:
            print(f"  {self.name:<12}{text}   {progress.seconds:5.1f} s", flush=True)

    def done(self, text: str) -> None:
        self.note("")
        print(f"{chr(13) if LIVE else ''}  {self.name:<12}{text}", flush=True)
