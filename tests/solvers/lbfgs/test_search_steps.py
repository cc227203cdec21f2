"""Single decisions of the line search, from the middle of its way: each bound on both sides."""

from __future__ import annotations

import math

import numpy as np
import pytest

from batchprop.compiler.jit import kernel
from batchprop.solvers.lbfgs import line_search
from batchprop.solvers.lbfgs.lbfgs_memory import LbfgsSettings
from tests.solvers.lbfgs.runs import blank_search

SETTINGS = LbfgsSettings(history_size=5)


@kernel
def judge(settings, search, counts, loss, slope):
    return line_search.judge_step(settings, search, counts, loss, slope)


def searching(step=1.0, loss=0.0, slope=-1.0, noise=0.0):
    """A search in the middle of its way, and its counts."""
    search, counts = blank_search()
    search.step_length[0], search.start_value[0], search.start_slope[0], search.noise[0] = (
        step,
        loss,
        slope,
        noise,
    )
    search.low_value[0], search.low_slope[0] = loss, slope
    search.high_value[0] = search.high_slope[0] = math.inf
    search.width[0] = math.inf
    return search, counts


def test_a_step_is_found_at_the_very_edge_of_both_conditions():
    for loss, slope, code in (
        (-1e-4, 0.9, line_search.ACCEPT),
        (-1e-4, -0.9, line_search.ACCEPT),
        (np.nextafter(-1e-4, 0), 0.0, line_search.CONTINUE),
        (-1e-4, np.nextafter(0.9, 1), line_search.CONTINUE),
        (-1e-4, -np.nextafter(0.9, 1), line_search.CONTINUE),
    ):
        assert judge(SETTINGS, *searching(), loss, slope) == code
    assert judge(SETTINGS, *searching(noise=0.5), 0.4999 - 1e-12, 0.0) == line_search.ACCEPT
    assert judge(SETTINGS, *searching(noise=0.5), 0.5, 0.0) == line_search.CONTINUE


def test_a_search_gives_up_after_its_last_trial():
    for trials, code in ((28, line_search.CONTINUE), (29, line_search.FAIL)):
        search, counts = searching()
        counts.n_trials[0] = trials
        assert judge(SETTINGS, search, counts, 1.0, 0.0) == code
        assert counts.n_trials[0] == trials + 1


def test_a_bracket_that_is_too_narrow_ends_the_search():
    for width, code in ((0.9e-12, line_search.FAIL), (2e-12, line_search.CONTINUE)):
        search, counts = searching(step=1.0 + width)
        search.low[0], counts.bracketed[0], search.high[0] = 1.0, 1, 2.0
        assert judge(SETTINGS, search, counts, 1.0, 1.0) == code
        if code == line_search.FAIL:
            assert search.step_length[0] == 1.0


def test_without_a_bracket_a_stretch_grows_by_a_tenth_to_fourfold():
    # φ′ falls from −1 to −0.95: an interpolated minimum lies far out; to −1.5: there is none
    for slope, loss in ((-0.95, -0.975), (-1.5, -1.25)):
        search, counts = searching()
        assert judge(SETTINGS, search, counts, loss, slope) == line_search.CONTINUE
        assert search.step_length[0] == 5.0  # 1 + 4 · 1
    search, counts = searching()
    settings = LbfgsSettings(c_2=1e-3)
    judge(settings, search, counts, -0.5, -0.01)  # of a parabola with its minimum at 1.0101
    assert search.step_length[0] == pytest.approx(2.1)  # 1 + 1.1 · 1


def test_inside_a_bracket_a_step_keeps_from_its_ends():
    search, counts = searching()
    judge(SETTINGS, search, counts, 1e6, 1e6)  # the minimum lies close to 0
    assert search.step_length[0] == pytest.approx(0.1)
    search, counts = searching()
    judge(SETTINGS, search, counts, math.nan, math.nan)
    assert search.step_length[0] == pytest.approx(0.1)  # a tenth of the way where nothing is known
    assert search.high_value[0] == math.inf
    search, counts = searching(step=1.0)
    search.low[0], search.low_value[0] = 0.5, -0.5
    judge(SETTINGS, search, counts, math.nan, math.nan)
    assert search.step_length[0] == pytest.approx(0.75)  # and half of it from there on


@kernel
def interpolate(out, a, value_a, slope_a, b, value_b, slope_b, noise):
    out[0] = line_search.interpolated(a, value_a, slope_a, b, value_b, slope_b, noise)


def interpolated(*arguments):
    out = np.zeros(1)
    interpolate(out, *arguments)
    return out[0]


def test_where_values_say_nothing_slopes_are_interpolated():
    """Within four times the noise: a secant of the slopes; beyond it the cubic's minimum."""
    secant = 1.0 / 1.5  # of slopes −1 and 0.5
    assert interpolated(0.0, 0.0, -1.0, 1.0, 0.4, 0.5, 0.101) == pytest.approx(secant)
    cubic = interpolated(0.0, 0.0, -1.0, 1.0, 0.4, 0.5, 0.0)
    assert interpolated(0.0, 0.0, -1.0, 1.0, 0.4, 0.5, 0.099) == cubic
    assert abs(cubic - secant) > 0.01
    # of (a − 1)² (a + 2) = a³ − 3 a + 2
    assert interpolated(0.0, 2.0, -3.0, 2.0, 4.0, 9.0, 0.0) == pytest.approx(1.0)
    assert interpolated(2.0, 4.0, 9.0, 0.0, 2.0, -3.0, 0.0) == pytest.approx(1.0)
    assert math.isnan(interpolated(0.0, 0.0, -1.0, 1.0, math.inf, 1.0, 0.0))
    assert math.isnan(interpolated(0.0, 0.0, -1.0, 1.0, -0.9, -1.0, 0.0))  # it falls all the way


def test_a_bracket_that_has_not_shrunk_by_a_third_is_halved():
    for high, halved in ((0.67, True), (0.65, False)):
        search, counts = searching(step=high)
        search.width[0], search.high[0], counts.bracketed[0] = 1.0, 1.0, 1
        judge(SETTINGS, search, counts, high**2 - high + 1.0, 2 * high - 1.0)
        assert (search.step_length[0] == pytest.approx(high / 2, rel=1e-12)) == halved
        assert search.width[0] == high


def test_a_step_beyond_a_lower_one_is_the_far_end_of_the_bracket():
    """Low enough compared with the start, but above the best so far by more than the noise."""
    for loss, noise, far in ((-0.3, 0.0, 1.0), (-0.3, 0.1, 1.0), (-0.3, 0.25, 0.0)):
        search, counts = searching(step=1.0, noise=noise)
        search.low[0], search.low_value[0], search.low_slope[0] = 0.5, -0.5, -0.95
        judge(SETTINGS, search, counts, loss, -0.95)
        assert (search.high[0], counts.bracketed[0]) == (far, far > 0)
        assert search.low[0] == (0.5 if far else 1.0)
