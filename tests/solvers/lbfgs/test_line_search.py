"""The line search alone, on functions of one variable, and the Wolfe conditions it ends with."""

from __future__ import annotations

import math

import numpy as np
import pytest

from batchprop.compiler.jit import kernel
from batchprop.solvers.lbfgs import line_search
from batchprop.solvers.lbfgs.lbfgs_memory import LbfgsSettings
from batchprop.solvers.lbfgs.line_search import ACCEPT, CONTINUE, FAIL
from tests.solvers.lbfgs.runs import blank_search

SETTINGS = LbfgsSettings()


@kernel
def begin(search, counts, loss, slope, step, noise):
    line_search.begin_search(search, counts, loss, slope, step, noise)


@kernel
def judge(settings, search, counts, loss, slope):
    return line_search.judge_step(settings, search, counts, loss, slope)


def searched(phi, derivative, first, settings=SETTINGS, noise=0.0):
    """Return the code a search ends with, its step and how many points it tried."""
    search, counts = blank_search()
    begin(search, counts, phi(0.0), derivative(0.0), first, noise)
    for tried in range(1, 100):
        step = search.step_length[0]
        code = judge(settings, search, counts, phi(step), derivative(step))
        if code != CONTINUE:
            return code, search.step_length[0], tried
    raise AssertionError("a search without end")


def satisfies_wolfe(phi, derivative, step, settings, noise):
    enough = phi(0.0) + settings.c_1 * step * derivative(0.0) + noise
    return phi(step) <= enough and abs(derivative(step)) <= -settings.c_2 * derivative(0.0)


def rosenbrock_along(direction, start=(-1.2, 1.0)):
    x0, d = np.array(start), np.array(direction)

    def phi(a):
        x, y = x0 + a * d
        return 100.0 * (y - x * x) ** 2 + (1.0 - x) ** 2

    def derivative(a):
        x, y = x0 + a * d
        gradient = np.array([-400.0 * x * (y - x * x) - 2.0 * (1.0 - x), 200.0 * (y - x * x)])
        return float(gradient @ d)

    return phi, derivative


# The functions of Moré and Thuente (1994), section 5, one with many wiggles, and a few of ours.
def _more_thuente_1(b=2.0):
    return (lambda a: -a / (a * a + b)), (lambda a: (a * a - b) / (a * a + b) ** 2)


def _more_thuente_2(b=0.004):
    return (
        lambda a: (a + b) ** 5 - 2.0 * (a + b) ** 4,
        lambda a: 5.0 * (a + b) ** 4 - 8.0 * (a + b) ** 3,
    )


def _more_thuente_4(b1=0.001, b2=0.001):
    g1, g2 = (math.sqrt(1.0 + b * b) - b for b in (b1, b2))

    def phi(a):
        return g1 * math.sqrt((1.0 - a) ** 2 + b2 * b2) + g2 * math.sqrt(a * a + b1 * b1)

    def derivative(a):
        return g1 * (a - 1.0) / math.sqrt((1.0 - a) ** 2 + b2 * b2) + g2 * a / math.sqrt(
            a * a + b1 * b1
        )

    return phi, derivative


FUNCTIONS = {
    "more_thuente_1": _more_thuente_1(),
    "more_thuente_2": _more_thuente_2(),
    "more_thuente_4": _more_thuente_4(),
    "parabola": (lambda a: (a - 3.0) ** 2, lambda a: 2.0 * (a - 3.0)),
    "quartic": (lambda a: (a - 2.0) ** 4, lambda a: 4.0 * (a - 2.0) ** 3),
    "wiggles": (
        lambda a: 0.05 * a * a - a + 0.5 * math.sin(4.0 * a) / 4.0,
        lambda a: 0.1 * a - 1.0 + 0.5 * math.cos(4.0 * a),
    ),
    "rosenbrock": rosenbrock_along((215.6, 88.0)),
    "rosenbrock_valley": rosenbrock_along((1.0, -2.0), (-0.5, 0.3)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("first", [1e-3, 0.1, 1.0, 10.0, 1e3])
@pytest.mark.parametrize("curvature", [0.9, 0.1, 1e-3])
def test_strong_wolfe_conditions(name, first, curvature):
    phi, derivative = FUNCTIONS[name]
    settings = LbfgsSettings(c_2=curvature)
    assert derivative(0.0) < 0
    noise = 1e-14  # the minimum of more_thuente_2 lies closer than its values can tell
    code, step, tried = searched(phi, derivative, first, settings, noise)
    assert code == ACCEPT
    assert satisfies_wolfe(phi, derivative, step, settings, noise)
    assert tried <= 25


def test_a_good_first_step_is_taken_at_once():
    phi, derivative = FUNCTIONS["parabola"]
    assert searched(phi, derivative, 2.5) == (ACCEPT, 2.5, 1)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_too_far(value):
    def phi(a):
        return (a - 1.0) ** 2 if a < 1.7 else value

    def derivative(a):
        return 2.0 * (a - 1.0) if a < 1.7 else value

    code, step, tried = searched(phi, derivative, 1e4)
    assert code == ACCEPT
    assert 0.0 < step < 1.7
    assert tried < 10


def test_a_gradient_that_lies_ends_the_search():
    code, step, _ = searched(lambda a: a, lambda a: -1.0, 1.0)
    assert (code, step) == (FAIL, 0.0)


def test_no_minimum_in_reach_ends_with_the_best():
    code, step, tried = searched(lambda a: -a, lambda a: -1.0, 1.0, LbfgsSettings(max_trials=8))
    assert (code, tried) == (FAIL, 8)
    assert step > 100.0


def test_below_the_noise_slopes_decide():
    """A parabola whose values are nothing but rounding."""
    rng = np.random.default_rng(0)

    def phi(a):
        return 1.0 + 1e-13 * rng.uniform(-1, 1)

    def derivative(a):
        return 1e-14 * (a - 3.0)

    code, step, tried = searched(phi, derivative, 50.0, noise=4e-13)
    assert code == ACCEPT
    assert abs(derivative(step)) <= 0.9 * 3e-14
    assert tried <= 5
