"""``plot.predicted_against_true`` and ``plot.residuals``: points, lines and figures."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.metrics import r2_score

from batchprop import Network, plot
from batchprop.plot import sample_cloud

RNG = np.random.default_rng(0)
NETWORK = Network.initialize(3, 4, 2, seed=3)
X = RNG.standard_normal((3, 90))
T = NETWORK.predict(X) + 0.2 * RNG.standard_normal((2, 90))
WEIGHT = RNG.integers(0, 3, 90).astype(float)


def points(ax):
    return np.asarray(ax.collections[0].get_offsets())


def test_the_points_are_the_samples():
    axes = plot.predicted_against_true(NETWORK, X, T)
    assert axes.shape == (2,)
    for o, ax in enumerate(axes):
        np.testing.assert_allclose(points(ax), np.c_[T[o], NETWORK.predict(X)[o]])
        assert ax.get_xlabel() == f"true $y_{{{o}}}$"
        assert ax.get_ylabel() == f"predicted $y_{{{o}}}$"


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weights"])
def test_rmse_and_r2_are_written(weight):
    ax = plot.predicted_against_true(NETWORK, X, T, sample_weight=weight, outputs=1)
    Y = NETWORK.predict(X)[1]
    rmse = np.sqrt(np.average((Y - T[1]) ** 2, weights=weight))
    r2 = r2_score(T[1], Y, sample_weight=weight)
    assert ax.texts[0].get_text() == f"RMSE {rmse:.4g}\nR² {r2:.3f}"
    assert len(points(ax)) == (90 if weight is None else np.count_nonzero(WEIGHT))


def test_the_line_is_where_both_are_equal():
    ax = plot.predicted_against_true(NETWORK, X, T, outputs=0, output_names=["mpg", "l"])
    x, y = ax.lines[0].get_data()
    np.testing.assert_array_equal(x, y)
    assert ax.get_xlim() == ax.get_ylim() == (min(x), max(x))
    assert min(x) < min(T[0].min(), NETWORK.predict(X)[0].min())
    assert ax.get_aspect() == 1.0
    assert ax.get_xlabel() == "true mpg"


def test_residuals_are_predicted_minus_true():
    axes = plot.residuals(NETWORK, X, T)
    Y = NETWORK.predict(X)
    for o, ax in enumerate(axes):
        np.testing.assert_allclose(points(ax), np.c_[Y[o], Y[o] - T[o]])
        assert list(ax.lines[0].get_ydata()) == [0.0, 0.0]
        assert len(ax.lines) == 1  # too few samples for means of groups
        assert ax.get_title().startswith("RMSE 0.")


def test_means_of_groups_of_neighbours():
    N = 1007
    inputs = RNG.standard_normal((3, N))
    Y = NETWORK.predict(inputs)[:1]
    targets = np.vstack([Y - 0.3 * Y**2, Y])  # a residual of 0.3 y²
    ax = plot.residuals(NETWORK, inputs, targets, outputs=0)
    x, means = ax.lines[1].get_data()
    assert len(x) == 20
    assert (np.diff(x) > 0).all()
    np.testing.assert_allclose(means, 0.3 * x**2, atol=0.05)
    assert ax.lines[1].get_label() == "means of 20 groups"
    assert np.mean(means) == pytest.approx(np.mean(0.3 * Y**2), rel=0.01)


def test_many_samples_are_counted(monkeypatch):
    monkeypatch.setattr(sample_cloud, "MAX_POINTS", 89)
    ax = plot.predicted_against_true(NETWORK, X, T, outputs=0)
    assert np.sum(ax.collections[0].get_array()) == 90
    colorbar = ax.get_figure().axes[1]
    assert colorbar.get_ylabel() == "samples in a hexagon (90 in all)"
    ax.get_figure().canvas.draw()


def test_the_first_nine_of_many_outputs():
    wide = Network.initialize(2, 3, 12)
    inputs = X[:2]
    axes = plot.residuals(wide, inputs, wide.predict(inputs))
    assert axes.shape == (9,)
    assert axes[0].get_figure().get_suptitle() == "9 of 12 outputs"
    assert plot.residuals(wide, inputs, wide.predict(inputs), outputs=[11, 2]).shape == (2,)


@pytest.mark.parametrize("draw", [plot.predicted_against_true, plot.residuals])
@pytest.mark.parametrize("n", [1, 3])
def test_samples_that_do_not_differ(draw, n):
    constant = Network([[0.0]], [0.0], [[0.0]], [3.0])
    ax = draw(constant, np.ones((1, n)), np.full((1, n), 3.0))
    texts = [text.get_text() for text in ax.texts] + [ax.get_title()]
    assert any("R² 1.000" in text for text in texts) == (n > 1)  # one sample has no R²
    ax.get_figure().canvas.draw()


@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_raw_units(unit):
    scaled = Network(NETWORK.W_h, NETWORK.b_h, unit * NETWORK.W_y, unit * NETWORK.b_y)
    ax = plot.predicted_against_true(scaled, X, unit * T, outputs=0)
    plain = plot.predicted_against_true(NETWORK, X, T, outputs=0)
    np.testing.assert_allclose(ax.get_xlim(), np.multiply(unit, plain.get_xlim()))
    assert ax.texts[0].get_text().split("R²")[1] == plain.texts[0].get_text().split("R²")[1]
    plt.close("all")
