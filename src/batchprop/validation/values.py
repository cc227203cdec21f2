"""Checks of single values: names, counts, numbers, flags, functions, dtypes."""

from __future__ import annotations

import contextlib
import difflib
import math
import numbers
import operator
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from batchprop.activations import ACTIVATIONS
from batchprop.validation.error_text import described, message, written

_NOT_NUMBERS = (bool, np.bool, np.timedelta64)  # although Python counts them as integers
_OR_AUTO = ', or "auto"'
PENALTY_METHODS = ("auto", "evidence", "cv")  # "auto" depends on the solver
_FLOATS = (np.dtype("f4"), np.dtype("f8"))
_MAX_THREADS = 4096
_SEED_BITS = 4096
# Names that other libraries use, and that spelling alone would not match.
_SYNONYMS = {
    "compiled": "fused",
    "gradient-descent": "gd",
    "l-bfgs": "lbfgs",
    "levenberg-marquardt": "lm",
    "linear": "identity",
    "numba": "fused",
    "numpy": "vectorized",
    "python": "naive",
    "rectifier": "relu",
    "sgd": "gd",
    "sigmoid": "logistic",
    "trainlm": "lm",
}
_MAX_COMPARED = 64  # characters of a name that are compared


def choice(name: str, value: object, choices: Sequence[str]) -> str:
    """Return ``value`` if it is one of ``choices``; else raise and suggest the most similar one."""
    if isinstance(value, str) and value in choices:
        return value
    expected = f"be one of {', '.join(choices)}"
    if not isinstance(value, str):
        raise TypeError(message(name, expected, described(value), "Pass its name as a string."))
    normalised = value[:_MAX_COMPARED].lower().replace("_", "-").replace(" ", "-")
    matches = [_SYNONYMS[normalised]] if _SYNONYMS.get(normalised) in choices else []
    matches += difflib.get_close_matches(value[:_MAX_COMPARED].lower(), choices, n=1, cutoff=0.4)
    remedy = f"Did you mean {matches[0]!r}?" if matches else f"Choose, for example, {choices[0]!r}."
    raise ValueError(message(name, expected, written(value), remedy))


def activation(value: object) -> str:
    """Return the name of an activation."""
    return choice("activation", value, tuple(ACTIVATIONS))


def count(name: str, value: object, least: int = 1, *, auto: bool = False) -> int:
    """Return an integer that is at least ``least``; bools and durations are rejected.

    With ``auto`` the message mentions "auto", which the caller has handled already.
    """
    if type(value) is int and value >= least:
        return value
    expected = f"be an integer of at least {least}{_OR_AUTO if auto else ''}"
    remedy = f"Pass a whole number such as {max(least, 10)}."
    if auto and isinstance(value, str):
        raise TypeError(message(name, expected, described(value), _auto_remedy(value, remedy)))
    try:
        if isinstance(value, bool | np.bool | np.timedelta64):
            raise TypeError
        number = operator.index(value)  # type: ignore[arg-type]
    except Exception:  # TypeError, or whatever an object's own __index__ raises
        raise TypeError(message(name, expected, described(value), remedy)) from None
    if number < least:
        raise ValueError(message(name, expected, written(number), remedy))
    return number


def optional_count(name: str, value: object, least: int = 1, *, auto: bool = False) -> int | None:
    """Return a count, or None for None."""
    return None if value is None else count(name, value, least, auto=auto)


def is_auto(value: object) -> bool:
    """Return whether an argument is "auto"."""
    return isinstance(value, str) and value == "auto"


def _auto_remedy(value: str, default: str) -> str:
    """Return what to do about a string if "auto" is the only one that is allowed."""
    matches = difflib.get_close_matches(value.lower().strip(), ["auto"], n=1, cutoff=0.5)
    return "Did you mean 'auto'?" if matches else default


def number(
    name: str,
    value: object,
    *,
    above: float = -math.inf,
    least: float = -math.inf,
    below: float = math.inf,
) -> float:
    """Return a finite real number with ``above < value``, ``least <= value < below``."""
    if type(value) is not float and (
        isinstance(value, _NOT_NUMBERS) or not isinstance(value, numbers.Real)
    ):
        expected = _range(above, least, below)
        raise TypeError(message(name, expected, described(value), "Pass a float."))
    try:
        real = float(value)
    except OverflowError:  # an integer beyond the range of float
        real = -math.inf if value < 0 else math.inf
    if not (math.isfinite(real) and real > above and least <= real < below):
        expected = _range(above, least, below)
        raise ValueError(message(name, expected, written(value), "Pass a number in that range."))
    return real


