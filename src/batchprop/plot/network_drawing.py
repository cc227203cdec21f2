"""``network``: the network itself, its units and weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from batchprop import scaling, validation
from batchprop.network import Network
from batchprop.plot.canvas import BLUE, ORANGE, one_axes
from batchprop.plot.subjects import INPUT, OUTPUT, names_of, network_of
from batchprop.predictive.predictive import Predictive
from batchprop.training.result import TrainResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = npt.NDArray[Any]

MAX_UNITS = 10  # of a layer that are drawn
MAX_VALUES = 12  # weights up to which their values are written
_RADIUS = 0.16  # of a unit; units are 1 apart
_WIDEST, _NARROWEST = 3.5, 0.2  # lines, in points
_ELLIPSIS = None  # a place of a layer that stands for the units that are not drawn


def network(
    network: Network | TrainResult | Predictive,
    X: npt.ArrayLike | None = None,
    *,
    names: list[str] | None = None,
    output_names: list[str] | None = None,
    max_units: int = MAX_UNITS,
    values: bool | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the units of a network, and its weights as lines: the larger a weight, the wider.

    Blue lines are positive weights, orange broken lines negative ones.  A weight of 0 has no line.

    Parameters
    ----------
    network : Network, TrainResult or Predictive
        The network.
    X : array_like, shape (e, N), or None
        Samples.  If they are passed, W_h and b_h are drawn as those for standardised inputs: each
        weight times the standard deviation of its input.  Then widths compare inputs of different
        units.  None draws the weights as they are.
    names, output_names : sequence of str, or None
        Names of all inputs and outputs; None is x₀, x₁, … and y₀, y₁, …, or the row names of X if
        it is a data frame.
    max_units : int
        The most units of a layer that are drawn, 3 or more.  Of a larger layer the first ones and
        the last one are drawn, with dots between them.
    values : bool or None
        Write each weight on its line and each bias under its unit; None does so for up to 12
        weights.
    ax : matplotlib Axes or None
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib Axes
        The drawing, without an axis.

    Raises
    ------
    TypeError, ValueError
        An argument is wrong; the message says which one and what to do.
    ModuleNotFoundError
        matplotlib is not installed.

    Notes
    -----
    Widths are proportional to the weight without its sign.  The widest line of the hidden layer is
    its largest weight, and likewise for each output, whose units may differ.  The largest weight
    may be one that is not drawn.

    Examples
    --------
    >>> from batchprop import Network, plot
    >>> drawn = Network([[1.0], [-2.0]], [0.0, 1.0], [[0.5, 1.0]], [0.0])
    >>> ax = plot.network(drawn)
    >>> [text.get_text() for text in ax.texts][:4]  # of the lines: W_h, then W_y
    ['+1', '−2', '+0.5', '+1']
    """
    trained = network_of(network)
    e, m, s = trained.shape
    labels = [
        names_of(names, e, INPUT, X),
        [f"$h_{{{k}}}$" for k in range(m)],
        names_of(output_names, s, OUTPUT, None, "output_names"),
    ]
    most = validation.count("max_units", max_units, least=3)
    layers = [_places(count, most) for count in (e, m, s)]
    W_h, W_y = trained.W_h.astype(np.float64), trained.W_y.astype(np.float64)
    b_h = trained.b_h.astype(np.float64)
    if X is not None:
        inputs = validation.inputs(X, e, dtype=trained.dtype)
        b_h = b_h + W_h @ inputs.mean(axis=1, dtype=np.float64)
        W_h = W_h * scaling.standard_deviations(inputs)
    n_drawn = [len([unit for unit in layer if unit is not _ELLIPSIS]) for layer in layers]
    if values is None:
        values = n_drawn[0] * n_drawn[1] + n_drawn[1] * n_drawn[2] <= MAX_VALUES
    else:
        values = validation.flag("values", values)

    height = max(map(len, layers))
    gap = max(2.4, 0.5 * height) if values else max(1.6, 0.34 * height)
    ax = one_axes(ax, (min(9.0, 2.2 + 1.9 * gap), min(9.0, 1.2 + 0.62 * height)))
    positions = [_positions(layer, column * gap) for column, layer in enumerate(layers)]
    signs: set[bool] = set()
    for layer, W in enumerate((W_h, W_y)):
        sources, targets = positions[layer], positions[layer + 1]
        largest = np.abs(W).max() if layer == 0 else np.abs(W).max(axis=1, keepdims=True)
        widths = np.divide(np.abs(W), largest, out=np.zeros_like(W), where=largest > 0)
        for k, end in targets.items():
            for j, start in sources.items():
                if W[k, j] != 0.0:
                    signs.add(bool(W[k, j] > 0.0))
                    width = max(_NARROWEST, _WIDEST * float(widths[k, j]))
                    _draw_weight(ax, start, end, float(W[k, j]), width)
                if values:
                    _write_weight(ax, start, end, float(W[k, j]))
    biases = [None, b_h, trained.b_y]
    for column, places in enumerate(layers):
        _draw_units(ax, places, positions[column], labels[column], column)
        bias = biases[column]
        if values and bias is not None:
            for k, (x, y) in positions[column].items():
                text = _signed(float(bias[k]))
                ax.text(x, y - _RADIUS - 0.04, text, ha="center", va="top", **_SMALL)
    _finish(ax, signs, 2 * gap, height)
    return ax


