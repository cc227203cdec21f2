"""Time training to given losses for batchprop and other libraries, and write the report.

make bench-solvers                                          everything: an hour or two
make bench-solvers ARGS="--quick"                           a look, within minutes
make bench-solvers ARGS="--problems sinc 'friedman*' --data FOLDER"
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import machine, markdown
from benchmarks.peers.environment import ROOT
from benchmarks.time_to_loss import plot, problems, tables
from benchmarks.time_to_loss.runner import LOST, Plan, Record, run_problem
from benchmarks.time_to_loss.trainers import SOLVERS
from benchmarks.uci.tables import Source

BUILD = ROOT / "build" / "bench-solvers"
FULL = {"cap": 30.0, "budgets": (2.0, 10.0)}
QUICK = {"cap": 2.0, "budgets": (0.5, 2.0)}


def parser() -> argparse.ArgumentParser:
    make = argparse.ArgumentParser(
        prog="python -m benchmarks.time_to_loss",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = make.add_argument
    cores = len(machine.cores())
    add("--problems", nargs="+", default=[], help="names or patterns (default: all)")
    add("--solvers", nargs="+", default=list(SOLVERS), choices=list(SOLVERS))
    add("--threads", nargs="+", type=int, help=f"default: 1 and {cores}; 1 with --quick")
    add("--quick", action="store_true", help="small problems, 2 s a run at most")
    add("--cap", type=float, help="seconds that a run may take (default: 30)")
    add("--budgets", nargs="+", type=float, help="seconds to compare losses after")
    add("--data", help="folder of the UCI tables (default: $BATCHPROP_UCI, or from OpenML)")
    add("--python", default=sys.executable, help="of the environment that has the others")
    add("--timeout", type=float, default=1200.0, help="seconds until a process has ended")
    add("--output", type=Path, default=BUILD, metavar="FOLDER", help="for the report")
    add("--resume", action="store_true", help="go on from the runs that are there")
    add("--report-only", action="store_true", help="only write the report of those runs")
    add("--list", action="store_true", help="print the problems, and stop")
    return make


def _read(path: Path) -> list[Record]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _say(record: Record) -> None:
    end, detail = record.get("end"), record.get("note", "")
    if end:
        detail = f"{end['loss']:.4g} in {markdown.duration(end['seconds'])}, {end['reason']}"
    print(f"    {record['solver']:14} {record['status']:8} {detail}", flush=True)


def _source(options: argparse.Namespace) -> Source | None:
    """Return the source of the UCI tables; if there is none, print a note and return None."""
    source = Source(options.data)
    try:
        source.load("yacht")
    except SystemExit as reason:
        print(f"Without the UCI tables: {reason}")
        return None
    return source


def run(options: argparse.Namespace, settings: dict[str, Any], runs: Path) -> None:
    """Run the requested problems that have no results yet; append each one's results to a file."""
    known = problems.problems(None if options.quick and not options.data else _source(options))
    chosen = problems.choose(known, options.problems, options.quick)
    if options.list:
        print("\n".join(one.case.name for one in chosen))
        raise SystemExit
    cores = machine.cores()
    threads = options.threads or ([1] if options.quick else sorted({1, len(cores)}))
    if max(threads) > len(cores):
        raise SystemExit(f"This process may use {len(cores)} cores: ask for so many at most.")
    python = shutil.which(options.python)
    if python is None:
        raise SystemExit(f"There is no Python at {options.python}: run make bench-solvers.")
    budgets = tuple(settings["budgets"])
    plan = Plan(os.path.abspath(python), cores, settings["cap"], budgets, options.timeout)
    if not options.resume:
        runs.write_text("", "utf-8")
    done = {(row["case"][0], row["threads"]) for row in _read(runs)}
    for problem in chosen:
        counts = [count for count in threads if (problem.case.name, count) not in done]
        if not counts:
            continue
        file = problems.prepare(options.output.resolve() / "data", problem)
        for count in counts:
            print(f"{problem.case.name}, {count} thread(s), {time.strftime('%H:%M:%S')}")
            row = run_problem(plan, problem.case, file, count, options.solvers, _say)
            with runs.open("a", encoding="utf-8") as opened:
                opened.write(json.dumps(row) + "\n")
        file.unlink()


def main() -> None:
    options = parser().parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    runs, known = options.output / "runs.jsonl", options.output / "settings.json"
    if options.report_only:
        settings = json.loads(known.read_text("utf-8"))
    else:
        settings = dict(QUICK if options.quick else FULL) | {"lost": LOST}
        limits = {"cap": options.cap, "budgets": options.budgets}
        settings |= {name: value for name, value in limits.items() if value is not None}
        run(options, settings, runs)
        known.write_text(json.dumps(settings), "utf-8")
    rows = _read(runs)
    if not rows:
        raise SystemExit(f"There are no runs in {runs}.")
    described, date = machine.describe(), time.strftime("%Y-%m-%d")
    picture = "solvers.png" if plot.draw(options.output / "solvers.png", rows) else None
    text = tables.document(rows, settings, described, date, picture)
    (options.output / "solvers.md").write_text(text, "utf-8")
    figures = {"date": date, "machine": described, "settings": settings, "problems": rows}
    (options.output / "solvers.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    print(text)
    print(f"Written: solvers.md, solvers.json and the plot in {options.output}")


if __name__ == "__main__":
    main()
