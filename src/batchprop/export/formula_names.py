"""The names of inputs and outputs in a formula: what each language allows."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Sequence
from typing import NamedTuple

from batchprop.validation.error_text import described, message


class Rules(NamedTuple):
    """What a name may be.

    Attributes
    ----------
    pattern : str
        A regular expression that names match as a whole.
    reserved : frozenset of str
        Names that are not allowed: keywords, and functions that the formulas call.
    example : str
        A name that is allowed, for messages.
    """

    pattern: str
    reserved: frozenset[str]
    example: str


_SHEET = r"(?:(?:[\w.]+|'[^'\[\]:*?/\\]+')!)?"
_CELL = rf"{_SHEET}\$?[A-Za-z]{{1,3}}\$?[1-9]\d{{0,6}}"
_DEFINED_NAME = rf"{_SHEET}[^\W\d][\w.]*"
_COLUMN_OF_TABLE = r"[\w.]*\[@?[^\[\]\t\n]*(?:\[[^\[\]\t\n]+\])?\]"
_CALLED = frozenset(["sigma", "abs", "exp", "expm1", "log1p", "max", "min", "tanh"])

INPUTS = {
    "excel": Rules(f"{_CELL}|{_DEFINED_NAME}|{_COLUMN_OF_TABLE}", frozenset(), "B2"),
    "matlab": Rules(
        r"[A-Za-z][A-Za-z0-9_]{0,62}",
        _CALLED
        | {"break", "case", "catch", "classdef", "continue", "else", "elseif", "end", "for"}
        | {"function", "global", "if", "otherwise", "parfor", "persistent", "return", "spmd"}
        | {"switch", "try", "while"},
        "price",
    ),
    "python": Rules(
        r"[^\W\d]\w*",
        frozenset({*keyword.kwlist, "math", "sigma", *dir(builtins)}),
        "price",
    ),
    "r": Rules(
        r"[A-Za-z][A-Za-z0-9._]*",
        _CALLED
        | {"FALSE", "Inf", "NA", "NULL", "NaN", "TRUE", "break", "else", "for", "function", "if"}
        | {"in", "next", "pmax", "pmin", "repeat", "while"},
        "price",
    ),
}
# For Excel an output's name is a heading: text of a cell of its own.
OUTPUTS = INPUTS | {"excel": Rules(r"[^=+@\t\n\r-][^\t\n\r]*", frozenset(), "price")}


def checked(argument: str, value: object, count: int, rules: Rules, language: str) -> list[str]:
    """Return names as a list.

    Parameters
    ----------
    argument : str
        The argument's name, for messages.
    value : sequence of str
        The names.
    count : int
        How many there must be.
    rules : Rules
        What each must be.
    language : str
        The language, for messages.

    Raises
    ------
    TypeError, ValueError
        The names are not as many different strings, or one of them is not allowed.
    """
    expected = f"be {count} different name{'s'[: count != 1]} that {language} allows"
    remedy = f"Pass a list such as ['{rules.example}'{', …' if count > 1 else ''}]."
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise TypeError(message(argument, expected, described(value), remedy))
    names = list(value)
    if not all(isinstance(name, str) for name in names):
        raise TypeError(message(argument, expected, described(value), remedy))
    if len(names) != count:
        got = f"{len(names)} name{'s'[: len(names) != 1]}"
        raise ValueError(message(argument, expected, got, remedy))
    for k, name in enumerate(names):
        if name in names[:k]:
            raise ValueError(message(argument, expected, f"{name!r} twice", "Rename one of them."))
        if not re.fullmatch(rules.pattern, name) or name in rules.reserved:
            remedy = f"Pass another name, such as {rules.example!r}."
            raise ValueError(message(argument, expected, repr(name[:60]), remedy))
    return names


def require_no_name_twice(inputs: Sequence[str], outputs: Sequence[str]) -> None:
    """Reject an output that has the name of an input."""
    for name in outputs:
        if name in inputs:
            expected = "have other names than the inputs"
            remedy = f"Pass, for example, '{name}_predicted'."
            raise ValueError(message("outputs", expected, repr(name), remedy))
