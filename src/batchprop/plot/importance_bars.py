"""``importance``: by how much each input moves an output."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop import validation
from batchprop.network import Network
from batchprop.plot.canvas import BLUE, caption, grid, one_or_all, panels
from batchprop.plot.sensitivity import importances
from batchprop.plot.subjects import (
    INPUT,
    OUTPUT,
    chosen_outputs,
    names_of,
    network_of,
    shown_of,
)
from batchprop.predictive.predictive import Predictive
from batchprop.training.result import TrainResult

_BAR = 0.26  # inches of height


def importance(
    network: Network | TrainResult | Predictive,
    X: npt.ArrayLike,
    *,
    names: list[str] | None = None,
    outputs: int | list[int] | None = None,
    output_names: list[str] | None = None,
    max_inputs: int = 20,
    axes: Any = None,
) -> Any:
    """Draw the importance of each input as a bar: its effect on an output, in units of the output.

    Parameters
    ----------
    network : Network, TrainResult or Predictive
        The network.
    X : array_like, shape (e, N)
        Samples, typically those that the network was trained on.
    names : sequence of str, or None
        Names of the inputs; None takes the row names of X if it is a data frame, or else x₀, x₁, ….
    outputs : int, sequence of int, or None
        Which outputs to draw; None draws the first nine.
    output_names : sequence of str, or None
        Names of all s outputs; None is y₀, y₁, ….
    max_inputs : int
        The most bars in a panel; the inputs of the smallest importance are left out.
    axes : matplotlib Axes, sequence of Axes, or None
        Where to draw, a panel for each output; None makes a new figure.

    Returns
    -------
    matplotlib Axes, or ndarray of Axes
        The panels; with one output the only one.  The longest bar is at the top.

    Raises
    ------
    TypeError, ValueError
        An argument is wrong; the message says which one and what to do.
    ModuleNotFoundError
        matplotlib is not installed.

    Notes
    -----
    The importance of input j for output o is the root mean square of the slope ∂y_o/∂x_j over the
    samples, times the standard deviation of x_j: by how much y_o typically changes if x_j alone
    changes by one standard deviation.  With more than 10,000 samples, the slopes are those at
    10,000 samples, evenly spaced in the order of the table.

    This says what the network uses, not what causes what.  Of inputs that vary together, one can
    take over the effect of the others.

    Examples
    --------
    >>> import numpy as np
    >>> from batchprop import Network, plot
    >>> network = Network([[3.0, -1.0]], [0.0], [[2.0]], [0.0], activation="identity")
    >>> X = np.array([[0.0, 2.0], [0.0, 20.0]])  # standard deviations 1 and 10
    >>> ax = plot.importance(network, X, names=["a", "b"])  # y = 6 a − 2 b
    >>> [float(bar.get_width()) for bar in ax.patches]
    [20.0, 6.0]
    """
    network = network_of(network)
    e, _, s = network.shape
    labels = names_of(names, e, INPUT, X)
    of_outputs = names_of(output_names, s, OUTPUT, None, "output_names")
    drawn, most = chosen_outputs(outputs, s), validation.count("max_inputs", max_inputs)
    inputs = validation.inputs(X, e, dtype=network.dtype)
    values = importances(network, inputs)
    n_bars = min(e, most)
    flat = panels(axes, len(drawn), (4.8, max(1.6, 0.9 + _BAR * n_bars)))
    for ax, o in zip(flat, drawn, strict=True):
        order = np.argsort(-values[o], kind="stable")[:n_bars]
        ax.barh(range(n_bars), values[o][order], color=BLUE, height=0.7)
        ax.set_yticks(range(n_bars), [labels[j] for j in order])
        ax.set_ylim(n_bars - 0.4, -0.6)
        ax.set_xlabel(f"importance (units of {of_outputs[o]})")
        if not values[o].any():
            ax.set_xlim(0.0, 1.0)
        grid(ax)
        ax.grid(visible=False, axis="y")
    texts = [shown_of(len(drawn), s, "outputs"), shown_of(n_bars, e, "inputs")]
    caption(axes, flat, ", ".join(filter(None, texts)))
    return one_or_all(flat)
