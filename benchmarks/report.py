"""Convert the suites' JSON into tables and a plot that compare naive, vectorized and fused.

python -m benchmarks.report build/bench/pytest.json
python -m benchmarks.report build/bench/pytest.json --output docs/benchmarks
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks import machine, markdown
from benchmarks.engine_plot import draw
from benchmarks.results import Results, Row, load

ROOT = Path(__file__).resolve().parent.parent
RIVALS = (
    ("naive ÷ fused", "fused", "naive"),
    ("vectorized ÷ fused", "fused", "vectorized"),
    ("vectorized ÷ fused, all cores", "fused, all cores", "vectorized, all cores"),
)
COLD = {
    "test_import": "`import batchprop`",
    "test_first_train_with_an_empty_cache": "first `train` after installing, compiling its kernels",
    "test_first_train_with_a_warm_cache": "first `train` in a new process",
}


def engines_table(results: Results, rows: Sequence[Row]) -> str:
    """Return one row per case: its description, each engine's time, the speed-up of fused."""
    columns = results.columns()
    rivals = [rival for rival in RIVALS if rival[1] in columns]
    body = []
    for row in rows:
        what = row.what
        times = [row.seconds.get(column) for column in columns]
        cells = markdown.bold_least([markdown.duration(time) for time in times], times)
        ratios = [markdown.ratio(row.times_as_fast(*pair)) for _, *pair in rivals]
        sigma = f"{what['activation']}, {what['dtype']}"
        body.append([what["net"], f"{what['n_samples']:,}", sigma, *cells, *ratios])
    head = ["net", "N", "σ, dtype", *columns, *(name for name, *_ in rivals)]
    return markdown.table(head, body, left=1)


def cold_table(results: Results) -> str:
    rows = []
    for name, title in COLD.items():
        if name in results.cold:
            parts = results.cold[name]
            inside = parts.get("first_train", parts["import"])
            rows.append([title, markdown.duration(inside), markdown.duration(parts["process"])])
    return markdown.table(["cold start, fresh process", "time", "whole process"], rows)


def document(results: Results, plot: str) -> str:
    """Return the report; ``plot`` is the name of the picture, or empty if there is none."""
    where = machine.sentence(results.machine, results.date)
    parts = [
        "# The three engines",
        "Made by `make bench`. Times are medians of many rounds after a warm-up, the fastest in "
        "bold; every result was checked against a float64 reference before its time counted. "
        "The naive engine runs where it ends within a second. One thread unless it says "
        "“all cores”: NumPy's BLAS has as many threads as the fused engine.",
        where,
        "## One step: L(θ) and ∂L/∂θ, set-up not timed",
        engines_table(results, results.step),
        "## One epoch of a training run: `train`, plain gradient descent, set-up included",
        engines_table(results, results.train),
        "## Cold start",
        cold_table(results),
        "## Time of a step against N",
        engines_table(results, results.sweep),
    ]
    if plot:
        parts.append(f"![Time of a step against N, and how many times as fast as naive]({plot})")
    return "\n\n".join(parts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="Tables and a plot from the benchmark suites.")
    parser.add_argument("json", type=Path, help="what pytest --benchmark-json wrote")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "bench", metavar="FOLDER")
    options = parser.parse_args()
    results = load(options.json)
    options.output.mkdir(parents=True, exist_ok=True)
    plot = options.output / "engines.png"
    drawn = draw(plot, results)  # not if the sweep over N was left out
    text = document(results, plot.name if drawn else "")
    (options.output / "engines.md").write_text(text, "utf-8")
    (options.output / "engines.json").write_text(
        json.dumps(asdict(results), indent=1, ensure_ascii=False) + "\n", "utf-8"
    )
    print(text)
    names = "engines.md, engines.json and engines.png" if drawn else "engines.md and engines.json"
    print(f"Written: {names} in {options.output}")


if __name__ == "__main__":
    main()
