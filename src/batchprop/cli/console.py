"""What the program writes: results on standard output, everything else on standard error."""

from __future__ import annotations

import io
import json
import math
import re
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

# In messages of the library these are arguments of Python functions.
_ASSIGNED = re.compile(r"\b([a-z][a-z_]*)=['\"]?([\w-]+(?:\.\w+)*)['\"]?")
_NAMED = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b")


class Console:
    """Writes results, notes and warnings.

    Parameters
    ----------
    command : str
        The name of the command, which begins each message.
    quiet : bool
        Write no notes and no progress.
    options : sequence of str
        The options of the command, such as "--max-seconds".  Where a message of the library names
        an argument of this name, it is replaced by the option.
    """

    def __init__(self, command: str, quiet: bool = False, options: Sequence[str] = ()) -> None:
        self.quiet = quiet
        self.saved: list[str] = []  # files, for the message after Ctrl-C
        self._command, self._options = command, frozenset(options)

    def result(self, text: str) -> None:
        """Write a result."""
        sys.stdout.write(f"{text}\n")

    def json(self, content: Mapping[str, Any]) -> None:
        """Write a result as one JSON object."""
        self.result(json.dumps(_without_nan(content), ensure_ascii=False, allow_nan=False))

    def note(self, text: str) -> None:
        """Write what the user may want to know, unless the program is to be quiet."""
        if not self.quiet:
            self._message(text)

    def warning(self, text: str) -> None:
        """Write a warning."""
        self._message(f"warning: {text}")

    def error(self, text: str) -> None:
        """Write why the command failed."""
        self._message(f"error: {text}")

    def _message(self, text: str) -> None:
        if sys.stderr is not None:  # a program without a console
            sys.stderr.write(f"{self._command}: {text}\n")
            sys.stderr.flush()

    def with_options(self, text: str) -> str:
        """Return a message of the library with options in place of Python arguments."""

        def option(name: str) -> str | None:
            written = f"--{name.replace('_', '-')}"
            return written if written in self._options else None

        def assigned(match: re.Match[str]) -> str:
            name = option(match[1])
            return f"{name} {match[2]}" if name else match[0]

        def named(match: re.Match[str]) -> str:
            return option(match[0]) or match[0]

        return _NAMED.sub(named, _ASSIGNED.sub(assigned, text))

    @contextmanager
    def warnings_as_lines(self) -> Iterator[None]:
        """Show Python's warnings as lines of this program, each text once."""
        shown: set[str] = set()

        def show(message: Warning | str, *_: object, **__: object) -> None:
            text = self.with_options(" ".join(str(message).split()))
            if text not in shown:
                shown.add(text)
                self.warning(text)

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("always", UserWarning)
            warnings.simplefilter("always", RuntimeWarning)
            warnings.showwarning = show
            yield


def write_utf8() -> None:
    """Let standard output take any character: a pipe as UTF-8, a terminal by a replacement."""
    stream = sys.stdout
    if isinstance(stream, io.TextIOWrapper) and stream.encoding.lower() not in ("utf-8", "utf8"):
        if stream.isatty():
            stream.reconfigure(errors="replace")
        else:
            stream.reconfigure(encoding="utf-8")


def aligned(rows: Sequence[Sequence[str]], indent: str = "") -> str:
    """Return rows as aligned columns: the first one to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *others in rows:
        cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        lines.append(indent + "  ".join([first.ljust(widths[0]), *cells]))
    return "\n".join(lines)


def _without_nan(value: Any) -> Any:
    """Return JSON content with null in place of NaN and infinity, which JSON does not have."""
    if isinstance(value, Mapping):
        return {key: _without_nan(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
