"""Axes to draw into, matplotlib itself, and the colours of all plots."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from batchprop.validation.error_text import described, message

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Distinguishable with every kind of colour vision (Okabe and Ito, 2008).
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#777777"
MAX_COLUMNS = 4  # of panels in a new figure


def pyplot() -> Any:
    """Return ``matplotlib.pyplot``.

    Raises
    ------
    ModuleNotFoundError
        matplotlib is not installed.
    """
    try:
        import matplotlib.pyplot
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            message(
                "matplotlib",
                "be installed for batchprop.plot",
                f"{error.msg!r}",
                "Run pip install batchprop[plot].",
            ),
            name=error.name,
        ) from None
    return matplotlib.pyplot


def one_axes(ax: Axes | None, size: tuple[float, float]) -> Axes:
    """Return the axes that the user passed, or those of a new figure of this size in inches."""
    plt = pyplot()
    if ax is not None:
        return _checked(ax, "ax")
    _, ax = plt.subplots(figsize=size, layout="constrained")
    return ax


def panels(
    axes: Any,
    count: int,
    size: tuple[float, float],
    n_columns: int | None = None,
    share_y: bool | str = False,
) -> npt.NDArray[Any]:
    """Return ``count`` axes as a flat array: those of the user, or those of a new figure.

    Parameters
    ----------
    axes : Axes, array of Axes, or None
        As the user passed them.
    count : int
        How many panels the plot has.
    size : tuple of two floats
        Width and height of a panel in a new figure, in inches.
    n_columns : int or None
        Columns of panels in a new figure; None is at most ``MAX_COLUMNS``.
    share_y : bool or str
        ``sharey`` of ``matplotlib.pyplot.subplots``.
    """
    plt = pyplot()
    if axes is not None:
        passed = np.array(axes, dtype=object).ravel()
        if passed.size != count:
            raise ValueError(
                message(
                    "axes",
                    f"be {count} matplotlib Axes, one for each panel",
                    str(passed.size),
                    f"Make them with plt.subplots(1, {count}), or leave axes out.",
                )
            )
        for ax in passed:
            _checked(ax, "axes")
        return passed
    n_columns = min(count, MAX_COLUMNS) if n_columns is None else n_columns
    n_rows = math.ceil(count / n_columns)
    figure, grid = plt.subplots(
        n_rows,
        n_columns,
        figsize=(size[0] * n_columns, size[1] * n_rows),
        layout="constrained",
        sharey=share_y,
        squeeze=False,
    )
    flat: npt.NDArray[Any] = grid.ravel()
    for ax in flat[count:]:
        ax.remove()
    return flat[:count]


def one_or_all(axes: npt.NDArray[Any]) -> Any:
    """Return the only axes of an array, or the array if it has several."""
    return axes[0] if axes.size == 1 else axes


def grid(ax: Axes) -> None:
    """Draw quiet grid lines, and no frame on the right and at the top."""
    ax.grid(visible=True, alpha=0.25)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)


def caption(axes: Any, flat: npt.NDArray[Any], text: str) -> None:
    """Write a line above a new figure; say nothing above the axes of the user."""
    if axes is None and text:
        flat[0].get_figure().suptitle(text, fontsize="medium")


def plain(text: str) -> str:
    """Return text in which matplotlib finds no formula."""
    return text.replace("$", r"\$")


def _checked(ax: Any, name: str) -> Axes:
    from matplotlib.axes import Axes

    if not isinstance(ax, Axes):
        raise TypeError(
            message(
                name,
                "be matplotlib Axes",
                described(ax),
                "Make them with figure, ax = plt.subplots(), or leave the argument out.",
            )
        )
    return ax