_SMALL: dict[str, Any] = {"fontsize": "x-small", "color": "black", "zorder": 5}


def _places(count: int, most: int) -> list[int | None]:
    """Return the units of a layer that are drawn, from top to bottom, with a place for dots."""
    if count <= most:
        return list(range(count))
    return [*range(most - 2), _ELLIPSIS, count - 1]


def _positions(layer: list[int | None], x: float) -> dict[int, tuple[float, float]]:
    """Return the position of each unit; the layer is centred at y = 0."""
    top = (len(layer) - 1) / 2
    return {unit: (x, top - place) for place, unit in enumerate(layer) if unit is not _ELLIPSIS}


def _draw_weight(
    ax: Axes, start: tuple[float, float], end: tuple[float, float], w: float, width: float
) -> None:
    colour, dashes = (BLUE, "-") if w >= 0 else (ORANGE, (0, (4.0, 1.0)))
    style: dict[str, Any] = {"linestyle": dashes, "linewidth": width, "alpha": 0.85}
    ax.plot([start[0], end[0]], [start[1], end[1]], color=colour, zorder=1, **style)


def _write_weight(ax: Axes, start: tuple[float, float], end: tuple[float, float], w: float) -> None:
    """Write a weight on its line, beyond the middle, where fewer lines cross."""
    x, y = (start[i] + 0.62 * (end[i] - start[i]) for i in (0, 1))
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.9}
    ax.text(x, y, _signed(w), ha="center", va="center", bbox=box, **_SMALL)


def _draw_units(
    ax: Axes,
    layer: list[int | None],
    positions: dict[int, tuple[float, float]],
    labels: list[str],
    column: int,
) -> None:
    """Draw the units of a layer, their names, and dots for those that are left out."""
    from matplotlib.patches import Circle

    for unit, (x, y) in positions.items():
        ax.add_patch(Circle((x, y), _RADIUS, facecolor="white", edgecolor="black", zorder=3))
        if column == 1:
            ax.text(x, y, labels[unit], ha="center", va="center", **_SMALL)
        else:
            side = -1 if column == 0 else 1
            align = "right" if column == 0 else "left"
            style: dict[str, Any] = {"color": "black", "zorder": 5}
            ax.text(x + side * (_RADIUS + 0.1), y, labels[unit], ha=align, va="center", **style)
    if _ELLIPSIS in layer:
        x = next(iter(positions.values()))[0]
        y = (len(layer) - 1) / 2 - layer.index(_ELLIPSIS)
        n_hidden = len(labels) - len(positions)
        ax.plot([x] * 3, [y - 0.18, y, y + 0.18], ".", color="black", markersize=3, zorder=3)
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.9}
        ax.text(x + 0.14, y, f"{n_hidden:,} more", ha="left", va="center", bbox=box, **_SMALL)


def _finish(ax: Axes, signs: set[bool], right: float, height: int) -> None:
    """Set the limits, and say what the colours mean."""
    from matplotlib.lines import Line2D

    meaning: dict[bool, tuple[str, str, Any]] = {
        True: ("positive weight", BLUE, "-"),
        False: ("negative weight", ORANGE, "--"),
    }
    lines = [
        Line2D([], [], color=colour, linestyle=style, label=text)
        for sign, (text, colour, style) in meaning.items()
        if sign in signs
    ]
    ax.legend(handles=lines, frameon=False, ncols=2, loc="upper center", bbox_to_anchor=(0.5, 0.0))
    ax.set(xlim=(-0.9, right + 0.9), ylim=(-height / 2 - 0.1, height / 2 + 0.1), aspect="equal")
    ax.set_axis_off()


def _signed(value: float) -> str:
    """Return a number with its sign and three digits."""
    return f"{value:+.3g}".replace("-", "−")
