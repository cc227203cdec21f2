"""The one kind of message: what was expected, what was given, what to do."""

from __future__ import annotations

import reprlib

import numpy as np


def message(name: str, expected: str, got: str, remedy: str) -> str:
    """Return "<name> must <expected>; got <got>. <remedy>"."""
    return f"{name} must {expected}; got {got}. {remedy}"


def described(value: object) -> str:
    """Return a value and its type on one line, however large the value is."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and dtype {value.dtype}"
    return f"{' '.join(reprlib.repr(value).split())} of type {type(value).__name__}"
