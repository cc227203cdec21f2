"""``plot.network``: lines are weights."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.patches import Circle

from batchprop import Network, plot
from batchprop.plot.canvas import BLUE, ORANGE

W_H = np.array([[1.0, -2.0], [0.5, 4.0], [0.0, -0.1]])
W_Y = np.array([[3.0, -1.5, 1.0], [-10.0, 20.0, 5.0]])
NETWORK = Network(W_H, [1.0, -2.0, 3.0], W_Y, [0.5, 0.0])


def weights(ax):
    """Return the lines between units: (start, end) -> line."""
    lines = [line for line in ax.lines if len(line.get_xdata()) == 2]
    return {tuple(zip(*line.get_data(), strict=True)): line for line in lines}


def units(ax):
    return [patch.center for patch in ax.patches if isinstance(patch, Circle)]


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_widths_and_colours():
    ax = plot.network(NETWORK)
    columns = sorted({x for x, _ in units(ax)})
    layers = [sorted((u for u in units(ax) if u[0] == x), key=lambda u: -u[1]) for x in columns]
    assert [len(layer) for layer in layers] == [2, 3, 2]
    drawn = weights(ax)
    assert len(drawn) == 11  # all but the weight of 0
    largest = {0: [4.0] * 3, 1: [3.0, 20.0]}
    for layer, W in enumerate((W_H, W_Y)):
        for (k, j), w in np.ndenumerate(W):
            line = drawn.get((layers[layer][j], layers[layer + 1][k]))
            if w == 0.0:
                assert line is None
                continue
            assert line.get_color() == (BLUE if w > 0 else ORANGE)
            assert line.is_dashed() == (w < 0)
            assert line.get_linewidth() == pytest.approx(
                max(0.2, 3.5 * abs(w) / largest[layer][k]), rel=1e-12
            )


def test_values_are_written_on_small_networks():
    ax = plot.network(NETWORK)
    for w in (*W_H.ravel(), *W_Y.ravel(), 1.0, -2.0, 3.0, 0.5, 0.0):
        assert f"{w:+.3g}".replace("-", "−") in texts(ax)
    assert "+20" not in texts(plot.network(NETWORK, values=False))
    larger = Network.initialize(5, 6, 1)
    numbers = len(texts(plot.network(larger))), len(texts(plot.network(larger, values=True)))
    assert numbers == (12, 12 + 36 + 7)  # names of units; and weights and biases


def test_with_samples_the_weights_are_those_for_standardised_inputs():
    X = np.array([[0.0, 2.0], [100.0, 300.0]])  # standard deviations 1 and 100
    ax = plot.network(NETWORK, X, names=["a", "b"])
    assert {"a", "b", "+400", "−200", "+0.5"} <= set(texts(ax))
    assert "−398" in texts(ax)  # the bias of the first unit, 1 + 1 · 1 − 2 · 200
    standardised = (X - X.mean(axis=1, keepdims=True)) / X.std(axis=1, keepdims=True)
    b_h = NETWORK.b_h + W_H @ X.mean(axis=1)
    same = Network(W_H * X.std(axis=1), b_h, W_Y, NETWORK.b_y)
    np.testing.assert_allclose(same.predict(standardised), NETWORK.predict(X))
    for bias in b_h:
        assert f"{bias:+.3g}".replace("-", "−") in texts(ax)


def test_large_layers_are_drawn_in_part():
    large = Network.initialize(784, 100, 12)
    ax = plot.network(large)
    assert len(units(ax)) == 3 * 9
    assert {"775 more", "91 more", "3 more", "$x_{7}$", "$x_{783}$", "$h_{99}$"} <= set(texts(ax))
    assert "$x_{8}$" not in texts(ax)
    assert len(weights(ax)) == 2 * 81
    assert len(units(plot.network(large, max_units=3))) == 3 * 2
    with pytest.raises(ValueError, match="max_units must be"):
        plot.network(large, max_units=2)


def test_a_layer_that_just_fits_is_complete():
    ax = plot.network(Network.initialize(10, 11, 1))
    assert len(units(ax)) == 10 + 9 + 1
    assert [text for text in texts(ax) if "more" in text] == ["2 more"]


def test_weights_of_zero():
    ax = plot.network(Network([[0.0]], [0.0], [[0.0]], [3.0]))
    assert not weights(ax)
    assert texts(ax).count("+0") == 3
    ax.get_figure().canvas.draw()


def test_the_legend_names_the_signs_that_are_drawn():
    def legend(network):
        return [text.get_text() for text in plot.network(network).get_legend().get_texts()]

    assert legend(NETWORK) == ["positive weight", "negative weight"]
    assert legend(Network([[1.0]], [0.0], [[2.0]], [0.0])) == ["positive weight"]
