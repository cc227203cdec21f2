"""The plots: time against N, share of the floor, speed-up by number of threads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers.libraries import LIBRARIES
from benchmarks.peers.summary import FLOOR, OURS, Row
from benchmarks.peers.tables import threads_title
from benchmarks.peers.work import in_sweep
from benchmarks.plot_style import COLOURS, MARKS, figure

LOOK = {
    peer: {"color": COLOURS[index % len(COLOURS)], "marker": MARKS[index % len(MARKS)]}
    for index, peer in enumerate(LIBRARIES)
}


def time_against_n(path: Path, rows: Sequence[Row]) -> bool:
    """Plot the time per sample of a step, one panel per number of threads for which peers ran."""
    swept = sorted(rows, key=lambda row: row.case.n_samples)
    counts = sorted({row.threads for row in swept if row.best_peer})
    if not counts or len({row.case.n_samples for row in swept}) < 3:
        return False
    with figure(path, len(counts), (4.4 * len(counts) + 2.0, 4.2), sharey=True) as panels:
        for panel, count in zip(panels, counts, strict=True):
            some = [row for row in swept if row.threads == count]
            for peer in [*reversed(LIBRARIES), FLOOR]:
                points = [
                    (row.case.n_samples, 1e9 * time / row.case.n_samples)
                    for row in some
                    if (time := row.seconds(peer)) is not None
                ]
                if not points:
                    continue
                if peer == FLOOR:
                    look: dict[str, Any] = {"color": "#777777", "ls": ":", "label": "floor"}
                else:
                    look = {"label": LIBRARIES[peer].title, **LOOK[peer]}
                    look |= {"linewidth": 2.4, "zorder": 5} if peer == OURS else {"linewidth": 1.1}
                panel.loglog(*zip(*points, strict=True), **look)
            panel.set(title=threads_title(count), xlabel="samples N")
        case = swept[0].case
        panels[0].set_ylabel(f"ns a step and sample, {case.net}, {case.activation}, {case.dtype}")
        panels[-1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5), reverse=True)
    return True


def share_of_floor(path: Path, rows: Sequence[Row]) -> bool:
    """Plot a bar per case: the floor relative to our time, and to the best peer's."""
    known = [row for row in rows if row.share_of_floor is not None and row.best_peer]
    counts = sorted({row.threads for row in known})
    if not counts:
        return False
    cases = list(dict.fromkeys(row.case for row in known))
    height = 0.34 * len(cases) + 1.4
    with figure(path, len(counts), (4.6 * len(counts) + 2.6, height), sharey=True) as panels:
        for panel, count in zip(panels, counts, strict=True):
            by_case = {row.case: row for row in known if row.threads == count}
            for index, case in enumerate(cases):
                row = by_case.get(case)
                if row is None:
                    continue
                best, floor = row.best_peer, row.seconds(FLOOR) or 0.0
                theirs = 100 * floor / (row.seconds(best) or float("inf"))
                ours = 100 * (row.share_of_floor or 0.0)
                label = index == 0
                panel.barh(index - 0.19, ours, 0.36, color=COLOURS[0], label="ours" * label)
                panel.barh(index + 0.19, theirs, 0.36, color=COLOURS[6], label="best peer" * label)
                panel.annotate(
                    LIBRARIES[best].title,
                    (theirs, index + 0.19),
                    (3, 0),
                    textcoords="offset points",
                    va="center",
                    fontsize=7,
                )
            panel.axvline(100, color="#777777", linestyle=":")
            panel.set(title=threads_title(count), xlabel="share of the floor, %", xlim=(0, 115))
            panel.grid(axis="y", visible=False)
        panels[0].set_yticks(range(len(cases)), [case.name for case in cases])
        panels[0].invert_yaxis()
        panels[-1].legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return True


def scaling(path: Path, rows: Sequence[Row]) -> bool:
    """Plot our speed-up over one thread."""
    times: dict[str, dict[int, float]] = {}
    for row in rows:
        time = row.seconds(OURS)
        if time is not None:
            times.setdefault(row.case.name, {})[row.threads] = time
    lines = {
        name: {count: seconds[1] / time for count, time in sorted(seconds.items())}
        for name, seconds in times.items()
        if 1 in seconds and len(seconds) > 1
    }
    if not lines:
        return False
    counts = sorted({count for line in lines.values() for count in line})
    with figure(path, 1, (7.6, 4.8)) as (panel,):
        panel.plot(
            counts, counts, color="#777777", linestyle=":", label="a core each, nothing lost"
        )
        panel.plot(counts, [0.9 * n for n in counts], color="#bbbbbb", ls="--", label="0.9 a core")
        for index, (name, line) in enumerate(lines.items()):
            look = (
                COLOURS[index % len(COLOURS)],
                MARKS[(index // len(COLOURS) + index) % len(MARKS)],
            )
            panel.plot(line.keys(), line.values(), color=look[0], marker=look[1], label=name)
        panel.set(title="batchprop: speed-up by threads", xlabel="threads", xticks=counts)
        panel.set_ylabel("times as fast as one thread")
        panel.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8)
    return True


def _swept(prefix: str, rows: Sequence[Row]) -> dict[str, tuple[str, list[Row]]]:
    """Return, by title, the file and the rows of each plot against N."""
    return {
        f"Time of a step against N, {net}": (
            f"{prefix}-sweep-{net}.png",
            [row for row in rows if in_sweep(row.case) and row.case.net == net],
        )
        for net in dict.fromkeys(row.case.net for row in rows if in_sweep(row.case))
    }


def draw(folder: Path, prefix: str, rows: Sequence[Row]) -> None:
    """Write all plots that there are data for.

    Cases that serve only the plots against N are left out of the others.
    """
    for name, some in _swept(prefix, rows).values():
        time_against_n(folder / name, some)
    main = [row for row in rows if not in_sweep(row.case)]
    share_of_floor(folder / f"{prefix}-floor.png", main)
    scaling(folder / f"{prefix}-scaling.png", main)


def sweep_files(folder: Path, prefix: str, rows: Sequence[Row]) -> dict[str, str]:
    """Return the plots against N that are in a folder: file by title."""
    files = {title: name for title, (name, _) in _swept(prefix, rows).items()}
    return {title: name for title, name in files.items() if (folder / name).exists()}


def files(folder: Path, prefix: str, rows: Sequence[Row]) -> dict[str, str]:
    """Return all plots of a kind of processor that are in a folder: file by title."""
    others = {
        "Share of the floor": f"{prefix}-floor.png",
        "Speed-up by number of threads": f"{prefix}-scaling.png",
    }
    others = {title: name for title, name in others.items() if (folder / name).exists()}
    return sweep_files(folder, prefix, rows) | others
