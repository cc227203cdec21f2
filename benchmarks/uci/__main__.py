"""Run the published protocol: our calls and other libraries' models on the same splits.

make bench-uci ARGS="--data FOLDER"                            all tables and splits
make bench-uci ARGS="--tables yacht energy --splits 3"         some; from OpenML without --data
make bench-uci ARGS="--calls 'activation=relu' --models"       another call of ours, alone
make bench-uci ARGS="--data FOLDER --resume"                   what is missing
make bench-uci ARGS="--data FOLDER --resume --again --models"  our calls again
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks import machine, markdown
from benchmarks.peers.environment import ROOT
from benchmarks.uci import calls, protocol, report, storage
from benchmarks.uci.scores import Result, Results
from benchmarks.uci.tables import TABLES, VARIABLE, Source

BUILD = ROOT / "build" / "bench-uci"
PACKAGES = ("scikit-learn", "catboost")


@dataclass
class Options:
    """The command-line options."""

    data: str | None
    tables: list[str]
    calls: list[str] | None
    models: list[str]
    splits: int | None
    resume: bool
    again: bool
    report_only: bool
    output: Path


def parsed(arguments: Sequence[str] | None) -> Options:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.uci",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--data", help=f"folder of .npz files (default: ${VARIABLE}, or from OpenML)")
    add("--tables", nargs="+", default=list(TABLES), choices=list(TABLES))
    ours = "our calls, each a group of arguments, '' for the bare one (default: the report's)"
    others = f"of other libraries: {', '.join(calls.OTHERS)} (default: all)"
    add("--calls", nargs="*", metavar="'NAME=JSON ...'", help=ours)
    add("--models", nargs="*", metavar="NAME", default=list(calls.OTHERS),
        choices=list(calls.OTHERS), help=others)  # fmt: skip
    add("--splits", type=int, help="only the first so many")
    add("--resume", action="store_true", help="keep the results that the output folder has")
    add("--again", action="store_true", help="with --resume: but measure these calls again")
    add("--report-only", action="store_true", help="of the results that the output folder has")
    add("--output", type=Path, default=BUILD, metavar="FOLDER", help="for report and results")
    options = Options(**vars(parser.parse_args(arguments)))
    if options.splits is not None and options.splits < 1:
        parser.error(f"--splits must be at least 1, got {options.splits}.")
    return options


def names(options: Options) -> list[str]:
    """Return our calls and those of the models that are installed."""
    ours = list(calls.CALLS)
    if options.calls is not None:
        ours = [" ".join([calls.OURS, *text.split()]) for text in options.calls]
    for name in ours:
        calls.options_of(name)  # exits with a message if it has other names
    for name in options.models:
        if not calls.is_installed(name):
            print(f"{calls.title_of(name)} is not installed and is left out.")
    return [*ours, *filter(calls.is_installed, options.models)]


def print_result(result: Result) -> None:
    text = result.note or f"RMSE {markdown.number(result.rmse)}"
    nll = "" if result.nll is None else f", NLL {result.nll:.2f}"
    covered = "".join(
        f", {method} {share:.2f} in {markdown.number(width)}"
        for method, (share, width) in result.intervals.items()
    )
    seconds = "" if result.note else f", {markdown.duration(result.seconds)} of CPU time"
    print(
        f"{result.table} {result.split}, {result.call}: {text}{nll}{covered}{seconds}", flush=True
    )


def packages() -> dict[str, str]:
    """Return the versions of the other libraries that are installed."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def main(arguments: Sequence[str] | None = None) -> None:
    options = parsed(arguments)
    path = options.output / "uci.json"
    options.output.mkdir(parents=True, exist_ok=True)
    head: dict[str, Any] = {"date": time.strftime("%Y-%m-%d"), "machine": machine.describe(),
                            "packages": packages()}  # fmt: skip
    results: Results = {}
    if (options.resume and path.exists()) or options.report_only:
        stored, results = storage.read(path)
        head["packages"] = stored["packages"] | head["packages"]
        head = stored if options.report_only else head
    if not options.report_only:
        plan = protocol.Plan(options.tables, names(options), options.splits)
        if options.again:
            results = {key: result for key, result in results.items()
                       if key[0] not in plan.tables or key[1] not in plan.calls}  # fmt: skip

        def keep(result: Result) -> None:
            print_result(result)
            storage.write(path, head, results)

        protocol.run(plan, Source(options.data), results, keep)
    text = report.document(results, head)
    path.with_suffix(".md").write_text(text, "utf-8")
    print(text)
    print(f"Written: uci.md and uci.json in {options.output}")


if __name__ == "__main__":
    main()
