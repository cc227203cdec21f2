"""A validation loss that leaves the finite numbers ends a run, one epoch back, for every solver."""

from __future__ import annotations

import math

import numpy as np
import pytest

from batchprop import train
from batchprop.engines.array_engine import ScaledObjective
from batchprop.solvers.settings import SOLVERS
from tests.problems import problem

CASE, HELD_OUT = problem(e=2, m=4, s=1, n_samples=30), problem(e=2, m=4, s=1, n_samples=17)
PLAIN = {"alpha": 0.0,
    "network": CASE.network, "engine": "vectorized", "tol": None, "gradient_tol": None,
    "X_val": HELD_OUT.X, "T_val": HELD_OUT.T,
}  # fmt: skip


def spoilt(monkeypatch, value, epoch):
    """Let the loss of the 17 samples be this number at an epoch."""
    reported, told = ScaledObjective.reported_loss.fget, []

    def other(self):
        found = reported(self)
        if self._data[0].shape[1] == 17:
            told.append(found)
            return value if len(told) == epoch + 1 else found
        return found

    monkeypatch.setattr(ScaledObjective, "reported_loss", property(other))


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("epoch", [1, 4])
@pytest.mark.parametrize("solver", SOLVERS)
def test_the_step_that_led_there_is_taken_back(solver, epoch, value, monkeypatch):
    before = train(CASE.X, CASE.T, solver=solver, max_epochs=epoch - 1, **PLAIN)
    spoilt(monkeypatch, value, epoch)
    with pytest.warns(RuntimeWarning, match="NaN or infinite"):
        result = train(CASE.X, CASE.T, solver=solver, max_epochs=9, **PLAIN)
    assert (result.stop_reason, result.n_epochs) == ("non_finite", epoch - 1)
    assert result.checkpoint.state.epoch[0] == epoch - 1
    np.testing.assert_array_equal(result.last_network.theta, before.last_network.theta)
    np.testing.assert_array_equal(result.network.theta, before.network.theta)
    np.testing.assert_array_equal(result.validation_loss_curve, before.validation_loss_curve)


@pytest.mark.parametrize("solver", SOLVERS)
def test_at_the_start_there_is_no_step_to_take_back(solver, monkeypatch):
    spoilt(monkeypatch, math.nan, 0)
    with pytest.warns(RuntimeWarning, match="at"):
        result = train(CASE.X, CASE.T, solver=solver, max_epochs=9, **PLAIN)
    assert (result.stop_reason, result.n_epochs) == ("non_finite", 0)
    np.testing.assert_array_equal(result.network.theta, CASE.network.theta)