def _range(above: float, least: float, below: float) -> str:
    """Return a description of the allowed range."""
    bounds = (
        (f"greater than {above:g}", above),
        (f"at least {least:g}", least),
        (f"less than {below:g}", below),
    )
    finite = [text for text, bound in bounds if math.isfinite(bound)]
    return " and ".join(["be a finite real number", *finite])


def is_penalty_method(value: object) -> bool:
    """Return whether a penalty is the name of a method that chooses it."""
    return isinstance(value, str) and value in PENALTY_METHODS


def penalty_or_method(value: object) -> tuple[float, float] | str:
    """Return (α_h, α_y), or the name of the method that chooses them."""
    if is_penalty_method(value):
        return str(value)
    return penalty(value, methods=PENALTY_METHODS)


def penalty(value: object, *, methods: Sequence[str] = ()) -> tuple[float, float]:
    """Return (α_h, α_y) from one number for both, or from a pair.

    The message mentions ``methods``, which the caller has handled already.
    """
    if isinstance(value, str):
        choices = "".join(f', or "{name}"' for name in methods)
        expected = f"be a finite real number and at least 0, or a pair{choices}"
        matches = difflib.get_close_matches(value.lower().strip(), methods, n=1, cutoff=0.5)
        remedy = f"Did you mean {matches[0]!r}?" if matches else "Pass a float."
        raise TypeError(message("alpha", expected, described(value), remedy))
    is_pair = isinstance(value, tuple | list) or (isinstance(value, np.ndarray) and value.ndim > 0)
    pair = tuple(value) if is_pair else (value, value)  # type: ignore[arg-type]
    if len(pair) != 2:
        expected = "be a number for all weights, or a pair of numbers for W_h and for W_y"
        raise ValueError(message("alpha", expected, described(value), "Pass, for example, 0.01."))
    alpha_h, alpha_y = (number("alpha", entry, least=0) for entry in pair)
    return alpha_h, alpha_y


def optional_number(
    name: str, value: object, *, above: float = -math.inf, least: float = -math.inf
) -> float | None:
    """Return a number, or None for None, which switches a rule off."""
    return None if value is None else number(name, value, above=above, least=least)


def seed(value: object) -> int | None:
    """Return a non-negative integer seed, or None."""
    number = optional_count("seed", value, least=0)
    if number is not None and number.bit_length() > _SEED_BITS:
        expected = f"be an integer of at least 0 and less than 2**{_SEED_BITS}"
        raise ValueError(message("seed", expected, written(number), "Pass, for example, 0."))
    return number


def n_threads(value: object) -> int | None:
    """Return a number of threads, or None for None; huge limits are cut to 4096."""
    limit = optional_count("n_threads", value)
    return None if limit is None else min(limit, _MAX_THREADS)


def flag(name: str, value: object) -> bool:
    """Return a bool; strings and numbers are rejected as likely mistakes."""
    if isinstance(value, bool | np.bool):
        return bool(value)
    raise TypeError(message(name, "be True or False", described(value), "Pass a bool."))


def answer(value: object) -> bool:
    """Return the truth value of a callback's return value; arrays, for example, have none."""
    try:
        return bool(value)
    except Exception:
        remedy = "Return True to stop the run, or nothing to go on."
        expected = "be true or false"
        raise TypeError(
            message("the callback's answer", expected, described(value), remedy)
        ) from None


def function(name: str, value: object) -> None:
    """Check that ``value`` is None or callable."""
    if value is not None and not callable(value):
        remedy = "Pass the function itself, without calling it."
        raise TypeError(message(name, "be None or a function", described(value), remedy))


def mapping(name: str, value: object) -> dict[str, Any]:
    """Return a dict with string keys; None gives an empty one."""
    if value is None:
        return {}
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return dict(value)
    remedy = 'Write, for example, {"maxcor": 20}.'
    raise TypeError(message(name, "be None or a dict with names as keys", described(value), remedy))


def float_dtype(value: Any) -> np.dtype[Any]:
    """Return float32 or float64 as a dtype."""
    if isinstance(value, np.dtype) and value in _FLOATS:
        return value
    dtype = None
    # np.dtype() also accepts any object that has a dtype attribute, such as a network
    if value is None or isinstance(value, str | type | np.dtype):
        with contextlib.suppress(SyntaxError, TypeError, ValueError):  # not a dtype
            dtype = np.dtype(value)
    if dtype is None or dtype.newbyteorder("=") not in _FLOATS:
        remedy = "float64 is the safe choice, float32 the faster one."
        got = written(value) if isinstance(value, str) else described(value)
        raise ValueError(message("dtype", "be float32 or float64", got, remedy))
    return dtype.newbyteorder("=")
