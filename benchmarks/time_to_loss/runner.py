"""Runs each solver of each library in a process of its own; the others come first, as targets."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.cases import Case
from benchmarks.peers.environment import ROOT, environment
from benchmarks.time_to_loss.trail import loss_at, seconds_to
from benchmarks.time_to_loss.trainers import OURS, RIVALS, SOLVERS, solvers_of

Record = dict[str, Any]
LOST = 3.0  # times a rival's seconds; a solver that takes longer is reported as "not reached"
LEAST = 0.2  # minimum time limit for a target, in seconds


@dataclass(frozen=True)
class Plan:
    """Settings of a whole benchmark."""

    python: str  # interpreter that has the other libraries
    cores: list[int]
    cap: float  # time limit of a run in seconds
    budgets: tuple[float, ...]  # times in seconds at which losses are compared
    timeout: float  # time limit of a process in seconds


def _process(plan: Plan, solver: str, case: Case, threads: int, task: Record) -> Record:
    """Run a task in a worker process; failures are described in the returned record."""
    record = {"solver": solver, "problem": case.name, "case": list(case), "threads": threads}
    request = record | task | {"cores": plan.cores[:threads], "cap": plan.cap}
    python = sys.executable if solver in OURS else plan.python
    with tempfile.TemporaryDirectory(prefix="batchprop-loss-") as scratch:
        try:
            done = subprocess.run(
                [python, "-m", "benchmarks.time_to_loss.worker", json.dumps(request)],
                cwd=ROOT,
                env=environment(case, threads, Path(scratch)),
                capture_output=True,
                text=True,
                timeout=plan.timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return record | {"status": "failed", "note": f"no reply within {plan.timeout:.0f} s"}
    if done.returncode or not done.stdout:
        said = done.stderr.strip().splitlines()
        note = said[-1][:300] if said else f"ended with code {done.returncode}"
        return record | {"status": "failed", "note": note}
    answer: Record = json.loads(done.stdout)
    return record | answer


def _with_budgets(record: Record, budgets: Sequence[float]) -> Record:
    """Add a library's final loss, and its losses within each budget, to its record."""
    points = record.get("points")
    if not points:
        return record
    seconds, loss = points[-1]
    reason = "its own end" if record["ended"] else "time"
    record["end"] = {"seconds": seconds, "loss": loss, "reason": reason}
    record["budgets"] = [{"seconds": b, "loss": loss_at(points, b)} for b in budgets]
    return record


def marks(records: Sequence[Record]) -> dict[str, tuple[float, float]]:
    """Return, by library, the lowest final loss of its solvers and the time it was reached."""
    targets = {}
    for title, library in RIVALS.items():
        ends = [
            (one["end"]["loss"], one["end"]["seconds"])
            for one in records
            if one["solver"] in solvers_of(library) and "end" in one
        ]
        if ends:
            loss = min(ends)[0]
            targets[title] = loss, min(seconds for each, seconds in ends if each == loss)
    return targets


def run_problem(
    plan: Plan,
    case: Case,
    file: Path,
    threads: int,
    solvers: Sequence[str],
    report: Callable[[Record], None],
) -> Record:
    """Run all solvers on one problem; return the results."""
    records: list[Record] = []

    def run(solver: str, task: Record) -> None:
        record = _process(plan, solver, case, threads, {"file": str(file)} | task)
        if solver not in OURS:
            record = _with_budgets(record, plan.budgets)
        records.append(record)
        report(record)

    for solver in solvers:
        if solver not in OURS and (threads == 1 or not SOLVERS[solver].one_thread):
            run(solver, {})
    goals = marks(records)
    for record in records:
        record["reached"] = [
            None if when is None else {"seconds": when}
            for when in (seconds_to(record.get("points", []), loss) for loss, _ in goals.values())
        ]
        record.pop("points", None)
    targets = [
        (loss, min(plan.cap, max(LEAST, LOST * seconds))) for loss, seconds in goals.values()
    ]
    for solver in solvers:
        if solver in OURS:
            run(solver, {"targets": targets, "budgets": list(plan.budgets)})
    return {
        "case": list(case),
        "threads": threads,
        "marks": {title: list(mark) for title, mark in goals.items()},
        "solvers": records,
    }
