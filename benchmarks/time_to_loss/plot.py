"""The plot: a bar per problem that shows how many times as fast the default solver is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.plot_style import COLOURS, figure
from benchmarks.time_to_loss.tables import GOAL, Row, ratio
from benchmarks.time_to_loss.trainers import RIVALS

LEAST = 0.1  # position of the mark for a missing value


def draw(path: Path, rows: Sequence[Row]) -> bool:
    """Draw one panel per number of threads; a cross marks a loss that was not reached."""
    counts = sorted({row["threads"] for row in rows})
    names = list(dict.fromkeys(row["case"][0] for row in rows))
    titles = [title for title in RIVALS if any(title in row["marks"] for row in rows)]
    if not titles:
        return False
    height = 0.8 / len(titles)
    size = (5.2 * len(counts) + 1.6, 0.42 * len(names) + 1.6)
    with figure(path, len(counts), size, sharey=True) as panels:
        for panel, count in zip(panels, counts, strict=True):
            for row in rows:
                if row["threads"] != count:
                    continue
                for part, title in enumerate(titles):
                    if title not in row["marks"]:
                        continue
                    y = names.index(row["case"][0]) + height * (part - (len(titles) - 1) / 2)
                    times = ratio(row, title)
                    colour = COLOURS[part + 1]
                    if times is None:
                        panel.plot([LEAST], [y], "x", color=colour)
                    else:
                        panel.barh(y, times, height, color=colour)
            for part, title in enumerate(titles):
                panel.barh(0, 0, height, color=COLOURS[part + 1], label=f"than {title}")
            panel.set_xscale("log")
            for times, style in ((1, "-"), (GOAL, ":")):
                panel.axvline(times, color="#777777", linestyle=style, linewidth=1)
            title = "one thread" if count == 1 else f"{count} threads"
            panel.set(title=title, xlabel="times as fast, to the loss the other ends at")
        panels[0].set_yticks(range(len(names)), names)
        panels[0].set_ylim(len(names) - 0.5, -0.5)
        panels[-1].legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return True
