"""Time batchprop and other libraries on the same cases, and write the report.

make bench-peers                                              everything: some hours
make bench-peers ARGS="--cases uci seed --threads 1"          a part of it: minutes
make bench-peers ARGS="--processor avx2"                      as on a processor with AVX2
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
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import machine, markdown
from benchmarks.cases import Case
from benchmarks.peers import figures, front, overview, plots, processor, storage, tables, work
from benchmarks.peers.environment import ROOT, base_environment
from benchmarks.peers.figures import Figures
from benchmarks.peers.libraries import LIBRARIES, suited
from benchmarks.peers.runner import Plan, run_case
from benchmarks.peers.summary import OURS, summarize

BUILD = ROOT / "build" / "bench-peers"
README = ROOT / "README.md"


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
    add(
        *("--peers", "-p"),
        nargs="+",
        choices=list(LIBRARIES),
        help="default: all, but only the fastest for the plots against N",
    )
    add(
        "--processor",
        default=processor.NATIVE,
        choices=[processor.NATIVE, *processor.LIMITS],
        help="limit all libraries to the instructions of another kind of processor",
    )
    counts = sorted({count for count in (1, 2, 4, cores) if count <= cores})
    add("--threads", nargs="+", type=int, default=counts, help="with all peers")
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
    add("--pages-only", action="store_true", help="only write the pages of the published figures")
    add("--readme", action="store_true", help="also fill the table of README.md")
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


def the_processor(options: argparse.Namespace) -> tuple[str, processor.Limit | None, Figures]:
    """Return the peers' Python, the limit, and the head of the results, which have no rows yet."""
    python = shutil.which(options.python)
    if python is None:
        raise SystemExit(f"There is no Python at {options.python}: run make bench-peers.")
    python = os.path.abspath(python)
    native = processor.describe(python, base_environment())
    limit = processor.limit_for(options.processor, native["instruction_set"])
    if limit is not None:
        limit = processor.with_hidden_avx512(limit, options.scratch)
    described = native if limit is None else processor.describe(python, base_environment(limit))
    head = Figures(
        described["instruction_set"],
        time.strftime("%Y-%m-%d"),
        described,
        [],
        native["instruction_set"],
    )
    if limit is not None and head.instruction_set != limit.instruction_set:
        raise SystemExit(f"The kernels still use {head.instruction_set}.")
    return python, limit, head


def peers_for(options: argparse.Namespace, case: Case, instruction_set: str) -> list[str]:
    """Return the libraries to time: those asked for, or those that the case is about."""
    asked = options.peers or (work.SWEEP_PEERS if work.in_sweep(case) else LIBRARIES)
    return [peer for peer in suited(instruction_set) if peer in asked]


def run(
    options: argparse.Namespace, plan: Plan, runs: Path, cases: list[Case], instruction_set: str
) -> None:
    """Run the cases that have no results yet; append each case's records to a file."""
    done = {(r["case"][0], r["threads"], r["repeat"]) for r in _read(runs)}
    for case in cases:
        storage.prepare(plan.folder, case)
        asked = peers_for(options, case, instruction_set)
        alone = options.scaling if OURS in asked and not work.in_sweep(case) else ()
        for threads in sorted({*options.threads, *alone}):
            peers = asked if threads in options.threads else [OURS]
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


def publish(folder: Path, results: Figures) -> None:
    """Write the results of one kind of processor, its plots and all pages."""
    plots.draw(folder, results.name, results.rows)
    figures.write(folder / f"{results.name}.json", results)
    write_pages(folder)


def write_pages(folder: Path) -> None:
    """Write a page for each kind whose results are in a folder, and the page of all kinds."""
    kinds = figures.read_all(folder)
    for kind in kinds:
        page = tables.document(kind, plots.files(folder, kind.name, kind.rows))
        (folder / f"{kind.name}.md").write_text(page, "utf-8")
    swept = [
        (kind.instruction_set, title, name)
        for kind in kinds
        for title, name in plots.sweep_files(folder, kind.name, kind.rows).items()
    ]
    (folder / "peers.md").write_text(overview.document(kinds, swept), "utf-8")


def fill_readme(options: argparse.Namespace) -> None:
    """Fill the table of README with the published figures, if that is asked for."""
    if options.readme:
        markdown.fill(README, "peers", front.part(figures.read_all(options.output)))


def main() -> None:
    options = parser().parse_args()
    cases = work.choose(options.cases, work.read(options.add) if options.add else [])
    if options.list:
        print("\n".join(case.name for case in cases))
        raise SystemExit
    if options.pages_only:
        write_pages(options.output)
        fill_readme(options)
        return
    cores = machine.cores()
    if max(options.threads + options.scaling) > len(cores):
        raise SystemExit(
            f"This process may use {len(cores)} cores: ask for so many threads at most."
        )
    options.output.mkdir(parents=True, exist_ok=True)
    options.scratch.mkdir(parents=True, exist_ok=True)
    python, limit, head = the_processor(options)
    runs = options.scratch / f"runs-{processor.key(head.instruction_set)}.jsonl"
    head_file = runs.with_suffix(".head.json")
    if not options.report_only:
        if not options.resume:
            runs.write_text("")
        figures.write(head_file, head)
        effort = options.select_seconds, options.chunk_seconds, options.chunk_steps
        data = options.scratch.resolve() / "data"
        plan = Plan(python, data, cores, options.rounds, effort, options.timeout, limit)
        run(options, plan, runs, cases, head.instruction_set)
    rows = summarize(_read(runs))
    if not rows:
        raise SystemExit(f"There are no runs in {runs}.")
    publish(options.output, replace(figures.read(head_file), rows=rows))
    fill_readme(options)
    print((options.output / f"{head.name}.md").read_text("utf-8"))
    print(f"Written: peers.md and {head.name}.* in {options.output}")


if __name__ == "__main__":
    main()
