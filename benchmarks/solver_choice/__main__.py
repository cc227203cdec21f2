"""Measure which of lbfgs and lm reaches a loss first, and what the rule of "auto" costs.

python -m benchmarks.solver_choice                        about a quarter of an hour of CPU time
python -m benchmarks.solver_choice --share 0.3 --starts 1    two minutes
python -m benchmarks.solver_choice --report-only --output docs/benchmarks
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.solver_choice import tables
from benchmarks.solver_choice.problems import PROBLEMS
from benchmarks.solver_choice.runs import Run, run, solvers, warm_up


def parser() -> argparse.ArgumentParser:
    make = argparse.ArgumentParser(
        prog="python -m benchmarks.solver_choice",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    make.add_argument("--starts", type=int, default=2)
    make.add_argument("--share", type=float, default=1.0, help="of the seconds of a run")
    make.add_argument("--workers", type=int, default=len(machine.cores()))
    make.add_argument("--output", type=Path, default=Path("build/bench"))
    make.add_argument("--report-only", action="store_true", help="of the runs that are there")
    return make


def run_all(starts: int, share: float, workers: int) -> list[Run]:
    """Run everything, large problems first."""
    order = sorted(range(len(PROBLEMS)), key=lambda index: -PROBLEMS[index].n)
    work = [(i, s, k, share) for i in order for k in range(starts) for s in solvers(PROBLEMS[i])]
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # inherited by the workers: one core each
    context = multiprocessing.get_context("spawn")
    results = []
    with ProcessPoolExecutor(workers, context, warm_up) as pool:
        for done in as_completed([pool.submit(run, *one) for one in work]):
            results.append(done.result())
            print(
                f"{len(results)}/{len(work)} {results[-1].problem}, {results[-1].solver}",
                flush=True,
            )
    return sorted(results)


def write(path: Path, head: dict[str, Any], runs: Sequence[Run]) -> None:
    """Write the results, one run per line, numbers with six digits."""
    lines = ",\n".join(json.dumps(json.loads(json.dumps(one), parse_float=_short)) for one in runs)
    columns = json.dumps(head | {"columns": Run._fields})
    path.write_text(f'{columns[:-1]}, "runs": [\n{lines}\n]}}\n', "utf-8")


def _short(text: str) -> float:
    return float(f"{float(text):.6g}")


def read(path: Path) -> tuple[dict[str, Any], list[Run]]:
    """Read what ``write`` wrote."""
    head = json.loads(path.read_text("utf-8"))
    return head, [Run(*row) for row in head.pop("runs")]


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    path = options.output / "solver_choice.json"
    if not options.report_only:
        runs = run_all(options.starts, options.share, options.workers)
        date = time.strftime("%Y-%m-%d")
        head = {"date": date, "machine": machine.describe(), "share": options.share}
        write(path, head, runs)
    head, runs = read(path)
    text = tables.document(runs, head["share"], head["machine"], head["date"])
    path.with_suffix(".md").write_text(text, "utf-8")
    print(text)


if __name__ == "__main__":
    main()
