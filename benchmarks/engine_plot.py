"""The plot of the three engines: time per step against N, and speed-up over naive."""

from __future__ import annotations

from pathlib import Path

from benchmarks.plot_style import COLOURS, figure
from benchmarks.results import Results

# Naive in orange, vectorized in blue, fused in black; dashed lines for all cores.
LOOK = {
    "naive": {"color": COLOURS[1], "marker": "s"},
    "vectorized": {"color": COLOURS[2], "marker": "o"},
    "vectorized, all cores": {"color": COLOURS[2], "marker": "o", "mfc": "white", "ls": "--"},
    "fused": {"color": COLOURS[0], "marker": "D"},
    "fused, all cores": {"color": COLOURS[0], "marker": "D", "mfc": "white", "ls": "--"},
}


def draw(path: Path, results: Results) -> bool:
    """Write the plot; return whether there was something to draw."""
    rows = sorted(results.sweep, key=lambda row: row.what["n_samples"])
    if not rows:
        return False
    what = rows[0].what
    with figure(path, 2, (11.5, 4.4)) as (times, ratios):
        for column in results.columns():
            seen = [(row.what["n_samples"], row) for row in rows if column in row.seconds]
            if not seen:
                continue
            count = [n for n, _ in seen]
            times.loglog(
                count, [row.seconds[column] for _, row in seen], label=column, **LOOK[column]
            )
            over_naive = [(n, row.times_as_fast(column, "naive")) for n, row in seen]
            known = [(n, ratio) for n, ratio in over_naive if ratio is not None]
            if column != "naive":
                ratios.loglog(*zip(*known, strict=True), label=column, **LOOK[column])
        form = f"{what['net']}, {what['activation']}, {what['dtype']}"
        times.set(title=f"One step, {form}", xlabel="samples N", ylabel="seconds")
        ratios.set(title="… as many times as fast as naive", xlabel="samples N", ylabel="ratio")
        ratios.axhline(1, color=LOOK["naive"]["color"])
        ratios.annotate(
            "naive", (1, 1), (-4, 4), ("axes fraction", "data"), "offset points", ha="right"
        )
        times.legend()
    return True
