"""``plot.history``: its lines are the curves of the result."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from batchprop import plot, train
from batchprop.plot.loss_curves import LOSS_LABEL, MAX_POINTS, thinned
from tests.problems import problem

CASE = problem()
OPTIONS = {"hidden_size": 4, "solver": "gd", "max_epochs": 15, "tol": None}


@pytest.fixture(scope="module")
def plain():
    return train(CASE.X, CASE.T, **OPTIONS)


@pytest.fixture(scope="module")
def validated():
    return train(CASE.X, CASE.T, X_val=CASE.X + 1, T_val=CASE.T, **OPTIONS)


def lines(ax):
    return {line.get_label(): line.get_data() for line in ax.lines}


def test_the_training_curve(plain):
    ax = plot.history(plain)
    epochs, losses = lines(ax)["training"]
    np.testing.assert_array_equal(epochs, np.arange(16))
    np.testing.assert_array_equal(losses, plain.loss_curve)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", LOSS_LABEL)
    assert ax.get_yscale() == "log"
    assert "squared units of T" in LOSS_LABEL


def test_the_validation_curve_and_the_best_epoch(validated):
    shown = lines(plot.history(validated))
    np.testing.assert_array_equal(shown["validation"][1], validated.validation_loss_curve)
    best = validated.best_epoch
    assert shown[f"best network: epoch {best}"] == ([best], [validated.validation_loss_curve[best]])


def test_without_validation_data_the_mark_is_on_the_training_curve(plain):
    shown = lines(plot.history(plain))
    assert "validation" not in shown
    best = plain.best_epoch
    assert shown[f"best network: epoch {best}"] == ([best], [plain.loss_curve[best]])


@pytest.mark.parametrize("combine", ["best", "mean"])
def test_all_starts_are_drawn(combine):
    result = train(CASE.X, CASE.T, n_init=3, combine=combine, **OPTIONS)
    ax = plot.history(result)
    shown = [line.get_ydata() for line in ax.lines]
    for start in result.starts:
        assert any(np.array_equal(start.loss_curve, losses) for losses in shown)
    assert "other starts" in lines(ax)
    marked = any(label.startswith("best network") for label in lines(ax))
    assert marked == (combine == "best")  # the mean is the network of no epoch


@pytest.mark.parametrize("curve", [np.zeros(3), np.array([np.nan])], ids=["zeros", "nan"])
def test_losses_without_a_logarithm(plain, curve):
    ax = plot.history(replace(plain, loss_curve=curve, best_epoch=0))
    assert ax.get_yscale() == "linear"
    ax.get_figure().canvas.draw()


def test_long_curves_keep_their_peaks_and_ends():
    curve = np.random.default_rng(0).uniform(1.0, 2.0, 123_457)
    curve[[777, 100_001]] = 9.0, 0.5
    epochs, losses = thinned(curve)
    assert len(epochs) <= MAX_POINTS + 2
    np.testing.assert_array_equal(losses, curve[epochs])
    assert (np.diff(epochs) > 0).all()
    assert {0, 777, 100_001, 123_456} <= set(epochs.tolist())
    assert thinned(curve[:MAX_POINTS])[0].size == MAX_POINTS


def test_what_is_no_result_is_refused(plain):
    with pytest.raises(TypeError, match="result must be a TrainResult; got Network"):
        plot.history(plain.network)
