"""The pictures of the report as SVG: those of ``batchprop.plot``, and bars for the columns."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from batchprop import plot
from batchprop.plot.canvas import BLUE, GREY, plain

if TYPE_CHECKING:
    from batchprop.network import Network
    from batchprop.training.result import TrainResult

Array = npt.NDArray[np.float64]

_MAX_BARS = 20
_LOOK = {
    "font.size": 9.5,
    "savefig.dpi": 130,
    "svg.hashsalt": "batchprop",  # the same picture has the same bytes
}


def is_available() -> bool:
    """Return whether matplotlib is installed."""
    try:
        import_module("matplotlib.figure")
    except ImportError:
        return False
    return True


def history(result: TrainResult) -> bytes:
    """Draw the training loss after each epoch."""
    return _svg(lambda axes: plot.history(result, ax=axes), "Training", (5.4, 3.8))


def predicted_against_true(
    network: Network, X: Array, T: Array, weights: Array | None, targets: list[str], o: int
) -> bytes:
    """Draw predictions of target ``o`` over its true values; rows of X and T are samples."""

    def draw(axes: Any) -> None:
        plot.predicted_against_true(
            network, X.T, T.T, sample_weight=weights, outputs=o, output_names=targets, axes=axes
        )

    return _svg(draw, "Predicted against true", (4.6, 4.6))


def residuals(
    network: Network, X: Array, T: Array, weights: Array | None, targets: list[str], o: int
) -> bytes:
    """Draw predicted minus true values of target ``o`` over the predictions."""

    def draw(axes: Any) -> None:
        plot.residuals(
            network, X.T, T.T, sample_weight=weights, outputs=o, output_names=targets, axes=axes
        )

    return _svg(draw, "Residuals", (5.4, 4.6))


def importance(names: Sequence[str], growth: Array, target: str) -> bytes:
    """Draw by how much the error grows when a column is shuffled, the largest on top."""
    order = np.argsort(growth)[-_MAX_BARS:]

    def draw(axes: Any) -> None:
        axes.barh(range(len(order)), growth[order], color=BLUE)
        axes.set_yticks(range(len(order)), [plain(names[k]) for k in order])
        axes.axvline(0.0, color=GREY, linewidth=1.0)
        axes.grid(axis="x", alpha=0.25)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set(xlabel=f"growth of the RMSE of {plain(target)}")

    return _svg(draw, "Importance of the columns", (5.4, max(2.0, 1.2 + 0.26 * len(order))))


def _svg(draw: Callable[[Any], object], title: str, size: tuple[float, float]) -> bytes:
    """Return a picture as SVG.  No window is opened and the user's own figures are not touched."""
    matplotlib, figures = import_module("matplotlib"), import_module("matplotlib.figure")
    with matplotlib.rc_context(_LOOK):
        figure = figures.Figure(figsize=size, layout="constrained")
        axes = figure.add_subplot()
        draw(axes)
        axes.set_title(title, loc="left", fontsize=11)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()
