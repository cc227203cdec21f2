"""The process in which a library runs: reads its task, then times a chunk on each command.

    python -m benchmarks.peers.worker '{"peer": "torch_eager", …}'

Each reply is one JSON line on the original standard output; whatever a library prints goes to
standard error.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.cases import Case
from benchmarks.peers.environment import pin
from benchmarks.peers.registers import uses_avx512


def _status_mib(key: str) -> float | None:
    """Return a field of the process's status, in MiB."""
    try:
        lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) / 1024
    return None


def _forget_peak() -> None:
    """Reset the high-water mark of memory, where the system allows it."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


class PeerSession:
    """A library on a case, ready once its fastest correct implementation is selected."""

    def __init__(self, task: dict[str, Any], case: Case) -> None:
        began = time.perf_counter()
        library = import_module(f"benchmarks.peers.libraries.{task['peer']}")
        import_seconds = time.perf_counter() - began

        from benchmarks import data
        from benchmarks.peers import storage, timing
        from benchmarks.peers.candidate import Workload

        folder = Path(task["folder"])
        X, T = storage.samples(folder, case)
        workload = Workload(case, X, T, data.parameters(case).astype(case.dtype), task["threads"])
        candidates = [
            one for one in library.candidates(workload) if task["way"] in (None, one.name)
        ]
        effort = timing.Effort(*task["effort"])
        expected = storage.expected(folder, case)
        chosen, record, tried = timing.choose(candidates, workload, expected, effort)
        self.ready: dict[str, Any] = {
            "status": "ready",
            "import_seconds": import_seconds,
            "versions": library.versions(),
            "instructions": library.instructions(),
            "tried": tried,
        }
        if chosen is None:
            self.ready |= {"status": self._why_not(tried), "note": self._notes(tried)}
            return
        # the candidate holds its own copy of the data by now
        workload = workload._replace(X=X[:0], T=T[:0])
        del X, T
        self._clock = timing.Clock(chosen, workload, effort)
        self.ready |= record or {}
        self.ready |= {"steps_per_chunk": self._clock.steps, "note": chosen.note}
        _forget_peak()

    @staticmethod
    def _why_not(tried: list[dict[str, Any]]) -> str:
        if any("failed" in one for one in tried):
            return "failed"
        return "wrong" if any("passed" in one for one in tried) else "unsuitable"

    @staticmethod
    def _notes(tried: list[dict[str, Any]]) -> str:
        reasons = {
            one.get("failed")
            or one.get("unsuitable")
            or f"gradient off by {one['gradient_error']:.1e}"
            for one in tried
        }
        return "; ".join(sorted(reasons))

    def chunk(self) -> dict[str, Any]:
        """Time one chunk of steps."""
        return {"step_seconds": self._clock.chunk()}

    def end(self) -> dict[str, Any]:
        """Return the information that is known at the end."""
        return {"peak_mib": _status_mib("VmHWM")}


def main() -> None:
    task = json.loads(sys.argv[1])
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    def reply(answer: dict[str, Any]) -> None:
        replies.write(json.dumps(answer) + "\n")

    pin(task["cores"])
    case = Case(*task["case"])
    if task["peer"] == "floor":
        from benchmarks.peers.floor import FloorSession

        session: Any = FloorSession(case, task["cores"])
    else:
        session = PeerSession(task, case)
    reply(session.ready)
    for line in sys.stdin:
        if line.strip() != "chunk":
            break
        reply(session.chunk())
    last = session.end()
    if task["watch_registers"]:
        last["uses_avx512"] = uses_avx512(session.chunk)
    reply(last)


if __name__ == "__main__":
    main()
