"""Which columns of a table are inputs, targets and sample weights."""

from __future__ import annotations

import difflib
import operator
from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

from batchprop.validation.error_text import described, message, written

_SHOWN = 8  # columns that a message lists


class ColumnChoice(NamedTuple):
    """The chosen columns, by name, or by index where columns have no names.

    Attributes
    ----------
    inputs, targets : tuple
        Columns that become the rows of X and T, in this order.
    sample_weight : hashable, or None
        The column of weights.
    """

    inputs: tuple[Any, ...]
    targets: tuple[Any, ...]
    sample_weight: Any = None

    @property
    def columns(self) -> tuple[Any, ...]:
        """All chosen columns, each once."""
        weight = () if self.sample_weight is None else (self.sample_weight,)
        return (*self.inputs, *self.targets, *weight)


def column_choice(
    available: Sequence[Hashable],
    inputs: object,
    targets: object,
    sample_weight: object,
    place: str,
    index: Sequence[Hashable] = (),
) -> ColumnChoice:
    """Check which columns the user chose.

    Parameters
    ----------
    available : sequence
        Names of the table's columns, or ``range(number of columns)``.
    inputs, targets : str, int, or sequence of them, or None
        As the user passed them.  ``inputs`` None means every column that is used for nothing else.
    sample_weight : str, int or None
        Likewise.
    place : str
        Where the table is, for messages.
    index : sequence
        Columns that label rows: they are inputs only if ``inputs`` names them.

    Returns
    -------
    ColumnChoice
        The columns.

    Raises
    ------
    TypeError, ValueError
        A column does not exist or is named twice, or there are no inputs or no targets.
    """
    if targets is None:
        remedy = f"Pass targets=[{_quoted(available[-1:]) or '...'}], or whichever are the outputs."
        raise ValueError(message("targets", "name at least one column", "None", remedy))
    chosen_targets = _columns("targets", targets, available, place)
    weight = None
    if sample_weight is not None:
        weight = _columns("sample_weight", [sample_weight], available, place)[0]
    used = {*chosen_targets, *(() if weight is None else (weight,))}
    if inputs is None:
        chosen_inputs = tuple(name for name in available if name not in {*used, *index})
        if not chosen_inputs:
            got = f"no column besides {_quoted(list(used))} in {place}"
            remedy = "Check targets: every column is named there."
            raise ValueError(message("inputs", "name at least one column", got, remedy))
    else:
        chosen_inputs = _columns("inputs", inputs, available, place)
    for role, names in (("inputs", chosen_inputs), ("targets", chosen_targets)):
        other = used if role == "inputs" else {weight} - {None}
        shared = [name for name in names if name in other]
        if shared:
            got = f"{shared[0]!r}, which is among {'the targets or ' * (role == 'inputs')}weights"
            remedy = "Use each column once."
            raise ValueError(message(role, "name columns that nothing else uses", got, remedy))
    return ColumnChoice(chosen_inputs, chosen_targets, weight)


def _columns(role: str, value: Any, available: Sequence[Hashable], place: str) -> tuple[Any, ...]:
    """Return a checked list of columns; a single one may come without a list."""
    names = [value] if isinstance(value, str | int) else value
    try:
        if isinstance(names, set | frozenset):
            raise TypeError  # their order changes from process to process
        names = list(names)
        if isinstance(available, range):
            names = [_index(name, len(available)) for name in names]
        known = [name in available for name in names]
    except TypeError:
        remedy = 'Pass a list such as ["a", "b"].'
        raise TypeError(message(role, "be a list of columns", described(value), remedy)) from None
    if not names:
        remedy = "Leave it out for all columns." if role == "inputs" else "Name one."
        raise ValueError(message(role, "name at least one column", "an empty list", remedy))
    for name, exists in zip(names, known, strict=True):
        if not exists:
            raise ValueError(unknown_column(role, name, available, place))
        if names.count(name) > 1:
            got = f"{name!r} {names.count(name)} times"
            raise ValueError(message(role, "name each column once", got, "Leave the others out."))
    return tuple(names)


def _index(name: Any, n_columns: int) -> Any:
    """Return an index counted from 0; negative ones count from the end, as in Python."""
    try:
        index = operator.index(name)
    except TypeError:
        return name  # a name, which does not exist here
    return index + n_columns if -n_columns <= index < 0 else index


def unknown_column(role: str, name: object, available: Sequence[Hashable], place: str) -> str:
    """Return the message for a column that does not exist."""
    if isinstance(available, range):
        expected = f"be indices of columns, from 0 to {len(available) - 1}"
        return message(role, expected, f"{written(name)} for {place}", "Count columns from 0.")
    got = f"{written(name)}, which {place} does not have"
    by_text = {str(other).casefold(): other for other in available}
    close = difflib.get_close_matches(str(name).casefold(), by_text, n=1)
    if close:
        remedy = f"Did you mean {by_text[close[0]]!r}?"
        return message(role, "name columns of the table", got, remedy)
    remedy = f"Its columns are {_quoted(available)}."
    return message(role, "name columns of the table", got, remedy)


def _quoted(names: Sequence[Hashable]) -> str:
    """Return a list of names for a message, of limited length."""
    shown = ", ".join(map(repr, list(names)[:_SHOWN]))
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown
