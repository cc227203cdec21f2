"""The demo's two plots."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import LogLocator, NullLocator

from batchprop.training.result import TrainResult

# Colour-blind safe (Okabe and Ito); line widths decrease, so that three equal curves all show.
STYLES = {
    "naive": {"color": "#E69F00", "linewidth": 6.0, "alpha": 0.75},
    "vectorized": {"color": "#0072B2", "linewidth": 2.6},
    "fused": {"color": "#000000", "linewidth": 1.3, "linestyle": (0, (4, 3))},
}
TRAIN, VALIDATION, QUIET = "#0072B2", "#D55E00", "#777777"
MANY = 400  # with more rows than this, points are drawn small
FEW_DOTS = {"s": 26, "edgecolor": "white", "linewidth": 0.5}
MANY_DOTS = {"s": 5, "alpha": 0.3, "linewidth": 0}
CORNER = {"ha": "right", "va": "bottom", "color": QUIET}
LOOK = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "font.size": 9.5,
    "savefig.dpi": 130,
}


class Curve(NamedTuple):
    """One engine's training."""

    engine: str
    loss: np.ndarray  # entry k is the loss before epoch k + 1
    seconds: float  # of the training run
    duration: str  # the same, formatted


class Judged(NamedTuple):
    """A predictor's results on the held-out rows, in the table's units."""

    name: str
    predicted: np.ndarray
    rmse: float
    r2: float
    interval: tuple[np.ndarray, np.ndarray] | None = None  # lower and upper ends


def learning_curve(path: Path, curves: Sequence[Curve], long: TrainResult) -> None:
    with plt.rc_context(LOOK):
        figure, (by_epoch, by_time, to_the_end) = plt.subplots(
            1, 3, figsize=(13.5, 4.2), layout="constrained"
        )
        for curve in curves:
            epochs = np.arange(len(curve.loss))
            label = f"{curve.engine}, {curve.duration}"
            style = STYLES[curve.engine]
            by_epoch.loglog(epochs[1:], curve.loss[1:], label=curve.engine, **style)
            # all epochs cost the same, so time is proportional to epochs
            seconds = curve.seconds * epochs[1:] / epochs[-1]
            by_time.loglog(seconds, curve.loss[1:], label=label, **style)
        by_epoch.set(title="Three engines, one curve", xlabel="epoch", ylabel="training loss L")
        by_time.set(title="… in their own time", xlabel="seconds", ylabel="training loss L")
        by_epoch.legend(loc="lower left")
        by_time.legend(loc="upper right", handlelength=1.2)

        epochs, best = np.arange(long.n_epochs + 1), long.best_epoch
        validation = long.validation_loss_curve
        to_the_end.loglog(epochs[1:], long.loss_curve[1:], color=TRAIN, label="training rows")
        to_the_end.loglog(epochs[1:], validation[1:], color=VALIDATION, label="validation rows")
        to_the_end.axvline(best, color=QUIET, linewidth=1.0, linestyle=":")
        to_the_end.plot(best, validation[best], "o", color=VALIDATION)
        to_the_end.set(
            title=f"To the end: best on validation at epoch {best:,}",
            xlabel="epoch",
            ylabel="loss L",
        )
        to_the_end.legend(loc="lower left")
        by_time.set_xlim(right=by_time.get_xlim()[1] * 30)  # room for the legend
        for panel in (by_epoch, by_time, to_the_end):
            panel.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 3.0, 5.0)))
            panel.yaxis.set_major_formatter("{x:g}")
            panel.yaxis.set_minor_locator(NullLocator())
        figure.savefig(path)
        plt.close(figure)


def predicted_against_true(
    path: Path, true: np.ndarray, judged: Sequence[Judged], target: str
) -> None:
    with plt.rc_context(LOOK):
        figure, panels = plt.subplots(
            1, len(judged), figsize=(5.2 * len(judged), 5.0), layout="constrained", sharey=True
        )
        ends_of_bars = [end for one in judged for end in one.interval or ()]
        everything = np.concatenate([true, *(one.predicted for one in judged), *ends_of_bars])
        margin = 0.04 * np.ptp(everything)
        ends = [everything.min() - margin, everything.max() + margin]
        for panel, one in zip(np.atleast_1d(panels), judged, strict=True):
            panel.plot(ends, ends, color=QUIET, linewidth=1.0, zorder=1)
            if one.interval is not None:
                panel.vlines(true, *one.interval, color=TRAIN, alpha=0.22, linewidth=3.0, zorder=1)
                panel.text(0.97, 0.03, "bars: 90 % intervals", **CORNER, transform=panel.transAxes)
            elif true.size <= MANY:
                panel.vlines(true, true, one.predicted, color=VALIDATION, alpha=0.35, linewidth=0.9)
            dots = FEW_DOTS if true.size <= MANY else MANY_DOTS
            panel.scatter(true, one.predicted, color=TRAIN, **dots)
            panel.set(xlim=ends, ylim=ends, aspect="equal", xlabel=f"true {target}")
            panel.set_title(one.name)
            figures = f"RMSE {one.rmse:.3g} {target}\nR² {one.r2:.3f}"
            panel.text(0.03, 0.97, figures, transform=panel.transAxes, va="top", fontsize=11)
        np.atleast_1d(panels)[0].set_ylabel(f"predicted {target}")
        figure.savefig(path)
        plt.close(figure)
