"""The line search: a step a with the strong Wolfe conditions, from values and slopes it is told.

    φ(a) ≤ φ(0) + c₁ a φ′(0) + noise   and   |φ′(a)| ≤ c₂ |φ′(0)|

Bracketing and interpolation as in Nocedal and Wright (2006), algorithms 3.5 and 3.6.  Close to a
minimum, differences of φ are rounding while slopes still tell where it is; within the noise of φ,
slopes alone decide, as in Hager and Zhang (2005), and the search goes on down to the precision.
"""

from __future__ import annotations

import math

from numba import types

from batchprop.compiler.jit import helper, returning
from batchprop.solvers.lbfgs.lbfgs_memory import (
    BRACKETED,
    HIGH,
    HIGH_LOSS,
    HIGH_SLOPE,
    LOSS,
    LOW,
    LOW_LOSS,
    LOW_SLOPE,
    NOISE,
    SLOPE,
    STEP,
    TRIALS,
    WIDTH,
)

FOUND, AGAIN, FAILED = range(3)

_MARGIN = 0.1  # of the bracket, that an interpolated step keeps from its ends
_NARROWEST = 1e-12  # bracket, relative to its far end
_CUT = 0.1  # to this share of the way from 0, if loss or gradient were not finite there
_LEAST_GROWTH, _MOST_GROWTH = 1.1, 4.0  # of the last stretch, while there is no bracket


@helper
def begin_search(search, counts, loss, slope, step, noise):
    """Start a search at a = 0 where φ is ``loss`` and φ′ is ``slope`` < 0; try ``step`` first."""
    search[STEP] = step
    search[LOSS], search[SLOPE], search[NOISE] = loss, slope, noise
    search[LOW], search[LOW_LOSS], search[LOW_SLOPE] = 0.0, loss, slope
    search[HIGH], search[HIGH_LOSS], search[HIGH_SLOPE] = 0.0, math.inf, math.inf
    search[WIDTH] = math.inf
    counts[TRIALS], counts[BRACKETED] = 0, 0


@returning(types.float64)
def interpolated(a, f, slope, b, f_b, slope_b, noise):
    """Return where a cubic through both ends has its minimum, or a secant of slopes a zero."""
    if not (math.isfinite(f_b) and math.isfinite(slope_b)):
        return math.nan
    if abs(f_b - f) <= 4.0 * noise:
        return a - slope * (b - a) / (slope_b - slope)
    third = slope + slope_b - 3.0 * (f_b - f) / (b - a)
    root = third * third - slope * slope_b
    if root < 0.0:
        return math.nan
    root = math.copysign(math.sqrt(root), b - a)
    return b - (b - a) * (slope_b + root - third) / (slope_b - slope + 2.0 * root)


@returning(types.int64)
def judge_step(settings, search, counts, loss, slope):
    """Take φ and φ′ at ``search[STEP]``: FOUND, or AGAIN with the next step, or FAILED.

    After FAILED the step is the best one seen, 0 if none was better than none.
    """
    step, noise = search[STEP], search[NOISE]
    low, before = search[LOW], (search[LOW], search[LOW_LOSS], search[LOW_SLOPE])
    counts[TRIALS] += 1
    finite = math.isfinite(loss) and math.isfinite(slope)
    enough = search[LOSS] + settings.decrease * step * search[SLOPE] + noise
    if not finite or loss > enough or loss > search[LOW_LOSS] + noise:
        search[HIGH], search[HIGH_LOSS], search[HIGH_SLOPE] = step, loss, slope
        if not finite:
            search[HIGH_LOSS], search[HIGH_SLOPE] = math.inf, math.inf
        counts[BRACKETED] = 1
    else:
        if abs(slope) <= -settings.curvature * search[SLOPE]:
            return FOUND
        ahead = search[HIGH] - low if counts[BRACKETED] else 1.0
        if slope * ahead >= 0.0:  # it rises towards the other end: the minimum is behind
            search[HIGH], search[HIGH_LOSS], search[HIGH_SLOPE] = before
            counts[BRACKETED] = 1
        search[LOW], search[LOW_LOSS], search[LOW_SLOPE] = step, loss, slope
    if counts[BRACKETED]:
        next_step = _within(search)
    else:
        stretch = step - low
        next_step = interpolated(*before, step, loss, slope, noise)
        least, most = step + _LEAST_GROWTH * stretch, step + _MOST_GROWTH * stretch
        next_step = min(max(next_step, least), most) if next_step > step else most
    far = max(abs(search[LOW]), abs(search[HIGH]))
    narrow = counts[BRACKETED] and abs(search[HIGH] - search[LOW]) <= _NARROWEST * far
    if narrow or counts[TRIALS] >= settings.max_trials or not math.isfinite(next_step):
        search[STEP] = search[LOW]
        return FAILED
    search[STEP] = next_step
    return AGAIN


@returning(types.float64)
def _within(search):
    """Return the next step inside the bracket; halve it if it has not shrunk by a third."""
    low, high = search[LOW], search[HIGH]
    width = abs(high - low)
    slow, search[WIDTH] = width > 0.66 * search[WIDTH], width
    if not math.isfinite(search[HIGH_LOSS]):
        return _CUT * high if low == 0.0 else 0.5 * (low + high)
    step = interpolated(
        low, search[LOW_LOSS], search[LOW_SLOPE],
        high, search[HIGH_LOSS], search[HIGH_SLOPE], search[NOISE],
    )  # fmt: skip
    share = (step - low) / (high - low)
    if slow or not math.isfinite(share):
        share = 0.5
    return low + min(max(share, _MARGIN), 1.0 - _MARGIN) * (high - low)
