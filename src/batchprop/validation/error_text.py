"""The form of all error messages: what was expected, what was passed, what to do."""

from __future__ import annotations

import math
import reprlib

import numpy as np

_BITS = 200  # larger integers are described by their order of magnitude


def message(name: str, expected: str, got: str, remedy: str) -> str:
    """Return "<name> must <expected>; got <got>. <remedy>"."""
    return f"{name} must {expected}; got {got}. {remedy}"


def described(value: object) -> str:
    """Return a one-line description of a value and its type, of limited length."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and dtype {value.dtype}"
    return f"{written(value)} of type {type(value).__name__}"


def written(value: object) -> str:
    """Return a one-line text of a value, of limited length."""
    if isinstance(value, int) and value.bit_length() > _BITS:
        return f"about {'-' if value < 0 else ''}10**{int(value.bit_length() * math.log10(2))}"
    try:
        return " ".join(reprlib.repr(value).split())
    except Exception:  # a failing __repr__, or an integer with too many digits to print
        return "an object without a text"
