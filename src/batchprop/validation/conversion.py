"""What to do with a table that does not hold real numbers, by what it does hold.

pandas and its like are known by what they can do, not by name: nothing is imported for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop.validation.error_text import described, message

Array = npt.NDArray[Any]

_DAY = 'np.timedelta64(1, "D")'
_LOOKED_AT = 1_000_000  # entries


_REMEDIES = {
    "date": "Replace each date d by a number of days, (d - d0) / datetime.timedelta(days=1), where "
    "d0 is the first date.",
    "duration": "Replace each duration d by a number of days, d / datetime.timedelta(days=1).",
    "text": "Encode categories as numbers first, for example as one row of 0 and 1 for each.",
    "other": "Replace it by a real number.",
}


class _Found(NamedTuple):
    """What stands in the way."""

    got: str
    remedy: str


def not_numbers(name: str, value: object, array: Array) -> TypeError:
    """Return the error about ``value``, of which NumPy made ``array``."""
    found = _of_kind(name, value, array)
    if found is None and array.ndim == 0:
        found = _no_table(name, value)
    if found is None:
        found = _of_entries(name, value, array)
    return TypeError(message(name, "hold real numbers", found.got, found.remedy))


def _of_kind(name: str, value: object, array: Array) -> _Found | None:
    """Judge by the dtype."""
    got = f"dtype {array.dtype}"
    if array.dtype.kind == "c":
        remedy = f"Pass {name}.real, or real and imaginary parts as separate rows."
        return _Found("complex numbers", remedy)
    if array.dtype.kind == "M":
        days = f'(np.asarray({name}) - np.datetime64("2000-01-01")) / {_DAY}'
        return _Found(got, f"Pass a number of days, for example {days}.")
    if array.dtype.kind == "m":
        return _Found(got, f"Pass a number of days: np.asarray({name}) / {_DAY}.")
    if array.dtype.kind == "V":
        fields = "np.lib.recfunctions.structured_to_unstructured"
        return _Found(got, f"Pass the fields as columns of a table, see {fields}.")
    return None


def _no_table(name: str, value: object) -> _Found | None:
    """Judge what is no table to NumPy."""
    if value is None:
        return _Found("None", "Pass a table of numbers with one sample a column.")
    if isinstance(value, str | bytes):
        return _Found(described(value), "Pass a table; np.loadtxt reads one from a text file.")
    if isinstance(value, Mapping):
        remedy = f"Pass np.array(list({name}.values())), with one row an input."
        return _Found(f"a {type(value).__name__}", remedy)
    if isinstance(value, Iterable) and not isinstance(value, np.ndarray):
        return _Found(f"a {type(value).__name__}", f"Pass list({name}).")
    return _Found(described(value), "Pass a table of numbers with one sample a column.")


def _of_entries(name: str, value: object, array: Array) -> _Found:
    """Judge by the first entry that is no number."""
    got = f"dtype {array.dtype}"
    for place, entry in islice(np.ndenumerate(array), _LOOKED_AT):
        kind = _kind(entry)
        if kind != "number":
            plain = entry.item() if isinstance(entry, np.generic) else entry
            got += f" with {described(plain)} at {name}[{', '.join(map(str, place))}]"
            known = _REMEDIES.get(kind)
            return _Found(got, known or _filled(name, value, entry))
    return _Found(got, f"Convert it with {_converted(name, value)}.")


def _kind(entry: object) -> str:
    """Return what an entry is: a number, missing, or a key of ``_REMEDIES``."""
    if _is_nothing(entry):
        return "missing"
    if hasattr(entry, "total_seconds"):  # before dates: pandas' durations have an isoformat, too
        return "duration"
    if hasattr(entry, "isoformat"):
        return "date"
    try:
        float(entry)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return "text" if isinstance(entry, str | bytes) else "other"
    return "number"


def _is_nothing(entry: object) -> bool:
    """Tell whether an entry stands for a missing value: None, or neither equal nor unequal."""
    if entry is None:
        return True
    try:
        return not isinstance(entry, float) and not bool(entry == entry)
    except (TypeError, ValueError):  # pandas.NA has no truth value; arrays have several
        return not hasattr(entry, "__len__")


def _converted(name: str, value: object, more: str = "") -> str:
    """Return the code that makes floats of a table."""
    if hasattr(value, "to_numpy"):
        return f"{name}.to_numpy(dtype=float{more})"
    return f"np.asarray({name}, dtype=float)"


def _filled(name: str, value: object, entry: object) -> str:
    """Return what to do about missing entries."""
    if entry is not None and not hasattr(value, "to_numpy"):  # only None is NaN to NumPy
        return "Replace what is missing by numbers, or drop such samples."
    code = _converted(name, value, ", na_value=np.nan")
    return f"Convert it with {code}, then fill in what is missing or drop such samples."
