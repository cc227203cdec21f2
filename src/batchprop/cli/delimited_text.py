"""Delimited text, such as CSV: opening it, its separator, its header, its rows in blocks."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import PurePath
from typing import IO

from batchprop.cli.errors import USAGE, CommandError

STANDARD_INPUT = "-"
SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|", "space": " "}
_DETECTED = ",;\t|"  # a space is a separator only if the user says so
_NAMES = {value: name for name, value in SEPARATORS.items()}
_TAB_SUFFIXES = (".tsv", ".tab")
_BLOCK = 4096  # rows that are converted at once
_HEAD = 50  # lines that tell the separator


def separator(text: str) -> str:
    """Return the separator that the user names, as a character; for ``argparse``."""
    character = SEPARATORS.get(text.lower(), "\t" if text == "\\t" else text)
    if len(character) != 1 or character in '"\r\n':
        names = ", ".join(SEPARATORS)
        raise ValueError(f"must be one character, or one of {names}; got {text!r}")
    return character


@contextmanager
def opened(path: str, encoding: str) -> Iterator[IO[str]]:
    """Open a table of text, or standard input for "-"; a byte order mark is skipped."""
    try:
        "".encode(encoding)
    except LookupError:
        text = f"--encoding must be one that Python knows; got {encoding!r}. Pass, e.g., latin-1."
        raise CommandError(text, USAGE) from None
    if encoding.lower().replace("_", "-") in ("utf-8", "utf8"):
        encoding = "utf-8-sig"
    if path != STANDARD_INPUT:
        with open(path, encoding=encoding, newline="") as file:
            yield file
        return
    if sys.stdin is None:
        raise CommandError("There is no standard input to read. Name a file.")
    buffer = getattr(sys.stdin, "buffer", None)
    if buffer is None:
        yield sys.stdin
        return
    wrapper = io.TextIOWrapper(buffer, encoding=encoding, newline="")
    try:
        yield wrapper
    finally:
        wrapper.detach()  # or it would close standard input


class DelimitedText:
    """A table of delimited text that is being read.

    Parameters
    ----------
    file : file
        Open for reading text.
    label : str
        What messages call the table.
    delimiter : str or None
        The separator; None detects it.
    header : bool
        Whether the first row has the names of the columns.  Otherwise the names are 1, 2, ….

    Attributes
    ----------
    names : list of str
        The names of the columns.  An empty name stays empty.

    Raises
    ------
    CommandError
        The table is empty, or its text cannot be read.
    """

    def __init__(self, file: IO[str], label: str, delimiter: str | None, header: bool) -> None:
        self._label, self._encoding = label, getattr(file, "encoding", "")
        lines = self._decoded(file)
        head = list(islice(lines, _HEAD))
        if delimiter is None:
            delimiter = _detected(head, label)
        self._delimiter = delimiter
        self._reader = csv.reader(
            chain(head, lines), delimiter=delimiter, strict=True, skipinitialspace=True
        )
        self._rows = self._numbered_rows()
        first = next(self._rows, None)
        if first is None:
            raise CommandError(f"{label} is empty: there are no rows.")
        if header:
            self.names = [name.strip() for name in first[1]]
            if all(map(_is_number, self.names)):
                raise CommandError(
                    f"{label}: the first row holds numbers where the names of the columns should "
                    f"be. If the table has no header, pass --no-header."
                )
        else:
            self.names = [str(number) for number in range(1, len(first[1]) + 1)]
            self._rows = chain([first], self._rows)

    def blocks(self) -> Iterator[tuple[list[int], list[list[str]]]]:
        """Yield the rows in blocks: the line of each row in the file, and its cells."""
        width = len(self.names)
        while block := list(islice(self._rows, _BLOCK)):
            lines, rows = [line for line, _ in block], [row for _, row in block]
            if set(map(len, rows)) != {width}:
                line, row = next(pair for pair in block if len(pair[1]) != width)
                name = _NAMES.get(self._delimiter, repr(self._delimiter))
                raise CommandError(
                    f"{self._label}, line {line}: {len(row)} cells, where the first row has "
                    f"{width}. Check this line and the separator, which is taken to be a {name}: "
                    f"--separator names another one."
                )
            yield lines, rows

    def _numbered_rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield each row that is not blank with its line."""
        try:
            for row in self._reader:
                if row:
                    yield self._reader.line_num, row
        except csv.Error as error:
            raise CommandError(
                f"{self._label}, line {self._reader.line_num}: {error}. A quotation mark that "
                f"begins a cell must end it, and one within it must be doubled."
            ) from None

    def _decoded(self, file: IO[str]) -> Iterator[str]:
        try:
            yield from file
        except UnicodeError:
            raise CommandError(
                f"{self._label} is not text in the encoding {self._encoding.removesuffix('-sig')}. "
                f"Pass --encoding: latin-1 or cp1252 for files of older Windows programs, utf-16 "
                f"for Unicode text of Excel."
            ) from None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _detected(head: Sequence[str], label: str) -> str:
    """Return the separator of a table: the one that gives all of the first rows as many cells."""
    if PurePath(label).suffix.lower() in _TAB_SUFFIXES and head and "\t" in head[0]:
        return "\t"
    widths = {character: _widths(head, character) for character in _DETECTED}
    regular = [c for c in _DETECTED if len(widths[c]) == 1 and widths[c] != {1}]
    if len(regular) == 1:
        return regular[0]
    if regular:
        names = " or ".join(_NAMES[character] for character in regular)
        raise CommandError(
            f"{label}: the separator of its columns could be {names}. Pass, for example, "
            f"--separator {_NAMES[regular[-1]]}."
        )
    first = head[0] if head else ""
    return max(_DETECTED, key=first.count)  # a comma if there is none: a table of one column


def _widths(head: Sequence[str], character: str) -> set[int]:
    """Return the numbers of cells that rows have with this separator."""
    try:
        widths = [len(row) for row in csv.reader(head, delimiter=character) if row]
    except csv.Error:
        return set()
    return set(widths[:-1] if len(head) == _HEAD else widths)  # the last one may be cut off
