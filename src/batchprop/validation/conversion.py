"""Error messages for tables that do not hold real numbers, by what they hold instead.

Libraries such as pandas are recognised by their methods, not by name, so none is imported.
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
_MAX_ENTRIES = 1_000_000  # entries that are inspected


_REMEDIES = {
    "date": "Replace each date d by a number of days, (d - d0) / datetime.timedelta(days=1), where "
    "d0 is the first date.",
    "duration": "Replace each duration d by a number of days, d / datetime.timedelta(days=1).",
    "text": "Encode categories as numbers first, for example as one row of 0 and 1 for each.",
    "other": "Replace it by a real number.",
}


class _Diagnosis(NamedTuple):
    """What was found instead of real numbers, and what to do."""

    got: str
    remedy: str


def not_numbers(name: str, value: object, array: Array) -> TypeError:
    """Return the error for ``value``, which NumPy converted to ``array``."""
    diagnosis = _from_dtype(name, value, array)
    if diagnosis is None and array.ndim == 0:
        diagnosis = _from_scalar(name, value)
    if diagnosis is None:
        diagnosis = _from_entries(name, value, array)
    return TypeError(message(name, "hold real numbers", diagnosis.got, diagnosis.remedy))


def _from_dtype(name: str, value: object, array: Array) -> _Diagnosis | None:
    """Diagnose by dtype; None if the dtype alone does not tell."""
    got = f"dtype {array.dtype}"
    if array.dtype.kind == "c":
        remedy = f"Pass {name}.real, or real and imaginary parts as separate rows."
        return _Diagnosis("complex numbers", remedy)
    if array.dtype.kind == "M":
        days = f'(np.asarray({name}) - np.datetime64("2000-01-01")) / {_DAY}'
        return _Diagnosis(got, f"Pass a number of days, for example {days}.")
    if array.dtype.kind == "m":
        return _Diagnosis(got, f"Pass a number of days: np.asarray({name}) / {_DAY}.")
    if array.dtype.kind == "V":
        fields = "np.lib.recfunctions.structured_to_unstructured"
        return _Diagnosis(got, f"Pass the fields as columns of a table, see {fields}.")
    return None


def _from_scalar(name: str, value: object) -> _Diagnosis | None:
    """Diagnose a value that NumPy does not take for a table."""
    if value is None:
        return _Diagnosis("None", "Pass a table of numbers with one sample a column.")
    if isinstance(value, str | bytes):
        return _Diagnosis(described(value), "Pass a table; np.loadtxt reads one from a text file.")
    if isinstance(value, Mapping):
        remedy = f"Pass np.array(list({name}.values())), with one row an input."
        return _Diagnosis(f"a {type(value).__name__}", remedy)
    if isinstance(value, Iterable) and not isinstance(value, np.ndarray):
        return _Diagnosis(f"a {type(value).__name__}", f"Pass list({name}).")
    return _Diagnosis(described(value), "Pass a table of numbers with one sample a column.")


def _from_entries(name: str, value: object, array: Array) -> _Diagnosis:
    """Diagnose by the first entry that is not a number."""
    got = f"dtype {array.dtype}"
    for index, entry in islice(np.ndenumerate(array), _MAX_ENTRIES):
        kind = _entry_kind(entry)
        if kind != "number":
            python_value = entry.item() if isinstance(entry, np.generic) else entry
            got += f" with {described(python_value)} at {name}[{', '.join(map(str, index))}]"
            remedy = _REMEDIES.get(kind)
            return _Diagnosis(got, remedy or _filling_remedy(name, value, entry))
    return _Diagnosis(got, f"Convert it with {_conversion_code(name, value)}.")


def _entry_kind(entry: object) -> str:
    """Return "number", "missing", or a key of ``_REMEDIES``."""
    if _is_missing(entry):
        return "missing"
    if hasattr(entry, "total_seconds"):  # checked first: pandas' Timedelta has isoformat as well
        return "duration"
    if hasattr(entry, "isoformat"):
        return "date"
    try:
        float(entry)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return "text" if isinstance(entry, str | bytes) else "other"
    return "number"


def _is_missing(entry: object) -> bool:
    """Return whether an entry stands for a missing value: None, or not equal to itself."""
    if entry is None:
        return True
    try:
        return not isinstance(entry, float) and not bool(entry == entry)
    except (TypeError, ValueError):  # pandas.NA has no truth value; arrays have several
        return not hasattr(entry, "__len__")


def _conversion_code(name: str, value: object, options: str = "") -> str:
    """Return Python code that converts a table to floats."""
    if hasattr(value, "to_numpy"):
        return f"{name}.to_numpy(dtype=float{options})"
    return f"np.asarray({name}, dtype=float)"


def _filling_remedy(name: str, value: object, entry: object) -> str:
    """Return what to do about missing entries."""
    if entry is not None and not hasattr(value, "to_numpy"):  # NumPy converts only None to NaN
        return "Replace what is missing by numbers, or drop such samples."
    code = _conversion_code(name, value, ", na_value=np.nan")
    return f"Convert it with {code}, then fill in what is missing or drop such samples."
