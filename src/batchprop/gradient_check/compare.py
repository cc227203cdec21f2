"""The verdict: given and expected derivatives, and how far rounding may part them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop.gradient_check.report import LARGEST, Comparison, Verdict

Array = npt.NDArray[Any]

# Relative error of an entry that is never held against it, beside its rounding bound.
RELATIVE = {np.dtype(np.float32): 1e-5, np.dtype(np.float64): 1e-9}


class Allowed(NamedTuple):
    """How far each compared number may be off, and why.

    Attributes
    ----------
    method : ndarray
        Error of the expected number: step, kinks, rounding.
    engine : ndarray
        Rounding error of the given number in the engine's dtype.
    relative : ndarray
        The part that is allowed for the size of the number.
    """

    method: Array
    engine: Array
    relative: Array

    @property
    def total(self) -> Array:
        """Beyond this, the number is wrong."""
        return self.method + self.engine + self.relative


def compare(
    block: str, method: str, checked: str, given: Array, expected: Array, allowed: Allowed
) -> Comparison:
    """Judge given numbers by expected ones.

    Parameters
    ----------
    block, method, checked : str
        For the report.
    given, expected : ndarray, any one shape
        What the engine says and what the method found.
    allowed : Allowed
        Bounds, in the same shape.
    """
    error = relative_size(given - expected, expected)
    verdict = _verdict(given, expected, allowed, error)
    return Comparison(
        block,
        method,
        checked,
        error,
        relative_size(allowed.method + allowed.engine, expected),
        min(relative_size(allowed.total, expected), LARGEST),
        verdict,
        _note(block, verdict, given, expected, allowed),
    )


def relative_size(part: Array, whole: Array) -> float:
    """Return ‖part‖ / ‖whole‖ without overflow; 0 where nothing is compared with nothing.

    It is infinite, never NaN, where something is not finite: the largest of several is then too.
    """
    scale = float(np.max(np.abs(whole)))
    if scale == 0:
        return 0.0 if not np.any(part) else float("inf")
    with np.errstate(over="ignore", invalid="ignore"):
        size = float(np.linalg.norm(part / scale) / np.linalg.norm(whole / scale))
    return size if np.isfinite(size) else float("inf")


def _verdict(given: Array, expected: Array, allowed: Allowed, error: float) -> Verdict:
    """Wrong if any number is; ok if the error is small and the method could have seen a large one.

    In float32 the bound of the engine's rounding can be far above what it really is.  A small
    error against a method of small error of its own is then proof enough.
    """
    if not (np.isfinite(expected).all() and np.isfinite(allowed.total).all()):
        return "inconclusive"
    if not np.isfinite(given).all() or (np.abs(given - expected) > allowed.total).any():
        return "WRONG"
    seeing = relative_size(allowed.method, expected) <= LARGEST
    return "ok" if seeing and error <= LARGEST else "inconclusive"


def _note(block: str, verdict: Verdict, given: Array, expected: Array, allowed: Allowed) -> str:
    """Say what stands out."""
    if verdict == "ok":
        return ""
    if verdict == "inconclusive":
        if not np.isfinite(expected).all():
            return "not finite here, nothing can be compared"
        size, hidden = (np.linalg.norm(x) for x in (expected, allowed.method + allowed.engine))
        return (
            f"its size is {size:.1e}, rounding and kinks can hide {hidden:.1e}; "
            f"check with other parameters or scaled inputs too"
        )
    if not np.isfinite(given).all():
        return f"{np.count_nonzero(~np.isfinite(given))} of {given.size} are not finite"
    factor = _factor(given, expected)
    rest = relative_size(given - factor * expected, expected)
    if given.size > 1 and rest < abs(factor - 1) / 10 and f"{factor:.4g}" != "1":
        return f"all of it is {factor:.4g} times what is expected"
    error = np.abs(given - expected)
    excess = np.divide(error, allowed.total, out=np.zeros_like(error), where=error > 0)
    place = np.unravel_index(int(np.argmax(excess)), given.shape)
    index = f"[{', '.join(map(str, place))}]" if given.size > 1 else ""
    return f"{block}{index} is {given[place]:.6g}, expected {expected[place]:.6g}"


def _factor(given: Array, expected: Array) -> float:
    """Return the number that ``expected`` is best multiplied by to get ``given``."""
    scale = float(np.abs(expected).max()) or 1.0
    expected = expected / scale
    return float(np.vdot(expected, given) / (np.vdot(expected, expected) or 1.0)) / scale
