"""The style of the plots: colours, markers and axes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt

# Okabe and Ito's colours, distinguishable for colour-blind readers.
COLOURS = ("#000000", "#E69F00", "#0072B2", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#8C6D1F",
           "#777777")  # fmt: skip
MARKS = "osD^vPX*<"
FRAME = {
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


@contextmanager
def figure(path: Path, columns: int, size: tuple[float, float], **more: Any) -> Iterator[Any]:
    """Yield a row of axes to draw on; the figure is written at the end."""
    with plt.rc_context(FRAME):
        drawn, axes = plt.subplots(
            1, columns, figsize=size, layout="constrained", squeeze=False, **more
        )
        yield axes[0]
        drawn.savefig(path)
        plt.close(drawn)
