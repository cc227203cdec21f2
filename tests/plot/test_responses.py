"""``plot.response_curves``: predictions at varied inputs."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop import Network, plot
from batchprop.plot.responses import MAX_INPUTS, MAX_SAMPLES

RNG = np.random.default_rng(0)
NETWORK = Network.initialize(4, 5, 2, seed=2)
X = np.vstack([RNG.standard_normal((3, 400)), RNG.integers(0, 3, 400)])


def test_the_others_are_at_their_medians():
    axes = plot.response_curves(NETWORK, X, inputs=[2, 0])
    assert axes.shape == (2, 2)
    for column, j in enumerate([2, 0]):
        for o in range(2):
            x, y = axes[o, column].lines[0].get_data()
            samples = np.repeat(np.median(X, axis=1)[:, np.newaxis], x.size, axis=1)
            samples[j] = x
            np.testing.assert_allclose(y, NETWORK.predict(samples)[o], rtol=1e-12)
            np.testing.assert_allclose([x[0], x[-1]], np.quantile(X[j], [0.01, 0.99]))
            assert axes[o, column].get_xlabel() == f"$x_{{{j}}}$"
        assert axes[0, column].get_shared_y_axes().joined(axes[0, 0], axes[0, column])
    assert axes[1, 0].get_ylabel() == "$y_{1}$"
    assert axes[0, 1].get_ylabel() == ""


def test_the_mean_over_samples():
    axes = plot.response_curves(NETWORK, X, kind="average", inputs=1, outputs=0)
    x, y = axes[0, 0].lines[0].get_data()
    for value, mean in zip(x[::25], y[::25], strict=True):
        samples = X.copy()
        samples[1] = value
        assert mean == pytest.approx(NETWORK.predict(samples)[0].mean(), rel=1e-9)


def test_of_many_samples_some_are_averaged():
    many = np.tile(X, 3)
    axes = plot.response_curves(NETWORK, many, kind="average", inputs=1, outputs=0)
    x, y = axes[0, 0].lines[0].get_data()
    samples = many[:, np.linspace(0, 1199, MAX_SAMPLES).astype(int)].copy()
    samples[1] = x[7]
    assert y[7] == pytest.approx(NETWORK.predict(samples)[0].mean(), rel=1e-9)


def test_deciles_are_marked():
    axes = plot.response_curves(NETWORK, X, inputs=0, outputs=0)
    (ticks,) = axes[0, 0].collections
    marked = [segment[0, 0] for segment in ticks.get_segments()]
    np.testing.assert_allclose(marked, np.quantile(X[0], np.arange(1, 10) / 10))


def test_an_input_with_few_values_is_varied_over_these():
    axes = plot.response_curves(NETWORK, X, inputs=3, outputs=0)
    x, _ = axes[0, 0].lines[0].get_data()
    assert list(x) == [0.0, 1.0, 2.0]
    assert axes[0, 0].lines[0].get_marker() == "o"
    assert not axes[0, 0].collections


def test_rare_values_count():
    rare = np.zeros((4, 5001))
    rare[0, 3] = 7.0
    axes = plot.response_curves(NETWORK, rare, inputs=0, outputs=0)
    assert list(axes[0, 0].lines[0].get_xdata()) == [0.0, 7.0]


def test_the_most_important_inputs_come_first():
    W_h = np.diag([0.1, 3.0, 0.0, 1.0] + [0.01] * 8)
    wide = Network(W_h, np.zeros(12), np.ones((1, 12)), [0.0], activation="identity")
    samples = RNG.standard_normal((12, 50))
    axes = plot.response_curves(wide, samples)
    assert axes.shape == (1, MAX_INPUTS)
    assert [ax.get_xlabel() for ax in axes[0, :3]] == ["$x_{1}$", "$x_{3}$", "$x_{0}$"]
    title = axes[0, 0].get_figure().get_suptitle()
    assert title == "8 of 12 inputs, one input varied, the others at their medians"
    two = Network(W_h, np.zeros(12), np.ones((2, 12)), [0.0, 0.0], activation="identity")
    assert plot.response_curves(two, samples).shape == (2, 4)


def test_a_single_output_is_wrapped():
    wide = Network.initialize(6, 3, 1)
    axes = plot.response_curves(wide, RNG.standard_normal((6, 50)))
    grid = axes[0, 0].get_gridspec()
    assert (grid.nrows, grid.ncols) == (2, 4)
    labels = [bool(ax.get_ylabel()) for ax in axes[0]]
    assert labels == [True, False, False, False, True, False]


def test_float32_and_a_constant_input():
    network, samples = NETWORK.astype("float32"), X.astype("float32")
    samples[0] = 5.0
    axes = plot.response_curves(network, samples, inputs=[0, 1])
    assert list(axes[0, 0].lines[0].get_xdata()) == [5.0]
    axes[0, 0].get_figure().canvas.draw()


def test_unknown_kinds_and_inputs():
    with pytest.raises(ValueError, match="kind must be one of median, average"):
        plot.response_curves(NETWORK, X, kind="mean")
    with pytest.raises(ValueError, match="inputs must be below 4; got 4"):
        plot.response_curves(NETWORK, X, inputs=4)
