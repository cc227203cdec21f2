"""``response_curves``: how an output moves when one input moves."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop import validation
from batchprop.network import Network
from batchprop.plot.canvas import BLUE, GREY, MAX_COLUMNS, caption, grid, panels, pyplot
from batchprop.plot.sensitivity import evenly_spaced, importances
from batchprop.plot.subjects import (
    INPUT,
    OUTPUT,
    chosen_inputs,
    chosen_outputs,
    names_of,
    network_of,
    shown_of,
)
from batchprop.predictive.predictive import Predictive
from batchprop.training.result import TrainResult

Array = npt.NDArray[Any]

AT_MEDIAN, AVERAGE = "median", "average"
RANGE = (0.01, 0.99)  # quantiles between which an input is varied
N_POINTS = 100  # of a curve
MAX_LEVELS = 10  # distinct values up to which an input is varied over these alone
MAX_SAMPLES = 500  # whose predictions are averaged
MAX_OUTPUTS = 3  # rows of panels
MAX_INPUTS = 8  # panels of a single output
MAX_COLUMNS_OF_SEVERAL = 4  # panels of each of several outputs


def response_curves(
    network: Network | TrainResult | Predictive,
    X: npt.ArrayLike,
    *,
    kind: str = AT_MEDIAN,
    names: list[str] | None = None,
    inputs: int | list[int] | None = None,
    outputs: int | list[int] | None = None,
    output_names: list[str] | None = None,
    axes: Any = None,
) -> Any:
    """Draw how the predictions move when one input moves and the others stay.

    Parameters
    ----------
    network : Network, TrainResult or Predictive
        Predicts.
    X : array_like, shape (e, N)
        Samples, typically those that the network was trained on.  They say where inputs lie.
    kind : {"median", "average"}
        "median" holds the other inputs at their medians.  "average" draws the mean prediction for
        samples whose other inputs are as they are in X, the partial dependence of Friedman, *Greedy
        Function Approximation*, Annals of Statistics 29 (2001).
    names : sequence of str, or None
        Names of the inputs; None takes the row names of X if it is a data frame, or else x₀, x₁, ….
    inputs : int, sequence of int, or None
        Which inputs to vary.  None takes the most important ones, in the order of
        ``batchprop.plot.importance``: eight for one output, four for several.  With several outputs
        the importance counts as a share of that of the output's first input.
    outputs : int, sequence of int, or None
        Which outputs to draw; None draws the first three.
    output_names : sequence of str, or None
        Names of all s outputs, with their units; None is y₀, y₁, ….
    axes : sequence of matplotlib Axes, or None
        Where to draw: a panel for each input, and the next row for the next output.  None makes a
        new figure.

    Returns
    -------
    ndarray of matplotlib Axes, shape (number of outputs, number of inputs)
        The panels.  In a new figure, those of one output have the same vertical axis.

    Raises
    ------
    TypeError, ValueError
        An argument is wrong; the message says which one and what to do.
    ModuleNotFoundError
        matplotlib is not installed.

    Notes
    -----
    An input is varied from its 1 % to its 99 % quantile, so that the curve ends where the data end.
    The ticks inside the lower edge are its deciles.  An input with at most ten distinct values is
    varied over these alone, and its points are marked.  "average" uses 500 samples at most, evenly
    spaced in the order of the table.

    Where inputs vary together, both kinds predict for samples that do not exist, such as a heavy
    car with a small engine.  Read such curves with care.

    Examples
    --------
    >>> import numpy as np
    >>> from batchprop import Network, plot
    >>> network = Network([[1.0, 0.0]], [0.0], [[2.0]], [1.0], activation="identity")
    >>> X = np.random.default_rng(0).uniform(-1.0, 1.0, (2, 500))
    >>> panels = plot.response_curves(network, X)  # y = 2 x₀ + 1
    >>> panels.shape
    (1, 2)
    >>> x, y = panels[0, 0].lines[0].get_data()
    >>> bool(np.allclose(y, 2 * x + 1))
    True
    """
    pyplot()
    from matplotlib.ticker import MaxNLocator

    network = network_of(network)
    e, _, s = network.shape
    validation.choice("kind", kind, (AT_MEDIAN, AVERAGE))
    labels = names_of(names, e, INPUT, X)
    of_outputs = names_of(output_names, s, OUTPUT, None, "output_names")
    rows = chosen_outputs(outputs, s, MAX_OUTPUTS)
    columns = None if inputs is None else chosen_inputs(inputs, e)
    table = validation.inputs(X, e, dtype=network.dtype)
    if columns is None:
        most = MAX_INPUTS if len(rows) == 1 else MAX_COLUMNS_OF_SEVERAL
        columns = _most_important(importances(network, table)[rows], most)
    base = np.median(table, axis=1)[:, np.newaxis]
    if kind == AVERAGE:
        base = evenly_spaced(table, MAX_SAMPLES)

    flat, n_columns = _new_panels(axes, len(rows), len(columns))
    grid_of_axes = flat.reshape(len(rows), len(columns))
    for j, column in zip(columns, grid_of_axes.T, strict=True):
        values, are_levels = _values(table[j])
        curves = _responses(network, base, j, values)
        for o, ax in zip(rows, column, strict=True):
            style = {"marker": "o", "markersize": 4.0} if are_levels else {}
            ax.plot(values, curves[o], color=BLUE, linewidth=1.6, zorder=3, **style)
            if not are_levels:
                deciles = np.quantile(table[j], np.arange(1, 10) / 10)
                transform = ax.get_xaxis_transform()
                ax.vlines(deciles, 0.0, 0.04, color=GREY, linewidth=1.0, transform=transform)
            ax.xaxis.set_major_locator(
                MaxNLocator(5, steps=[1, 2, 2.5, 5, 10], integer=_are_integers(values, table[j]))
            )
            ax.set_xlabel(labels[j])
            grid(ax)
    for o, row in zip(rows, grid_of_axes, strict=True):
        for ax in row[::n_columns]:  # on the left
            ax.set_ylabel(of_outputs[o])
    texts = [shown_of(len(rows), s, "outputs"), shown_of(len(columns), e, "inputs")]
    others = "the others at their medians" if kind == AT_MEDIAN else "mean over samples"
    others = f"one input varied, {others}"
    caption(axes, flat, ", ".join(filter(None, [*texts, others])))
    return grid_of_axes


def _most_important(values: Array, most: int) -> list[int]:
    """Return the inputs with the largest share of any output's importance (s, e)."""
    largest = values.max(axis=1, keepdims=True)
    shares = np.divide(values, largest, out=np.zeros_like(values), where=largest > 0).max(axis=0)
    return [int(j) for j in np.argsort(-shares, kind="stable")[:most]]


