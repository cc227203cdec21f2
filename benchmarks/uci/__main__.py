"""Run the published protocol with one setting for all tables, and write the report.

make bench-uci ARGS="--data FOLDER"                       all tables and splits
make bench-uci ARGS="--tables yacht energy --splits 3"    some; from OpenML without --data
make bench-uci ARGS='--option alpha="cv"'                  another setting: cross-validation
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import machine, markdown
from benchmarks.peers.environment import ROOT
from benchmarks.uci import protocol, report
from benchmarks.uci.tables import TABLES, VARIABLE, Source

BUILD = ROOT / "build" / "bench-uci"


@dataclass
class Options:
    """The command-line options."""

    data: str | None
    tables: list[str]
    splits: int | None
    threads: int | None
    option: list[str]
    output: Path


def parsed() -> Options:
    make = argparse.ArgumentParser(
        prog="python -m benchmarks.uci",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = make.add_argument
    add("--data", help=f"folder of .npz files (default: ${VARIABLE}, or from OpenML)")
    add("--tables", nargs="+", default=list(TABLES), choices=list(TABLES))
    add("--splits", type=int, help="only the first so many")
    add("--threads", type=int, help="at most (default: what suits the work)")
    add("--option", nargs="*", default=[], metavar="NAME=JSON", help="instead of the setting")
    add("--output", type=Path, default=BUILD, metavar="FOLDER", help="for the report")
    return Options(**vars(make.parse_args()))


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def main() -> None:
    options = parsed()
    setting = dict(protocol.SETTING)
    if options.option:
        setting = {name: _value(v) for name, _, v in (o.partition("=") for o in options.option)}
    threads = {} if options.threads is None else {"n_threads": options.threads}
    source = Source(options.data)
    summaries, splits = {}, {}
    for name in options.tables:
        samples = source.load(name)

        def print_result(one: protocol.Result, name: str = name) -> None:
            print(
                f"{name} {one.split}: {one.rmse:.3f} ({one.train_rmse:.3f} on training rows), "
                f"{markdown.duration(one.cpu_seconds)} of CPU time, {one.reason}; five averaged "
                f"{one.averaged_rmse:.3f}",
                flush=True,
            )

        results = protocol.run(samples, name, setting | threads, options.splits, print_result)
        splits[name] = [one._asdict() for one in results]
        summaries[name] = protocol.summary(results)
    described, date = machine.describe(), time.strftime("%Y-%m-%d")
    text = report.document(summaries, setting, options.threads, described, date)
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "uci.md").write_text(text, "utf-8")
    figures = {"date": date, "machine": described, "setting": setting, "tables": summaries,
               "splits": splits}  # fmt: skip
    (options.output / "uci.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    print(text)
    print(f"Written: uci.md and uci.json in {options.output}")


if __name__ == "__main__":
    main()
