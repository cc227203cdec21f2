"""``predicted_against_true`` and ``residuals``: how well a network predicts samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop.network import Network
from batchprop.plot.canvas import GREY, ORANGE, caption, grid, one_or_all, panels
from batchprop.plot.sample_cloud import draw_cloud
from batchprop.plot.subjects import OUTPUT, chosen_outputs, names_of, network_of, shown_of
from batchprop.predictive.predictive import Predictive
from batchprop.training.result import TrainResult
from batchprop.training.trained_network import checked_samples, errors_on

if TYPE_CHECKING:
    pass

Array = npt.NDArray[Any]

_GROUPS = 20  # whose mean residuals are drawn
_FEWEST = 10  # samples in a group


def predicted_against_true(
    network: Network | TrainResult | Predictive,
    X: npt.ArrayLike,
    T: npt.ArrayLike,
    *,
    sample_weight: npt.ArrayLike | None = None,
    outputs: int | list[int] | None = None,
    output_names: list[str] | None = None,
    axes: Any = None,
) -> Any:
    """Draw predictions against targets, with the line on which they are equal, RMSE and R².

    Pass samples that the network was not trained on: the training data look better than new ones.

    Parameters
    ----------
    network : Network, TrainResult or Predictive
        Predicts.
    X : array_like, shape (e, N)
        Inputs, one sample per column.
    T : array_like, shape (s, N)
        Targets.
    sample_weight : array_like, shape (N,), or None
        Weights that count in RMSE and R².  Samples of weight 0 are not drawn.
    outputs : int, sequence of int, or None
        Which outputs to draw; None draws the first nine.
    output_names : sequence of str, or None
        Names of all s outputs, with their units; None takes the row names of T if it is a data
        frame, or else y₀, y₁, ….
    axes : matplotlib Axes, sequence of Axes, or None
        Where to draw, a panel for each output; None makes a new figure.

    Returns
    -------
    matplotlib Axes, or ndarray of Axes
        The panels; with one output the only one.

    Raises
    ------
    TypeError, ValueError
        An argument is wrong; the message says which one and what to do.
    ModuleNotFoundError
        matplotlib is not installed.

    Notes
    -----
    RMSE, in units of T, and R² are those of all samples, as in ``result.score``.  Up to 5000
    samples are drawn as points.  More are counted in hexagons, whose colour has a logarithmic
    scale.

    Examples
    --------
    >>> import numpy as np
    >>> from batchprop import plot, train
    >>> X = np.linspace(-1.0, 1.0, 60)[np.newaxis]
    >>> result = train(X[:, ::2], X[:, ::2] ** 2, hidden_size=3, alpha=0.0)
    >>> ax = plot.predicted_against_true(result, X[:, 1::2], X[:, 1::2] ** 2, output_names=["x²"])
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('true x²', 'predicted x²')
    """
    fit = _measured(network, X, T, sample_weight, outputs, output_names)
    flat = panels(axes, len(fit.outputs), (4.6, 4.5))
    for ax, o, name in zip(flat, fit.outputs, fit.names, strict=True):
        ends = _ends(np.concatenate([fit.T[o], fit.Y[o]]), 0.04)
        ax.plot(ends, ends, color=GREY, linewidth=1.0, zorder=3, label="predicted = true")
        draw_cloud(ax, fit.T[o], fit.Y[o], (*ends, *ends))
        ax.set(xlim=ends, ylim=ends, aspect="equal")
        ax.set(xlabel=f"true {name}", ylabel=f"predicted {name}")
        grid(ax)
        box = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 2.0}
        place = {"transform": ax.transAxes, "va": "top", "zorder": 4, "color": "black"}
        ax.text(0.03, 0.97, fit.texts[o], bbox=box, **place)
    caption(axes, flat, shown_of(len(fit.outputs), len(fit.T), "outputs"))
    return one_or_all(flat)


def residuals(
    network: Network | TrainResult | Predictive,
    X: npt.ArrayLike,
    T: npt.ArrayLike,
    *,
    sample_weight: npt.ArrayLike | None = None,
    outputs: int | list[int] | None = None,
    output_names: list[str] | None = None,
    axes: Any = None,
) -> Any:
    """Draw residuals, predicted minus true, against predictions.

    A network that has learnt all that the inputs tell leaves a band around zero, without slope or
    bend.  A band that widens means noise that depends on the prediction.

    Parameters
    ----------
    network, X, T, sample_weight, outputs, output_names, axes
        As for ``predicted_against_true``.

    Returns
    -------
    matplotlib Axes, or ndarray of Axes
        The panels; with one output the only one.

    Raises
    ------
    TypeError, ValueError
        An argument is wrong; the message says which one and what to do.
    ModuleNotFoundError
        matplotlib is not installed.

    Notes
    -----
    From 100 samples on, a line joins the means of up to 20 groups of samples.  A group has
    neighbouring predictions, and all groups have the same number of samples.  Weights do not count
    in these means.

    Examples
    --------
    >>> import numpy as np
    >>> from batchprop import plot, train
    >>> X = np.linspace(-1.0, 1.0, 60)[np.newaxis]
    >>> result = train(X, X**2, hidden_size=3, alpha=0.0)
    >>> ax = plot.residuals(result, X, X**2)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('predicted $y_{0}$', 'predicted − true')
    """
    fit = _measured(network, X, T, sample_weight, outputs, output_names)
    flat = panels(axes, len(fit.outputs), (5.0, 3.8))
    for ax, o, name in zip(flat, fit.outputs, fit.names, strict=True):
        R = fit.Y[o] - fit.T[o]
        horizontal, vertical = _ends(fit.Y[o], 0.03), _ends(np.append(R, 0.0), 0.06)
        ax.axhline(0.0, color=GREY, linewidth=1.0, zorder=3)
        draw_cloud(ax, fit.Y[o], R, (*horizontal, *vertical))
        n_groups = min(_GROUPS, R.size // _FEWEST)
        if n_groups >= 10:
            order = np.array_split(np.argsort(fit.Y[o], kind="stable"), n_groups)
            centres = [fit.Y[o][group].mean() for group in order]
            means = [R[group].mean() for group in order]
            label = f"means of {n_groups} groups"
            ax.plot(centres, means, color=ORANGE, linewidth=1.8, zorder=4, label=label)
            ax.legend(frameon=False, loc="best")
        ax.set(xlim=horizontal, ylim=vertical)
        ax.set(xlabel=f"predicted {name}", ylabel="predicted − true")
        ax.set_title(fit.texts[o].replace("\n", "; "), fontsize="medium")
        grid(ax)
    caption(axes, flat, shown_of(len(fit.outputs), len(fit.T), "outputs"))
    return one_or_all(flat)


class _Fit(NamedTuple):
    """What a network predicts for samples, and which outputs are drawn."""

    Y: Array  # (s, N), without samples of weight 0
    T: Array
    outputs: list[int]
    names: list[str]  # of these outputs
    texts: list[str]  # RMSE and R² of all outputs


def _measured(
    model: object,
    X: npt.ArrayLike,
    T: npt.ArrayLike,
    sample_weight: npt.ArrayLike | None,
    outputs: object,
    output_names: object,
) -> _Fit:
    """Check the arguments of a plot; predict and measure."""
    network = network_of(model)
    s = network.shape.n_outputs
    names = names_of(output_names, s, OUTPUT, T, "output_names")
    drawn = chosen_outputs(outputs, s)
    inputs, targets, weight = checked_samples(network, X, T, sample_weight)
    errors = errors_on(network, inputs, targets, weight)
    Y, targets = network.predict(inputs).astype(np.float64), targets.astype(np.float64)
    if weight is not None:
        Y, targets = Y[:, weight > 0], targets[:, weight > 0]
    texts = [f"RMSE {rmse:.4g}" for rmse in errors.rmse]
    if Y.shape[1] > 1:  # a single sample has no R²
        pairs = zip(texts, errors.r2_of_outputs, strict=True)
        texts = [f"{text}\nR² {r2:.3f}" for text, r2 in pairs]
    return _Fit(Y, targets, drawn, [names[o] for o in drawn], texts)


def _ends(values: Array, margin: float) -> tuple[float, float]:
    """Return the ends of an axis that shows all values, with a margin on both sides."""
    low, high = float(values.min()), float(values.max())
    width = high - low
    pad = margin * width if width > 0 else 0.5 * abs(low) or 0.5
    return low - pad, high + pad