def _values(x: Array) -> tuple[Array, bool]:
    """Return the values over which an input is varied, and whether they are all that it has."""
    levels = np.unique(x[:: max(1, x.size // 1000)])
    if levels.size <= MAX_LEVELS:
        levels = np.unique(x)
    if levels.size <= MAX_LEVELS:
        return levels.astype(np.float64), True
    low, high = np.quantile(x, RANGE)
    return np.linspace(low, high, N_POINTS), False


def _responses(network: Network, base: Array, j: int, values: Array) -> Array:
    """Return the mean prediction (s, len(values)) over samples whose input j is set to a value."""
    varied = np.repeat(base[:, np.newaxis, :], values.size, axis=1).astype(np.float64)
    varied[j] = values[:, np.newaxis]
    Y = network.predict(varied.reshape(base.shape[0], -1))
    means: Array = Y.astype(np.float64).reshape(Y.shape[0], values.size, -1).mean(axis=2)
    return means


def _new_panels(axes: Any, n_rows: int, n_inputs: int) -> tuple[npt.NDArray[Any], int]:
    """Return all panels, and how many of them stand side by side in a new figure.

    The panels of a single output are wrapped, those of several outputs have a row for each.
    """
    count = n_rows * n_inputs
    size = (4.4, 3.2) if count == 1 else (2.9, 2.5)
    if n_rows > 1:
        return panels(axes, count, size, n_inputs, share_y="row"), n_inputs
    return panels(axes, count, size, share_y=True), MAX_COLUMNS


def _are_integers(values: Array, x: Array) -> bool:
    """Tell whether ticks of an input should be whole numbers: if it is counted in those."""
    return bool((x[:1000] == np.round(x[:1000])).all() and np.ptp(values) >= 2)
