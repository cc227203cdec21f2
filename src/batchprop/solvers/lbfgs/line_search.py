"""The line search: a step length a that satisfies the strong Wolfe conditions.

    φ(a) ≤ φ(0) + c₁ a φ′(0) + noise   and   |φ′(a)| ≤ c₂ |φ′(0)|,    φ(a) = F(θ + a p)

The caller evaluates φ and φ′ at ``search.step_length`` and passes them to ``judge_step``.
Bracketing and interpolation are those of Nocedal and Wright (2006), algorithms 3.5 and 3.6.  Close
to a minimum, differences of φ are rounding errors, while slopes still tell where the minimum is.
Within the noise of φ, slopes alone decide, as in Hager and Zhang (2005); so the search works down
to the last digits.
"""

from __future__ import annotations

import math

from numba import types

from batchprop.compiler.jit import helper, returning

ACCEPT, CONTINUE, FAIL = range(3)

_MARGIN = 0.1  # least distance of a step from the ends, as a share of the bracket
_MIN_WIDTH = 1e-12  # of a bracket, relative to its far end
_CUT = 0.1  # shrink the first step to this share if φ or φ′ is not finite there
_MIN_GROWTH, _MAX_GROWTH = 1.1, 4.0  # of the last stretch, while there is no bracket


@helper
def begin_search(search, counts, value, slope, step_length, noise):
    """Start at a = 0, where φ is ``value`` and φ′ is ``slope`` < 0; try ``step_length`` first."""
    search.step_length[0] = step_length
    search.start_value[0], search.start_slope[0], search.noise[0] = value, slope, noise
    search.low[0], search.low_value[0], search.low_slope[0] = 0.0, value, slope
    search.high[0], search.high_value[0], search.high_slope[0] = 0.0, math.inf, math.inf
    search.width[0] = math.inf
    counts.n_trials[0], counts.bracketed[0] = 0, 0


@returning(types.float64)
def interpolated(a, value_a, slope_a, b, value_b, slope_b, noise):
    """Return the minimum between a and b of a cubic with these values and slopes.

    Where the values differ by no more than their noise, it is the zero of the slopes' secant.
    NaN if there is no minimum.
    """
    if not (math.isfinite(value_b) and math.isfinite(slope_b)):
        return math.nan
    if abs(value_b - value_a) <= 4.0 * noise:
        return a - slope_a * (b - a) / (slope_b - slope_a)
    d_1 = slope_a + slope_b - 3.0 * (value_b - value_a) / (b - a)  # d₁, d₂ of Nocedal and Wright
    square = d_1 * d_1 - slope_a * slope_b
    if square < 0.0:
        return math.nan
    d_2 = math.copysign(math.sqrt(square), b - a)
    return b - (b - a) * (slope_b + d_2 - d_1) / (slope_b - slope_a + 2.0 * d_2)


@returning(types.int64)
def judge_step(settings, search, counts, value, slope):
    """Judge the trial at ``search.step_length``, where φ is ``value`` and φ′ is ``slope``.

    Returns ACCEPT; or CONTINUE with the next trial in ``search.step_length``; or FAIL with the best
    one there, which is 0 if no trial improved.
    """
    a, noise = search.step_length[0], search.noise[0]
    low, low_value, low_slope = search.low[0], search.low_value[0], search.low_slope[0]
    counts.n_trials[0] += 1
    finite = math.isfinite(value) and math.isfinite(slope)
    # φ(0) + c₁ a φ′(0) + noise
    bound = search.start_value[0] + settings.c_1 * a * search.start_slope[0] + noise
    if not finite or value > bound or value > low_value + noise:
        search.high[0], search.high_value[0], search.high_slope[0] = a, value, slope
        if not finite:
            search.high_value[0], search.high_slope[0] = math.inf, math.inf
        counts.bracketed[0] = 1
    else:
        # |φ′(a)| ≤ c₂ |φ′(0)|
        if abs(slope) <= -settings.c_2 * search.start_slope[0]:
            return ACCEPT
        ahead = search.high[0] - low if counts.bracketed[0] else 1.0
        if slope * ahead >= 0.0:  # φ rises towards the other end: the minimum is behind the step
            search.high[0], search.high_value[0], search.high_slope[0] = low, low_value, low_slope
            counts.bracketed[0] = 1
        search.low[0], search.low_value[0], search.low_slope[0] = a, value, slope
    if counts.bracketed[0]:
        next_a = _inside_bracket(search)
    else:
        stretch = a - low
        next_a = interpolated(low, low_value, low_slope, a, value, slope, noise)
        nearest, farthest = a + _MIN_GROWTH * stretch, a + _MAX_GROWTH * stretch
        next_a = min(max(next_a, nearest), farthest) if next_a > a else farthest
    far_end = max(abs(search.low[0]), abs(search.high[0]))
    narrow = counts.bracketed[0] and abs(search.high[0] - search.low[0]) <= _MIN_WIDTH * far_end
    if narrow or counts.n_trials[0] >= settings.max_trials or not math.isfinite(next_a):
        search.step_length[0] = search.low[0]
        return FAIL
    search.step_length[0] = next_a
    return CONTINUE


@returning(types.float64)
def _inside_bracket(search):
    """Return the next a inside the bracket; halve a bracket that has not shrunk by a third."""
    low, high = search.low[0], search.high[0]
    width = abs(high - low)
    slow, search.width[0] = width > 0.66 * search.width[0], width
    if not math.isfinite(search.high_value[0]):
        return _CUT * high if low == 0.0 else 0.5 * (low + high)
    a = interpolated(
        low, search.low_value[0], search.low_slope[0],
        high, search.high_value[0], search.high_slope[0], search.noise[0],
    )  # fmt: skip
    share = (a - low) / (high - low)
    if slow or not math.isfinite(share):
        share = 0.5
    return low + min(max(share, _MARGIN), 1.0 - _MARGIN) * (high - low)
