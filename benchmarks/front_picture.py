"""Draw the picture of README: predictions for held-out cars, and the time of a step beside others.

python -m benchmarks.front_picture docs/images/front.png
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

import batchprop
from benchmarks import markdown
from benchmarks.peers import figures
from benchmarks.peers.libraries import LIBRARIES
from benchmarks.peers.summary import OURS, Row
from benchmarks.plot_style import COLOURS, figure

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "examples" / "data" / "auto_mpg.csv"
PUBLISHED = ROOT / "docs" / "benchmarks"
CASE = "uci/tanh/float32"
LEVEL = 0.9
DOTS, BARS, QUIET = COLOURS[2], COLOURS[8], "#777777"


def cars() -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Return (X, T) of the rows to fit and of a fifth that is held out, the split of the demo."""
    table = np.loadtxt(TABLE, delimiter=",", skiprows=1)
    order = np.random.default_rng(0).permutation(len(table))
    held_out, fitted = np.split(table[order].T, [len(table) // 5], axis=1)
    return (fitted[1:], fitted[:1]), (held_out[1:], held_out[:1])


def predictions(panel: Any) -> None:
    """Plot what the call without settings predicts for held-out cars, with its intervals."""
    (X, T), (X_new, T_new) = cars()
    result = batchprop.train(X, T, uncertainty="laplace", progress=False)
    Y = result.network.predict(X_new)[0]
    lower, upper = result.predictive.interval(X_new, LEVEL)
    rmse = float(np.sqrt(np.mean((Y - T_new[0]) ** 2)))
    ends = [min(lower.min(), T_new.min()) - 1.0, max(upper.max(), T_new.max()) + 1.0]
    panel.plot(ends, ends, color=QUIET, linewidth=1.0)
    panel.vlines(T_new[0], lower[0], upper[0], color=DOTS, alpha=0.25, linewidth=3.0)
    panel.scatter(T_new[0], Y, s=24, color=DOTS, edgecolor="white", linewidth=0.5, zorder=3)
    panel.set(
        title=f"{Y.size} cars held out: error {rmse:.3g} mpg (bars: {LEVEL:.0%} intervals)",
        xlabel="true miles per gallon",
        ylabel="predicted",
        xlim=ends,
        ylim=ends,
        aspect="equal",
    )


def row_of(kind: figures.Figures) -> Row | None:
    """Return the row of the case with all threads."""
    rows = [row for row in kind.rows if row.case.name == CASE and row.best_peer]
    return max(rows, key=lambda row: row.threads, default=None)


def step_times(panel: Any, kind: figures.Figures, row: Row) -> None:
    """Plot a bar per library: the time of a training step."""
    times = {
        LIBRARIES[peer].title: (seconds, peer)
        for peer in LIBRARIES
        if LIBRARIES[peer].compared and (seconds := row.seconds(peer)) is not None
    }
    ordered = sorted(times.items(), key=lambda item: -item[1][0])
    for place, (title, (seconds, peer)) in enumerate(ordered):
        panel.barh(place, 1e3 * seconds, color=DOTS if peer == OURS else BARS, height=0.62)
        panel.text(1e3 * seconds, place, f"  {markdown.duration(seconds)}", va="center")
        panel.text(0.0, place, f"{title}  ", va="center", ha="right")
    panel.set(
        title=f"A full-batch step, {row.case.net}, N = {row.case.n_samples:,}, "
        f"{row.threads} threads, {kind.instruction_set}",
        xlabel="milliseconds (shorter is better)",
        yticks=[],
    )
    panel.margins(x=0.2)
    panel.grid(axis="y", visible=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=Path, help="the PNG to write")
    parser.add_argument("--kind", default="AVX2", help="of processor, whose times to show")
    options = parser.parse_args()
    kinds = {kind.instruction_set: kind for kind in figures.read_all(PUBLISHED)}
    row = row_of(kinds[options.kind]) if options.kind in kinds else None
    if row is None:
        raise SystemExit(f"{PUBLISHED} has no row of {CASE} for {options.kind}.")
    options.path.parent.mkdir(parents=True, exist_ok=True)
    with figure(options.path, 2, (12.0, 4.4), width_ratios=[1.0, 1.25]) as (left, right):
        predictions(left)
        step_times(right, kinds[options.kind], row)


if __name__ == "__main__":
    main()
