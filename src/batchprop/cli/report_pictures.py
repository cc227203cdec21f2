"""The pictures of the report, as SVG, with matplotlib."""

from __future__ import annotations

import io
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

# Colour-blind safe (Okabe and Ito).
_BLUE, _RED, _GREY = "#0072B2", "#D55E00", "#777777"
_MANY = 2000  # points above which a cloud is drawn as a bitmap
_MAX_BARS = 20
_LOOK = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.alpha": 0.25,
    "font.size": 9.5,
    "legend.frameon": False,
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


def history(loss_curve: Array) -> bytes:
    """Draw the training loss after each epoch."""

    def draw(figure: Any) -> None:
        axes = figure.add_subplot()
        axes.plot(np.arange(len(loss_curve)), loss_curve, color=_BLUE, linewidth=1.6)
        axes.set(xlabel="epoch", ylabel="training loss L", title="Training")
        finite = loss_curve[np.isfinite(loss_curve)]
        if finite.size and finite.min() > 0:
            axes.set_yscale("log")
            axes.yaxis.set_major_formatter("{x:g}")
            axes.yaxis.set_minor_formatter("{x:g}")

    return _svg(draw, 5.2, 3.6)


def predicted_against_true(T: Array, Y: Array, target: str, rows: str) -> bytes:
    """Draw predictions of one target over its true values."""

    def draw(figure: Any) -> None:
        axes = figure.add_subplot()
        low, high = min(T.min(), Y.min()), max(T.max(), Y.max())
        margin = 0.04 * (high - low) or 1.0
        ends = [low - margin, high + margin]
        axes.plot(ends, ends, color=_GREY, linewidth=1.0)
        _cloud(axes, T, Y)
        axes.set(xlim=ends, ylim=ends, aspect="equal")
        axes.set(xlabel=f"true {target}", ylabel=f"predicted {target}")
        axes.set_title(f"Predicted against true ({rows})")

    return _svg(draw, 4.4, 4.4)


def residuals(T: Array, Y: Array, target: str, rows: str) -> bytes:
    """Draw predicted minus true values over the predictions."""

    def draw(figure: Any) -> None:
        axes = figure.add_subplot()
        axes.axhline(0.0, color=_GREY, linewidth=1.0)
        _cloud(axes, Y, Y - T)
        axes.set(xlabel=f"predicted {target}", ylabel=f"predicted − true {target}")
        axes.set_title(f"Residuals ({rows})")

    return _svg(draw, 5.2, 4.4)


def importance(names: Sequence[str], growth: Array, target: str) -> bytes:
    """Draw by how much the error grows when a column is shuffled, the largest on top."""
    order = np.argsort(growth)[-_MAX_BARS:]

    def draw(figure: Any) -> None:
        axes = figure.add_subplot()
        axes.barh([names[k] for k in order], growth[order], color=_BLUE)
        axes.axvline(0.0, color=_GREY, linewidth=1.0)
        axes.grid(visible=False, axis="y")
        axes.set(xlabel=f"growth of the RMSE of {target}")
        axes.set_title("Importance of the columns")

    return _svg(draw, 5.2, max(2.0, 1.2 + 0.26 * len(order)))


def _cloud(axes: Any, x: Array, y: Array) -> None:
    """Draw points, so that many of them do not hide one another."""
    many = x.size > _MANY
    axes.scatter(
        x, y, s=5 if many else 18, color=_BLUE, alpha=0.3 if many else 0.7, linewidth=0,
        rasterized=many,
    )  # fmt: skip


def _svg(draw: Any, width: float, height: float) -> bytes:
    """Return a figure as SVG.  No window is opened and the user's own figures are not touched."""
    matplotlib, figures = import_module("matplotlib"), import_module("matplotlib.figure")
    with matplotlib.rc_context(_LOOK):
        figure = figures.Figure(figsize=(width, height), layout="constrained")
        draw(figure)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()
