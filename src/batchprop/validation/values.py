"""Checks of single values: names, counts, numbers, flags, functions, a dtype."""

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

_NO_NUMBERS = (bool, np.bool, np.timedelta64)  # though they count as integers to Python
_OR_AUTO = ', or "auto"'
_MOST_THREADS = 4096
_SEED_BITS = 4096
# What other libraries call the same thing, and what its spelling alone would not lead to.
_ELSEWHERE = {
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
_LONGEST = 64  # letters of a name that are compared


def choice(name: str, value: object, known: Sequence[str]) -> str:
    """Return ``value`` if it is one of ``known``; else name the nearest one."""
    expected = f"be one of {', '.join(known)}"
    if not isinstance(value, str):
        raise TypeError(message(name, expected, described(value), "Pass its name as a string."))
    if value in known:
        return value
    asked = value[:_LONGEST].lower().replace("_", "-").replace(" ", "-")
    near = [_ELSEWHERE[asked]] if _ELSEWHERE.get(asked) in known else []
    near += difflib.get_close_matches(value[:_LONGEST].lower(), known, n=1, cutoff=0.4)
    remedy = f"Did you mean {near[0]!r}?" if near else f"Choose, for example, {known[0]!r}."
    raise ValueError(message(name, expected, written(value), remedy))


def activation(value: object) -> str:
    """Return the name of an activation."""
    return choice("activation", value, tuple(ACTIVATIONS))


def count(name: str, value: object, least: int = 1, *, auto: bool = False) -> int:
    """Return an integer that is at least ``least``; a bool or a duration is not a count.

    ``auto`` tells whether "auto", which is looked at before, would have been taken as well.
    """
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
    """Return a count, or None where None was given."""
    return None if value is None else count(name, value, least, auto=auto)


def is_auto(value: object) -> bool:
    """Return whether an argument is left to the library."""
    return isinstance(value, str) and value == "auto"


def _auto_remedy(value: str, otherwise: str) -> str:
    """Return what to do about a string where "auto" is the only one."""
    near = difflib.get_close_matches(value.lower().strip(), ["auto"], n=1, cutoff=0.5)
    return "Did you mean 'auto'?" if near else otherwise


def number(
    name: str,
    value: object,
    *,
    above: float = -math.inf,
    least: float = -math.inf,
    below: float = math.inf,
) -> float:
    """Return a finite real number with ``above < value``, ``least <= value < below``."""
    if isinstance(value, _NO_NUMBERS) or not isinstance(value, numbers.Real):
        expected = _range(above, least, below)
        raise TypeError(message(name, expected, described(value), "Pass a float."))
    try:
        real = float(value)
    except OverflowError:  # an integer beyond the range of a float
        real = -math.inf if value < 0 else math.inf
    if not (math.isfinite(real) and real > above and least <= real < below):
        expected = _range(above, least, below)
        raise ValueError(message(name, expected, written(value), "Pass a number in that range."))
    return real


def _range(above: float, least: float, below: float) -> str:
    """Say what a number must be."""
    bounds = (
        (f"greater than {above:g}", above),
        (f"at least {least:g}", least),
        (f"less than {below:g}", below),
    )
    finite = [text for text, bound in bounds if math.isfinite(bound)]
    return " and ".join(["be a finite real number", *finite])


def penalty(value: object, *, auto: bool = False) -> tuple[float, float]:
    """Return (α_h, α_y) of one number for both, or of a pair.

    ``auto`` tells whether "auto", which is looked at before, would have been taken as well.
    """
    if isinstance(value, str):
        expected = f"be a finite real number and at least 0, or a pair{_OR_AUTO if auto else ''}"
        remedy = "Pass a float."
        remedy = _auto_remedy(value, remedy) if auto else remedy
        raise TypeError(message("alpha", expected, described(value), remedy))
    several = isinstance(value, tuple | list) or (isinstance(value, np.ndarray) and value.ndim > 0)
    pair = tuple(value) if several else (value, value)  # type: ignore[arg-type]
    if len(pair) != 2:
        expected = "be a number for all weights, or a pair of numbers for W_h and for W_y"
        raise ValueError(message("alpha", expected, described(value), "Pass, for example, 0.01."))
    alpha_h, alpha_y = (number("alpha", one, least=0) for one in pair)
    return alpha_h, alpha_y


def optional_number(
    name: str, value: object, *, above: float = -math.inf, least: float = -math.inf
) -> float | None:
    """Return a number, or None where None was given (None switches the rule off)."""
    return None if value is None else number(name, value, above=above, least=least)


def seed(value: object) -> int | None:
    """Return a non-negative integer seed, or None."""
    number = optional_count("seed", value, least=0)
    if number is not None and number.bit_length() > _SEED_BITS:
        expected = f"be an integer of at least 0 and less than 2**{_SEED_BITS}"
        raise ValueError(message("seed", expected, written(number), "Pass, for example, 0."))
    return number


def n_threads(value: object) -> int | None:
    """Return a number of threads, or None; a limit beyond any machine's is none."""
    most = optional_count("n_threads", value)
    return None if most is None else min(most, _MOST_THREADS)


def flag(name: str, value: object) -> bool:
    """Return a truth value; a string or a number is most likely a mistake."""
    if isinstance(value, bool | np.bool):
        return bool(value)
    raise TypeError(message(name, "be True or False", described(value), "Pass a bool."))


def answer(value: object) -> bool:
    """Return whether a callback's answer is true; some objects, such as arrays, are neither."""
    try:
        return bool(value)
    except Exception:
        remedy = "Return True to stop the run, or nothing to go on."
        expected = "be true or false"
        raise TypeError(
            message("the callback's answer", expected, described(value), remedy)
        ) from None


def function(name: str, value: object) -> None:
    """Check that ``value`` is None or can be called."""
    if value is not None and not callable(value):
        remedy = "Pass the function itself, without calling it."
        raise TypeError(message(name, "be None or a function", described(value), remedy))


def mapping(name: str, value: object) -> dict[str, Any]:
    """Return a dict with names as keys; None is an empty one."""
    if value is None:
        return {}
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return dict(value)
    remedy = 'Write, for example, {"maxcor": 20}.'
    raise TypeError(message(name, "be None or a dict with names as keys", described(value), remedy))


def float_dtype(value: Any) -> np.dtype[Any]:
    """Return float32 or float64 as a dtype."""
    dtype = None
    # NumPy takes the dtype of any object that has one, of a network too
    if value is None or isinstance(value, str | type | np.dtype):
        with contextlib.suppress(SyntaxError, TypeError, ValueError):  # of what is no dtype
            dtype = np.dtype(value)
    if dtype is None or dtype.newbyteorder("=") not in (np.dtype("f4"), np.dtype("f8")):
        remedy = "float64 is the safe choice, float32 the faster one."
        got = written(value) if isinstance(value, str) else described(value)
        raise ValueError(message("dtype", "be float32 or float64", got, remedy))
    return dtype.newbyteorder("=")
