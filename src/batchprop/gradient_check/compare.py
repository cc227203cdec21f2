"""The verdict on one block: returned against expected derivatives, within rounding."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop.gradient_check.report import MAX_RELATIVE_ERROR, Comparison, Verdict

Array = npt.NDArray[Any]

# Relative error of an entry that is always accepted, in addition to its rounding bound.
RELATIVE = {np.dtype(np.float32): 1e-5, np.dtype(np.float64): 1e-9}


class Allowed(NamedTuple):
    """How far each number may deviate, by source of error.

    Attributes
    ----------
    method : ndarray
        Error of the expected number: truncation, kinks, rounding.
    engine : ndarray
        Rounding error of the returned number in the engine's dtype.
    relative : ndarray
        Allowance relative to the size of the number.
    """

    method: Array
    engine: Array
    relative: Array

    @property
    def total(self) -> Array:
        """The sum; a number that deviates by more is wrong."""
        return self.method + self.engine + self.relative


def compare(
    block: str, method: str, checked: str, returned: Array, expected: Array, allowed: Allowed
) -> Comparison:
    """Compare returned numbers with expected ones.

    Parameters
    ----------
    block, method, checked : str
        For the report.
    returned, expected : ndarray, of equal shape
        The numbers of the engine and of the method.
    allowed : Allowed
        Bounds, of the same shape.
    """
    error = relative_size(returned - expected, expected)
    verdict = _verdict(returned, expected, allowed, error)
    return Comparison(
        block,
        method,
        checked,
        error,
        relative_size(allowed.method + allowed.engine, expected),
        min(relative_size(allowed.total, expected), MAX_RELATIVE_ERROR),
        verdict,
        _note(block, verdict, returned, expected, allowed),
    )


def relative_size(deviation: Array, reference: Array) -> float:
    """Return ‖deviation‖ / ‖reference‖ without overflow, and 0 if both are zero.

    The result is infinite, never NaN, if anything is not finite, so that ``max`` keeps it.
    """
    scale = float(np.max(np.abs(reference)))
    if scale == 0:
        return 0.0 if not np.any(deviation) else float("inf")
    with np.errstate(over="ignore", invalid="ignore"):
        size = float(np.linalg.norm(deviation / scale) / np.linalg.norm(reference / scale))
    return size if np.isfinite(size) else float("inf")


def _verdict(returned: Array, expected: Array, allowed: Allowed, error: float) -> Verdict:
    """Return WRONG if any number is; ok if the error is small and the method is accurate.

    In float32, the bound of the engine's rounding error can be far above the actual error.  A small
    deviation from an accurate method is then sufficient.
    """
    if not (np.isfinite(expected).all() and np.isfinite(allowed.total).all()):
        return "inconclusive"
    if not np.isfinite(returned).all() or (np.abs(returned - expected) > allowed.total).any():
        return "WRONG"
    method_is_accurate = relative_size(allowed.method, expected) <= MAX_RELATIVE_ERROR
    return "ok" if method_is_accurate and error <= MAX_RELATIVE_ERROR else "inconclusive"


def _note(block: str, verdict: Verdict, returned: Array, expected: Array, allowed: Allowed) -> str:
    """Describe what stands out in a comparison that is not ok."""
    if verdict == "ok":
        return ""
    if verdict == "inconclusive":
        if not np.isfinite(expected).all():
            return "not finite here, nothing can be compared"
        size, error_size = (np.linalg.norm(x) for x in (expected, allowed.method + allowed.engine))
        return (
            f"its size is {size:.1e}, rounding and kinks can hide {error_size:.1e}; "
            f"check with other parameters or scaled inputs too"
        )
    if not np.isfinite(returned).all():
        return f"{np.count_nonzero(~np.isfinite(returned))} of {returned.size} are not finite"
    factor = _factor(returned, expected)
    misfit = relative_size(returned - factor * expected, expected)
    if returned.size > 1 and misfit < abs(factor - 1) / 10 and f"{factor:.4g}" != "1":
        return f"all of it is {factor:.4g} times what is expected"
    error = np.abs(returned - expected)
    excess = np.divide(error, allowed.total, out=np.zeros_like(error), where=error > 0)
    worst = np.unravel_index(int(np.argmax(excess)), returned.shape)
    index = f"[{', '.join(map(str, worst))}]" if returned.size > 1 else ""
    return f"{block}{index} is {returned[worst]:.6g}, expected {expected[worst]:.6g}"


def _factor(returned: Array, expected: Array) -> float:
    """Return the factor c that minimises ‖returned − c·expected‖."""
    scale = float(np.abs(expected).max()) or 1.0
    expected = expected / scale
    return float(np.vdot(expected, returned) / (np.vdot(expected, expected) or 1.0)) / scale
