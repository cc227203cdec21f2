"""Measure what a step costs on many machines, and compute N = 10⁹ from it.

python -m benchmarks.scaling_out                                     some minutes; prints the tables
python -m benchmarks.scaling_out --output docs/benchmarks --page docs/scaling-out.md
python -m benchmarks.scaling_out --report-only --output docs/benchmarks --page docs/scaling-out.md
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Sequence
from pathlib import Path

from benchmarks import markdown
from benchmarks.scaling_out import figures, paper_tables, tables
from benchmarks.scaling_out.networks import EVALUATIONS

ROOT = Path(__file__).resolve().parent.parent.parent


def all_tables(measured: figures.Figures) -> dict[str, str]:
    """Return the content of the page between its markers, by their names."""
    makers = tables.TABLES | paper_tables.TABLES
    return {f"scaling-out-{name}": make(measured) for name, make in makers.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="small networks, few repetitions")
    parser.add_argument("--report-only", action="store_true", help="from the stored figures")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "bench", metavar="FOLDER")
    parser.add_argument("--page", type=Path, metavar="FILE", help="a page to fill in")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    path = options.output / "scaling_out.json"
    if not options.report_only:
        options.output.mkdir(parents=True, exist_ok=True)
        evaluations = (EVALUATIONS[0], EVALUATIONS[3]) if options.quick else EVALUATIONS
        repetitions = 3 if options.quick else 7
        figures.write(
            path, figures.measure(lambda line: print(line, flush=True), evaluations, repetitions)
        )
    for name, content in all_tables(figures.read(path)).items():
        if options.page is None:
            print(f"{content}\n")
        else:
            markdown.fill(options.page, name, content)


if __name__ == "__main__":
    main()
