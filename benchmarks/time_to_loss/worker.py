"""The process in which a solver trains: one JSON task in, one JSON reply out.

    python -m benchmarks.time_to_loss.worker '{"solver": "torch lbfgs", …}'

Whatever a library prints goes to standard error.
"""

from __future__ import annotations

import json
import os
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.cases import Case
from benchmarks.peers.environment import pin
from benchmarks.time_to_loss.problems import Workload, read
from benchmarks.time_to_loss.trainers import SOLVERS, Unsuitable

REPEATS, ENOUGH = 5, 1.0


def others(library: Any, workload: Workload, name: str, task: dict[str, Any]) -> dict[str, Any]:
    """Train to the library's own end, repeatedly if that is short; keep the fastest run."""
    began = time.perf_counter()
    library.warm_up(workload, name)
    first = time.perf_counter() - began
    best, total = None, 0.0
    for _ in range(REPEATS):
        began = time.perf_counter()
        result, ended = library.train(workload, name, task["cap"])
        took = time.perf_counter() - began
        if best is None or took < best[0]:
            best = took, result, ended
        total += took
        if total > ENOUGH:
            break
    _, result, ended = best
    return {"first_seconds": first, "points": result.points(workload), "ended": ended}


def ours(library: Any, workload: Workload, name: str, task: dict[str, Any]) -> dict[str, Any]:
    """Train to convergence, to each requested loss, and for each length of time."""
    session = library.Session(workload, name, task["threads"])
    end = session.to_end(task["cap"])
    reached = list(session.to_losses(task["targets"]))
    budgets = list(session.for_seconds(task["budgets"]))
    return {
        "first_seconds": session.first_seconds,
        "end": end._asdict(),
        "reached": [None if one is None else one._asdict() for one in reached],
        "budgets": [one._asdict() for one in budgets],
    }


def answer(task: dict[str, Any]) -> dict[str, Any]:
    """Perform a task; if the library cannot, return the reason."""
    solver = SOLVERS[task["solver"]]
    try:
        library = import_module(f"benchmarks.time_to_loss.trainers.{solver.library}")
        if solver.library == "torch_optim":
            import torch

            torch.set_num_threads(task["threads"])
        workload = read(Path(task["file"]), Case(*task["case"]))
        train = ours if solver.library == "ours" else others
        result = train(library, workload, solver.name, task)
        return {"status": "ok", "versions": library.versions(), **result}
    except ModuleNotFoundError as error:
        return {"status": "missing", "note": f"no module {error.name!r}"}
    except Unsuitable as error:
        return {"status": "missing", "note": str(error)}


def main() -> None:
    task = json.loads(sys.argv[1])
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    pin(task["cores"])
    replies.write(json.dumps(answer(task)) + "\n")


if __name__ == "__main__":
    main()
