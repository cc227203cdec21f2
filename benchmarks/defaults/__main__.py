"""Compare calls without arguments: accuracy, rank and CPU seconds, one thread.

make bench-defaults ARGS="--data FOLDER"            all tables; without a folder, no UCI tables
make bench-defaults ARGS="--quick"                  a minute
make bench-defaults ARGS="--variants alpha=auto 'alpha=auto early_stopping=true'"
make bench-defaults ARGS="--tables 'Friedman*' steps --models batchprop ridge --resume"
"""

from __future__ import annotations

import argparse
import fnmatch
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import machine, markdown
from benchmarks.defaults import report, storage
from benchmarks.defaults.catalogue import NOISELESS, QUICK, TABLES, UCI, Noiseless, Table
from benchmarks.defaults.models import OTHERS, OURS, is_installed, title_of, variant
from benchmarks.defaults.runs import Plan, run_all
from benchmarks.defaults.scores import Result, Scores
from benchmarks.defaults.worker import Worker
from benchmarks.peers.environment import ROOT
from benchmarks.uci.tables import VARIABLE, Source

BUILD = ROOT / "build" / "bench-defaults"


@dataclass
class Options:
    """The command-line options."""

    data: str | None
    tables: list[str]
    models: list[str]
    variants: list[str]
    folds: int
    rows: int
    limit: float
    quick: bool
    resume: bool
    report_only: bool
    output: Path


def parsed(arguments: Sequence[str] | None) -> Options:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.defaults",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--data", help=f"folder of the UCI tables as .npz files (default: ${VARIABLE})")
    add("--tables", nargs="+", default=[], metavar="PATTERN", help="only those of such names")
    add("--models", nargs="+", default=[OURS, *OTHERS], choices=[OURS, *OTHERS])
    add("--variants", nargs="+", default=[], metavar="'NAME=JSON ...'",
        help="further calls of ours, each a group of arguments")  # fmt: skip
    add("--folds", type=int, default=5)
    add("--rows", type=int, default=2000, help="at most so many of a table")
    add("--limit", type=float, default=120.0, help="seconds of CPU time a fit")
    add("--quick", action="store_true", help="a few tables, two folds, 200 rows")
    add("--resume", action="store_true", help="keep the results that the output folder has")
    add("--report-only", action="store_true", help="of the results that the output folder has")
    add("--output", type=Path, default=BUILD, metavar="FOLDER", help="for report and results")
    options = Options(**vars(parser.parse_args(arguments)))
    if options.folds < 2 or options.rows < 10 or options.limit <= 0:
        parser.error(
            f"--folds must be at least 2, --rows at least 10 and --limit positive, got "
            f"{options.folds}, {options.rows} and {options.limit:g}."
        )
    if options.quick:
        options.folds, options.rows = 2, min(options.rows, 200)
    return options


def chosen(options: Options) -> list[Table | Noiseless]:
    """Return the tables to run; UCI tables only with a folder, or if their names are given."""
    available: list[Table | Noiseless] = [*TABLES, *NOISELESS]
    if options.tables:
        matching = [
            table
            for table in available
            if any(fnmatch.fnmatchcase(table.name, pattern) for pattern in options.tables)
        ]
        if not matching:
            names = ", ".join(table.name for table in available)
            raise SystemExit(f"--tables {' '.join(options.tables)} fits none of: {names}.")
        return matching
    if options.quick:
        return [table for table in available if table.name in QUICK]
    if options.data or os.environ.get(VARIABLE):
        return available
    print(f"Without the UCI tables: neither --data nor ${VARIABLE} names their folder.")
    return [table for table in available if table.name not in UCI]


def calls(options: Options) -> list[str]:
    """Return the models to run: those that are installed, and the variants of ours."""
    for text in options.variants:
        variant(text)  # exits with a message if it is none
    variants = [f"{OURS} {' '.join(text.split())}" for text in options.variants]
    return [*filter(is_installed, options.models), *variants]


def print_result(result: Result) -> None:
    if result.failed:
        score = result.note
    elif any(result.table == function.name for function in NOISELESS):
        score = f"RMSE/std {result.relative_error:.2g}"
    else:
        score = f"R² {result.r2:.3f}"
    seconds = markdown.duration(result.mean_seconds)
    print(f"{result.table}, {title_of(result.model)}: {score}, {seconds} a fit", flush=True)


def head_of(options: Options) -> dict[str, Any]:
    """Return the date, the machine, and the settings that all results of a file share."""
    return {"date": time.strftime("%Y-%m-%d"), "machine": machine.describe(),
            "n_folds": options.folds, "n_rows": options.rows, "limit": options.limit}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    options = parsed(arguments)
    path = options.output / "defaults.json"
    options.output.mkdir(parents=True, exist_ok=True)
    head, scores = head_of(options), Scores()
    if (options.resume and path.exists()) or options.report_only:
        stored, scores = storage.read(path)
        if options.report_only:
            head = stored
        elif any(stored[name] != head[name] for name in ("n_folds", "n_rows")):
            raise SystemExit(
                f"{path} has results of {stored['n_folds']} folds and {stored['n_rows']} rows, not "
                f"{options.folds} and {options.rows}. Choose the same, or another --output."
            )
    if not options.report_only:
        plan = Plan(chosen(options), calls(options), Source(options.data), options.rows,
                    options.folds)  # fmt: skip
        worker = Worker(options.limit)

        def keep(result: Result) -> None:
            print_result(result)
            storage.write(path, head, scores)

        try:
            run_all(plan, worker, scores, keep)
        finally:
            worker.close()
    text = report.document(scores, head)
    path.with_suffix(".md").write_text(text, "utf-8")
    print(text)
    print(f"Written: defaults.md and defaults.json in {options.output}")


if __name__ == "__main__":
    main()
