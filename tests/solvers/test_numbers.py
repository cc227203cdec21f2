"""The solvers' own numbers, as the docstring of ``train`` and docs/solvers.md have them."""

from __future__ import annotations

import pytest

from batchprop.parameters import Shape
from batchprop.solvers import registry
from batchprop.solvers.first_order.first_order_memory import default_learning_rate
from batchprop.solvers.lbfgs.lbfgs_memory import LbfgsSettings
from batchprop.solvers.settings import ADAM, FIRST_ORDER, GD, LIMITS, SOLVERS


@pytest.mark.parametrize(("m", "e"), [(1, 1), (50, 3), (1000, 784)])
def test_the_rates(m, e):
    shape = Shape(e, m, 4)
    for solver, rate in (("gd", 0.5), ("momentum", 0.25), ("nesterov", 0.25)):
        assert default_learning_rate(FIRST_ORDER[solver], shape) == rate / (m + e + 5)
    assert default_learning_rate(ADAM, shape) == 1.0 / (m + e + 50)
    assert FIRST_ORDER["gd"] == GD


def test_the_limits():
    assert {name: tuple(LIMITS[name]) for name in SOLVERS} == {
        "gd": (1000, 100, 1000),
        "momentum": (1000, 100, 1000),
        "nesterov": (1000, 100, 1000),
        "adam": (1000, 100, 1000),
        "lbfgs": (50_000, 100, 4000),
        "lm": (5000, 30, 300),
        "scipy": (50_000, 100, 4000),
    }


def test_the_settings_of_lbfgs():
    assert LbfgsSettings() == (80, 1e-4, 0.9, 30, 2**62)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_each_trains_in(solver, dtype):
    """Levenberg–Marquardt in float64, all others in the network's dtype."""
    import numpy as np

    expected = "float64" if solver == "lm" else dtype
    assert registry.load(solver).training_dtype(np.dtype(dtype)) == expected


@pytest.mark.parametrize("solver", FIRST_ORDER)
def test_first_order_solvers_begin_at_rest(solver):
    memory = registry.load(solver).initial_memory(None, 7)
    assert memory.shape == (2, 7)
    assert not memory.any()
