"""Markdown tables, and the format of times and ratios in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
MISSING = "–"


def number(value: float) -> str:
    """Format a number with three significant digits and no exponent."""
    return f"{value:.0f}" if value >= 99.95 else f"{value:#.3g}"


def duration(seconds: float | None) -> str:
    """Format a time in a suitable unit."""
    if seconds is None:
        return MISSING
    for size, unit in UNITS:
        if seconds >= size:
            return f"{number(seconds / size)} {unit}"
    return f"{number(seconds / 1e-9)} ns"


def ratio(value: float | None) -> str:
    """Format a speed-up; below 1, say "slower" instead."""
    if value is None:
        return MISSING
    written = f"{number(value)}×"
    return f"{written} (slower)" if value < 1 else written


def percent(value: float | None) -> str:
    return MISSING if value is None else f"{100 * value:.0f} %"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """Return a table; the first ``left`` columns are left-aligned, the others right-aligned."""
    marks = [":--" if column < left else "--:" for column in range(len(head))]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, marks, *rows))


def bold_least(cells: Sequence[str], values: Sequence[float | None]) -> list[str]:
    """Return the cells with the one of the smallest value in bold."""
    known = [value for value in values if value is not None]
    least = min(known, default=None)
    return [
        f"**{cell}**" if value is not None and value == least and len(known) > 1 else cell
        for cell, value in zip(cells, values, strict=True)
    ]


def fill(path: Path, name: str, content: str) -> None:
    """Replace the text between the markers ``<!-- name:start -->`` and ``<!-- name:end -->``."""
    start, end = f"<!-- {name}:start -->", f"<!-- {name}:end -->"
    text = path.read_text("utf-8")
    if text.count(start) != 1 or text.count(end) != 1 or text.index(start) > text.index(end):
        raise SystemExit(f"{path} must hold {start} and, after it, {end}, once each.")
    between = re.compile(f"{re.escape(start)}.*{re.escape(end)}", re.DOTALL)
    replaced = between.sub(lambda _: f"{start}\n{content.strip()}\n{end}", text)
    path.write_text(replaced, "utf-8")
