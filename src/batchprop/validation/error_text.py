"""The one kind of message: what was expected, what was given, what to do."""

from __future__ import annotations

import math
import reprlib

import numpy as np

_BITS = 200  # an integer of more is described by its size


def message(name: str, expected: str, got: str, remedy: str) -> str:
    """Return "<name> must <expected>; got <got>. <remedy>"."""
    return f"{name} must {expected}; got {got}. {remedy}"


def described(value: object) -> str:
    """Return a value and its type on one line, however large the value is."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and dtype {value.dtype}"
    return f"{written(value)} of type {type(value).__name__}"


def written(value: object) -> str:
    """Return a value on one line, however large it is."""
    if isinstance(value, int) and value.bit_length() > _BITS:
        return f"about {'-' if value < 0 else ''}10**{int(value.bit_length() * math.log10(2))}"
    try:
        return " ".join(reprlib.repr(value).split())
    except Exception:  # whatever an object's own raises, or a number of too many digits
        return "an object without a text"
