"""``plot.importance``: bars from the Jacobian."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop import Network, plot
from batchprop.plot import sensitivity
from batchprop.plot.sensitivity import importances

RNG = np.random.default_rng(0)
NETWORK = Network.initialize(4, 5, 2, seed=2)
X = RNG.standard_normal((4, 300)) * np.array([[1.0], [10.0], [0.1], [0.0]])


def expected(network, samples, std_of):
    J = network.jacobian(samples)
    return np.sqrt((J.astype(np.float64) ** 2).mean(axis=2)) * std_of.std(axis=1)


@pytest.mark.parametrize("activation", ["tanh", "relu", "softplus"])
def test_the_mean_square_of_slopes(activation, monkeypatch):
    network = Network(NETWORK.W_h, NETWORK.b_h, NETWORK.W_y, NETWORK.b_y, activation)
    monkeypatch.setattr(sensitivity, "_ELEMENTS", 56)  # seven samples at a time
    np.testing.assert_allclose(importances(network, X), expected(network, X, X), rtol=1e-12)


def test_slopes_are_finite_differences():
    step = 1e-6
    for j in range(3):
        moved = X.copy()
        moved[j] += step
        slopes = (NETWORK.predict(moved) - NETWORK.predict(X)) / step
        rms = np.sqrt((slopes**2).mean(axis=1)) * X[j].std()
        np.testing.assert_allclose(importances(NETWORK, X)[:, j], rms, rtol=1e-4)


def test_of_many_samples_some_count_for_slopes_and_all_for_deviations(monkeypatch):
    monkeypatch.setattr(sensitivity, "MAX_SAMPLES", 50)
    some = X[:, np.linspace(0, 299, 50).astype(int)]
    np.testing.assert_allclose(importances(NETWORK, X), expected(NETWORK, some, X), rtol=1e-12)


def test_bars_are_sorted_and_named():
    axes = plot.importance(NETWORK, X, names=list("abcd"), output_names=["m", "kg"])
    for o, ax in enumerate(axes):
        values = importances(NETWORK, X)[o]
        order = np.argsort(-values)
        np.testing.assert_allclose([bar.get_width() for bar in ax.patches], values[order])
        assert [label.get_text() for label in ax.get_yticklabels()] == ["abcd"[j] for j in order]
        assert ax.get_xlabel() == f"importance (units of {['m', 'kg'][o]})"
        low, high = ax.get_ylim()
        assert low > high  # the first bar is at the top
    assert axes[0].patches[-1].get_width() == 0.0  # the constant input


def test_some_of_many_inputs():
    wide = Network.initialize(30, 4, 1)
    samples = RNG.standard_normal((30, 40))
    ax = plot.importance(wide, samples)
    assert len(ax.patches) == 20
    assert ax.get_figure().get_suptitle() == "20 of 30 inputs"
    np.testing.assert_allclose(
        ax.patches[0].get_width(), importances(wide, samples).max(), rtol=1e-12
    )
    assert len(plot.importance(wide, samples, max_inputs=3).patches) == 3


def test_nothing_matters():
    constant = Network([[0.0]], [0.0], [[0.0]], [3.0])
    ax = plot.importance(constant, [[1.0, 2.0]], names="only")
    assert ax.get_xlim() == (0.0, 1.0)
    ax.get_figure().canvas.draw()
