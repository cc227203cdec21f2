"""From the text of cells to numbers: what is a number, what is missing, and what is neither."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

MISSING = frozenset(
    {"", "na", "n/a", "#n/a", "#na", "nan", "-nan", "null", "none", "<na>", "nil", "?", "."}
)
"""Cells that stand for a missing value, in lower case."""

_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}([ ,.'\u00a0\u2009\u202f])\d{3}(\1\d{3})*([.,]\d+)?")
_WITH_UNIT = re.compile(r"[$€£]\s*[+-]?\d[\d.,]*|[+-]?\d[\d.,]*\s*[%$€£]")


def is_missing(cell: str) -> bool:
    """Tell whether a cell stands for a missing value."""
    return cell.strip().lower() in MISSING


def numbers(cells: Sequence[str]) -> npt.NDArray[np.float64] | None:
    """Return cells as numbers if all of them are finite numbers; otherwise None."""
    try:
        values = np.fromiter(map(float, cells), np.float64, len(cells))
    except ValueError:
        return None
    # Python's float also accepts 1_000
    if not np.isfinite(values).all() or "_" in "".join(cells):
        return None
    return values


def number(cell: str) -> float | None:
    """Return one cell as a number, NaN if it is missing, None if it is no finite number."""
    if is_missing(cell):
        return math.nan
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in cell else None


def looks_like_number(cell: str) -> str:
    """Say why a cell that a person reads as a number is none here; an empty text for other cells.

    ``1,234`` may be a decimal comma or thousands, so nothing is guessed.
    """
    text = cell.strip()
    if _THOUSANDS.fullmatch(text) or "_" in text and number(text.replace("_", "")) is not None:
        if _DECIMAL_COMMA.fullmatch(text):
            return "a number with a comma, for decimals or for thousands"
        return "a number with separators of thousands"
    if _DECIMAL_COMMA.fullmatch(text):
        return "a number with a decimal comma"
    if _WITH_UNIT.fullmatch(text):
        return "a number with a unit"
    try:
        return "infinite" if math.isinf(float(text)) else ""
    except ValueError:
        return ""
