"""Columns of a table, and how the cells of each become numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop.cli import cell_values
from batchprop.cli.errors import CommandError

Array = npt.NDArray[np.float64]

MAX_LEVELS = 1000  # of a column of categories: with more it is probably a name
_MAX_LEVEL = 1000  # characters of a level
_MAX_SHOWN = 40  # characters of a cell that a message shows
INPUT, TARGET, WEIGHT = "input", "target", "weight"


class Column(NamedTuple):
    """A column that a command reads.

    Attributes
    ----------
    name : str
        Its name.
    position : int
        Its position in the table, from 0.
    role : {"input", "target", "weight"}
        What it is for.
    categorical : bool
        Whether its cells are categories.
    levels : tuple of str, or None
        The categories that are allowed; None takes those that occur.
    """

    name: str
    position: int
    role: str = INPUT
    categorical: bool = False
    levels: tuple[str, ...] | None = None


class NumberColumn:
    """Turns the cells of a column into numbers, block by block.

    Cells that are no numbers are kept for ``problem`` and not raised, so that one message can name
    all columns of text.
    """

    def __init__(self, column: Column) -> None:
        self.column = column
        self._problem: tuple[str, str] | None = None  # where, and the cell

    def values(self, cells: Sequence[str], places: Sequence[str | int]) -> Array:
        """Return cells as numbers, NaN for missing ones; ``places`` are the lines for messages."""
        fast = cell_values.numbers(cells)
        if fast is not None:
            return fast
        values = np.empty(len(cells))
        for i, cell in enumerate(cells):
            value = cell_values.number(cell)
            if value is None and self._problem is None:
                self._problem = str(places[i]), cell
            values[i] = math.nan if value is None else value
        return values

    @property
    def levels(self) -> None:
        """No categories."""
        return

    @property
    def text_cell(self) -> str | None:
        """Where the first cell of text is and what it holds, if the column seems to hold text."""
        if self._problem is None or cell_values.looks_like_number(self._problem[1]):
            return None
        place, cell = self._problem
        return f"{shortened(cell)} in line {place}"

    def check(self, label: str) -> None:
        """Raise if a cell holds a number in a form that is not read."""
        if self._problem is None or not cell_values.looks_like_number(self._problem[1]):
            return
        place, cell = self._problem
        form = cell_values.looks_like_number(cell)
        remedy = "Write numbers as 1234.5: a decimal point, nothing between thousands, no unit."
        if form == "infinite":
            remedy = "Leave the cell empty if the value is missing."
        raise CommandError(
            f"{label}, line {place}, column {self.column.name!r}: {shortened(cell)} is {form}. "
            f"{remedy}"
        )


class CategoryColumn:
    """Turns the cells of a column of categories into the positions of their levels."""

    def __init__(self, column: Column, label: str) -> None:
        self.column, self._label = column, label
        self._positions = {level: k for k, level in enumerate(column.levels or ())}

    def values(self, cells: Sequence[str], places: Sequence[str | int]) -> Array:
        """Return the level of each cell by its position, NaN for missing ones."""
        values = np.empty(len(cells))
        for i, cell in enumerate(cells):
            level = cell.strip()
            position = self._positions.get(level)
            if position is not None:
                values[i] = position
            elif cell_values.is_missing(level):
                values[i] = math.nan
            else:
                values[i] = self._new(level, places[i])
        return values

    def _new(self, level: str, place: str | int) -> int:
        """Return the position of a level that was not seen before."""
        name = self.column.name
        if self.column.levels is not None:
            known = ", ".join(map(shortened, self.column.levels[:20]))
            more = len(self.column.levels) - 20
            raise CommandError(
                f"{self._label}, line {place}, column {name!r}: the model does not know the "
                f"category {shortened(level)}. It was trained with {known}"
                f"{f' and {more:,} more' if more > 0 else ''}. Correct the cell, or train again "
                f"with rows of this category."
            )
        if len(level) > _MAX_LEVEL:
            raise CommandError(
                f"{self._label}, line {place}, column {name!r}: a category of {len(level):,} "
                f"characters. Leave the column out: --ignore {quoted(name)}."
            )
        if len(self._positions) == MAX_LEVELS:
            raise CommandError(
                f"{self._label}, column {name!r} has more than {MAX_LEVELS:,} categories, so that "
                f"it is probably a name or a number of rows. Leave it out: "
                f"--ignore {quoted(name)}."
            )
        return self._positions.setdefault(level, len(self._positions))

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels in the order of the positions that ``values`` returns."""
        return tuple(self._positions)

    @property
    def text_cell(self) -> None:
        """Text is no problem here."""
        return

    def check(self, label: str) -> None:
        """Nothing: ``values`` raises at once."""


Converter = NumberColumn | CategoryColumn


def converter(column: Column, label: str) -> Converter:
    """Return what converts the cells of a column."""
    return CategoryColumn(column, label) if column.categorical else NumberColumn(column)


def check(converters: Iterable[Converter], label: str) -> None:
    """Raise for cells that are no numbers; all columns of text are named at once."""
    texts: list[tuple[Column, str]] = []
    for each in converters:
        each.check(label)
        if each.text_cell is not None:
            texts.append((each.column, each.text_cell))
    if not texts:
        return
    seen = "; ".join(f"column {column.name!r} ({cell})" for column, cell in texts)
    inputs = [column.name for column, _ in texts if column.role == INPUT]
    if len(inputs) < len(texts):
        others = next(column for column, _ in texts if column.role != INPUT)
        remedy = f"The {others.role} must be a number in every row."
    else:
        names, it = quoted(*inputs), "it" if len(inputs) == 1 else "them"
        remedy = (
            f"Pass --categorical {names} to use {it} as categories, or --ignore {names} to leave "
            f"{it} out."
        )
    raise CommandError(f"{label}: not numbers: {seen}. {remedy}")


def sorted_levels(levels: Sequence[str]) -> list[str]:
    """Return levels in their natural order: by value if all are numbers, else by their text."""
    values = [cell_values.number(level) for level in levels]
    if all(value is not None for value in values):
        return sorted(levels, key=lambda level: (float(level), level))
    return sorted(levels)


def shortened(cell: str) -> str:
    """Return a cell in quotation marks, cut if it is long."""
    text = " ".join(cell.split())
    return repr(text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…")


def quoted(*names: str) -> str:
    """Return names as one argument of a command line, separated by commas."""
    cells = [
        '"' + name.replace('"', '""') + '"' if "," in name or '"' in name else name
        for name in names
    ]
    text = ",".join(cells)
    safe = all(character.isalnum() or character in "_-.,:=@%+" for character in text)
    return text if safe and text else "'" + text.replace("'", "'\\''") + "'"
