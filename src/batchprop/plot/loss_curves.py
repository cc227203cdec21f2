"""``history``: the losses of a run, epoch by epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from batchprop.plot.canvas import BLUE, GREY, ORANGE, grid, one_axes
from batchprop.training.result import MEAN, TrainResult
from batchprop.validation.error_text import described, message

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = npt.NDArray[Any]

MAX_POINTS = 4000  # of a curve
LOSS_LABEL = "loss L (squared units of T)"


def history(result: TrainResult, *, ax: Axes | None = None) -> Axes:
    """Draw the losses of a run, and mark the epoch of the best network.

    Parameters
    ----------
    result : TrainResult
        What ``train`` returned.
    ax : matplotlib Axes or None
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib Axes
        Their lines are ``result.loss_curve`` and, with validation data,
        ``result.validation_loss_curve`` against the epoch.  The vertical axis is logarithmic if a
        loss is positive.

    Raises
    ------
    TypeError
        ``result`` is no TrainResult, or ``ax`` no Axes.
    ModuleNotFoundError
        matplotlib is not installed.

    Notes
    -----
    L is the sum over outputs of the mean squared error, so its unit is the square of that of T.
    The penalty is not part of it.  If there was a penalty, the best network is that of the lowest
    sum of loss and penalty.  Of several starts all training losses are drawn, those of the others
    in grey.  Of a curve with more than 4000 points, the lowest and the highest point of each of
    2000 equal pieces are drawn.

    Examples
    --------
    >>> import numpy as np
    >>> from batchprop import plot, train
    >>> X = np.linspace(-1.0, 1.0, 50)[np.newaxis]
    >>> result = train(X, X**2, hidden_size=3, max_epochs=10)
    >>> ax = plot.history(result)
    >>> ax.get_xlabel(), ax.get_ylabel(), ax.get_yscale()
    ('epoch', 'loss L (squared units of T)', 'log')
    """
    subject: object = result
    if not isinstance(subject, TrainResult):
        remedy = "Pass what batchprop.train returned."
        raise TypeError(message("result", "be a TrainResult", described(result), remedy))
    ax = one_axes(ax, (6.4, 4.0))
    for start in result.starts:
        epochs, losses = thinned(start.loss_curve)
        ax.plot(epochs, losses, color=GREY, linewidth=0.8, alpha=0.5, zorder=1)
    if result.starts:
        ax.plot([], [], color=GREY, linewidth=0.8, alpha=0.5, label="other starts")
    ax.plot(*thinned(result.loss_curve), color=BLUE, linewidth=1.6, label="training", zorder=3)
    curve, colour = result.loss_curve, BLUE
    if result.validation_loss_curve.size:
        curve, colour = result.validation_loss_curve, ORANGE
        style: dict[str, Any] = {"color": colour, "linewidth": 1.6, "linestyle": (0, (5, 1.5))}
        ax.plot(*thinned(curve), label="validation", zorder=4, **style)
    if result.combine != MEAN:
        epoch = result.best_epoch
        ax.axvline(epoch, color=GREY, linewidth=1.0, linestyle=":", zorder=2)
        label = f"best network: epoch {epoch:,}"
        marker: dict[str, Any] = {"color": colour, "markeredgecolor": "white", "markersize": 8}
        ax.plot([epoch], [curve[epoch]], "o", label=label, zorder=5, **marker)
    if np.nanmax(np.concatenate([result.loss_curve, curve]), initial=0.0) > 0.0:
        ax.set_yscale("log")
    ax.set(xlabel="epoch", ylabel=LOSS_LABEL)
    grid(ax)
    ax.legend(frameon=False)
    return ax


def thinned(curve: Array) -> tuple[Array, Array]:
    """Return epochs and losses of at most ``MAX_POINTS`` points, with all peaks and dips."""
    n = curve.size
    if n <= MAX_POINTS:
        return np.arange(n), curve
    bounds = np.linspace(0, n, MAX_POINTS // 2 + 1).astype(int)
    indices = {0, n - 1}
    for first, end in zip(bounds[:-1], bounds[1:], strict=True):
        piece = curve[first:end]
        indices |= {first + int(np.argmin(piece)), first + int(np.argmax(piece))}
    epochs = np.array(sorted(indices))
    return epochs, curve[epochs]
