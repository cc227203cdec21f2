"""Time batchprop and other libraries on the same cases, and write the report.

make bench-peers                                              everything: some hours
make bench-peers ARGS="--cases uci seed --threads 1"          a part of it: minutes
make bench-peers ARGS="--cases mine --add mine.json"          a case of one's own, with
                                             {"mine": [e, m, s, N, ["tanh/float32"]]}
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import machine, markdown
from benchmarks.peers import plots, storage, tables, work
from benchmarks.peers.environment import ROOT
from benchmarks.peers.libraries import LIBRARIES
from benchmarks.peers.runner import Plan, run_case
from benchmarks.peers.summary import OURS, summarize

BUILD = ROOT / "build" / "bench-peers"


def parser() -> argparse.ArgumentParser:
    cores = len(machine.cores())
    make = argparse.ArgumentParser(
        prog="python -m benchmarks.peers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = make.add_argument
    add("--cases", nargs="+", default=list(work.GROUPS), help="groups, names or patterns")
    add("--add", type=Path, metavar="FILE", help="JSON with more cases")
    add("--peers", nargs="+", default=list(LIBRARIES), choices=list(LIBRARIES))
    add("--threads", nargs="+", type=int, default=sorted({1, cores}), help="with all peers")
    add(
        *("--scaling", "-s"),
        nargs="*",
        type=int,
        default=list(range(1, cores + 1)),
        help="numbers of threads to time ours alone with (default: all up to the cores)",
    )
    add("--repeats", type=int, default=1, help="whole rounds of processes")
    add("--rounds", type=int, default=7, help="chunks of steps a process, taken in turns")
    add("--chunk-seconds", type=float, default=0.25, help="how long a chunk should last")
    add("--chunk-steps", type=int, default=10, help="steps a chunk has at least")
    add("--select-seconds", type=float, default=0.25, help="for each way of a library")
    add("--timeout", type=float, default=900.0, help="seconds until a process must have replied")
    add("--python", default=sys.executable, help="of the environment that has the peers")
    add("--scratch", type=Path, default=BUILD, metavar="FOLDER", help="for data and raw runs")
    add("--output", type=Path, default=BUILD, metavar="FOLDER", help="for the report")
    add("--resume", action="store_true", help="go on from the runs that are in the folder")
    add("--report-only", action="store_true", help="only write the report of those runs")
    add("--list", action="store_true", help="print the cases that would be run, and stop")
    return make


def _read(path: Path) -> list[dict[str, Any]]:
    return (
        [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []
    )


def _say(record: dict[str, Any]) -> None:
    """Print one line about a worker: that it is ready, or why it is not."""
    detail = record.get("note", "")
    if record["status"] == "ready" and "way" in record:
        detail = f"{record['way']}; gradient off by {record['gradient_error']:.0e}"
    print(f"    {record['peer']:15} {record['status']:10} {detail}", flush=True)


def run(options: argparse.Namespace, runs: Path) -> None:
    """Run the requested cases that have no results yet; append each case's records to a file."""
    more = work.read(options.add) if options.add else []
    cases = work.choose(options.cases, more)
    if options.list:
        print("\n".join(case.name for case in cases))
        raise SystemExit
    cores = machine.cores()
    if max(options.threads + options.scaling) > len(cores):
        raise SystemExit(
            f"This process may use {len(cores)} cores: ask for so many threads at most."
        )
    done = (
        {(r["case"][0], r["threads"], r["repeat"]) for r in _read(runs)}
        if options.resume
        else set()
    )
    if not options.resume:
        runs.write_text("")
    effort = options.select_seconds, options.chunk_seconds, options.chunk_steps
    folder = options.scratch.resolve() / "data"
    python = shutil.which(options.python)
    if python is None:
        raise SystemExit(f"There is no Python at {options.python}: run make bench-peers.")
    plan = Plan(os.path.abspath(python), folder, cores, options.rounds, effort, options.timeout)
    counts = sorted({*options.threads, *(options.scaling if OURS in options.peers else ())})
    for case in cases:
        storage.prepare(plan.folder, case)
        for threads in counts:
            peers = options.peers if threads in options.threads else [OURS]
            ways: dict[str, str] = {}
            for repeat in range(options.repeats):
                if (case.name, threads, repeat) in done:
                    continue
                print(f"{case.name}, {tables.threads_title(threads)}, {time.strftime('%H:%M:%S')}")
                records = run_case(plan, case, threads, peers, ways, repeat, _say)
                ways |= {one["peer"]: one["way"] for one in records if "way" in one}
                with runs.open("a", encoding="utf-8") as file:
                    for record in records:
                        file.write(json.dumps(record | {"repeat": repeat}) + "\n")
                (row,) = summarize(records)
                times = {p: markdown.duration(row.seconds(p)) for p in row.entries}
                print("  ", ", ".join(f"{peer} {text}" for peer, text in times.items()), flush=True)


def main() -> None:
    options = parser().parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    options.scratch.mkdir(parents=True, exist_ok=True)
    runs = options.scratch / "runs.jsonl"
    if not options.report_only:
        run(options, runs)
    rows = summarize(_read(runs))
    if not rows:
        raise SystemExit(f"There are no runs in {runs}.")
    drawn = plots.draw(options.output, rows)
    described, date = machine.describe(), time.strftime("%Y-%m-%d")
    text = tables.document(rows, described, date, drawn)
    (options.output / "peers.md").write_text(text, "utf-8")
    figures = {
        "date": date,
        "machine": described,
        "rows": [
            asdict(row)
            | {
                "case": row.case._asdict(),
                "best_peer": row.best_peer,
                "times_as_fast": row.times_as_fast,
                "share_of_floor": row.share_of_floor,
            }
            for row in rows
        ],
    }
    (options.output / "peers.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    print(text)
    print(f"Written: peers.md, peers.json, {', '.join(drawn.values())} in {options.output}")


if __name__ == "__main__":
    main()
