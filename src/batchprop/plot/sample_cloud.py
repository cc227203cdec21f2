"""Samples as points, or as counts in hexagons where there are too many points to see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from batchprop.plot.canvas import BLUE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = npt.NDArray[Any]

MAX_POINTS = 5000  # that are drawn one by one
_N_HEXAGONS = 50  # across a panel
_RASTERISED = 500  # points from which on a vector graphic holds them as an image


def draw_cloud(ax: Axes, x: Array, y: Array, extent: tuple[float, float, float, float]) -> None:
    """Draw samples at (x, y).

    Parameters
    ----------
    ax : Axes
        Where.
    x, y : ndarray, shape (N,)
        Coordinates.
    extent : tuple of four floats
        Left, right, lower and upper end of the panel.
    """
    if x.size <= MAX_POINTS:
        size, alpha = (22.0, 0.75) if x.size <= 400 else (7.0, 0.4)
        edge: dict[str, Any] = {"edgecolors": "white", "linewidths": 0.4}
        if x.size > 400:
            edge = {"linewidths": 0.0}
        rasterised = x.size > _RASTERISED
        ax.scatter(x, y, s=size, alpha=alpha, color=BLUE, rasterized=rasterised, zorder=2, **edge)
        return
    left, right, low, high = extent
    hexagons = ax.hexbin(
        x,
        y,
        gridsize=_N_HEXAGONS,
        extent=(left, right, low, high),
        bins="log",
        mincnt=1,
        cmap="viridis",
        edgecolors="face",
        linewidths=0.2,
        rasterized=True,
        zorder=2,
    )
    figure = ax.get_figure()
    assert figure is not None
    counts = np.asarray(hexagons.get_array())
    label = f"samples in a hexagon ({x.size:,} in all)"
    if counts.size:
        figure.colorbar(hexagons, ax=ax, label=label, shrink=0.9)
