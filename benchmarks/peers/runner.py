"""Runs workers: starts them, lets them take turns a chunk at a time, and stores their replies.

All workers of a case are started and prepared first.  Then each times one chunk of steps per
round, in an order that rotates from round to round; while one computes, the others wait for input.
If memory does not suffice for all of them, they are run in groups.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.cases import Case
from benchmarks.peers.environment import ROOT, environment
from benchmarks.peers.libraries import LIBRARIES
from benchmarks.peers.processor import Limit

FLOOR = "floor"
Record = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """Settings of a whole benchmark."""

    python: str
    folder: Path  # where data are stored
    cores: list[int]
    rounds: int
    effort: tuple[float, float, int]
    timeout: float  # seconds to wait for a reply
    limit: Limit | None = None  # run as on another kind of processor


class Ended(Exception):
    """Raised when a worker does not reply; contains the reason."""


def memory_available() -> float:
    """Return the memory still available in bytes, or infinity if the system does not report it."""
    try:
        lines = Path("/proc/meminfo").read_text("utf-8").splitlines()
    except OSError:
        return float("inf")
    (line,) = (line for line in lines if line.startswith("MemAvailable:"))
    return 1024.0 * int(line.split()[1])


def memory_wanted(peer: str, case: Case) -> float:
    """Estimate the bytes a peer needs for a case: two layouts of the data, and H."""
    if peer == FLOOR:
        return 0.0
    rows = 2 * (case.e + 1 + case.s) + LIBRARIES[peer].arrays * case.m
    return case.itemsize * case.n_samples * rows


def _fits(peer: str, case: Case) -> bool:
    """Return whether memory suffices for another process, with room for trying its variants."""
    return 2 * memory_wanted(peer, case) < 0.7 * memory_available()


class Worker:
    """A worker process; as a context manager, it ends the process."""

    def __init__(self, plan: Plan, peer: str, case: Case, threads: int, way: str | None) -> None:
        flags = LIBRARIES[peer].xla_flags if peer in LIBRARIES else ""
        self._scratch = tempfile.TemporaryDirectory(prefix="batchprop-peer-")
        self._said = Path(self._scratch.name) / "stderr"
        self._timeout = plan.timeout
        self._most = 0.8 * memory_available()
        task = {
            "peer": peer,
            "case": list(case),
            "threads": threads,
            "cores": plan.cores[:threads],
            "folder": str(plan.folder),
            "effort": plan.effort,
            "way": way,
            "watch_registers": plan.limit is not None,
        }
        with self._said.open("w") as said:
            self._process = subprocess.Popen(
                [plan.python, "-m", "benchmarks.peers.worker", json.dumps(task)],
                cwd=ROOT,
                env=environment(case, threads, Path(self._scratch.name), flags, plan.limit),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
                bufsize=1,
            )

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._process.kill()
        self._process.communicate()
        self._scratch.cleanup()

    def reply(self) -> Record:
        """Wait for the next line; end the process if it exceeds its time or memory."""
        until = time.monotonic() + self._timeout
        stream = self._process.stdout
        with selectors.DefaultSelector() as selector:
            selector.register(stream, selectors.EVENT_READ)
            while not selector.select(min(0.2, self._timeout)):
                if time.monotonic() > until:
                    raise Ended(f"no reply within {self._timeout:.0f} s")
                if self._resident() > self._most:
                    raise Ended(f"more than {self._most / 2**30:.1f} GiB of memory")
        line = stream.readline()
        if not line:
            raise Ended(self._last_words())
        reply: Record = json.loads(line)
        return reply

    def ask(self, word: str) -> Record:
        """Send a command to the worker and wait for its reply."""
        try:
            self._process.stdin.write(word + "\n")
            self._process.stdin.flush()
        except OSError:
            raise Ended(self._last_words()) from None
        return self.reply()

    def _resident(self) -> int:
        try:
            pages = Path(f"/proc/{self._process.pid}/statm").read_text("ascii").split()[1]
        except OSError:
            return 0
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def _last_words(self) -> str:
        code = self._process.wait()
        lines = self._said.read_text("utf-8", errors="replace").strip().splitlines()
        return (lines[-1] if lines else f"ended with code {code}")[:300]


def _get_ready(worker: Worker, record: Record) -> bool:
    """Wait until a worker is ready; if it fails, store the reason in its record."""
    try:
        record |= worker.reply()
    except Ended as reason:
        record |= {"status": "failed", "note": str(reason)}
    return record["status"] == "ready"


def _rounds(plan: Plan, workers: list[tuple[Worker, Record]], turn: int) -> None:
    """Let the workers take turns; drop a worker that has ended."""
    left = list(workers)
    for number in range(plan.rounds):
        first = (turn + number) % len(left) if left else 0
        for worker, record in left[first:] + left[:first]:
            try:
                record["chunks"].append(worker.ask("chunk"))
            except Ended as reason:
                record |= {"status": "failed", "note": str(reason)}
        left = [(worker, record) for worker, record in left if record["status"] == "ready"]
    for worker, record in left:
        try:
            record |= worker.ask("end") | {"status": "ok"}
        except Ended as reason:
            record |= {"status": "failed", "note": str(reason)}


def run_case(
    plan: Plan,
    case: Case,
    threads: int,
    peers: Sequence[str],
    ways: dict[str, str],
    turn: int,
    report: Callable[[Record], None],
) -> list[Record]:
    """Time one case with so many threads for all peers; ``ways`` has variants chosen earlier."""
    waiting = [FLOOR] + [peer for peer in peers if threads == 1 or not LIBRARIES[peer].one_thread]
    records: list[Record] = []
    while waiting:
        workers: list[tuple[Worker, Record]] = []
        with ExitStack() as stack:
            while waiting and (not workers or _fits(waiting[0], case)):
                peer = waiting.pop(0)
                record = {"peer": peer, "case": list(case), "threads": threads, "chunks": []}
                worker = stack.enter_context(Worker(plan, peer, case, threads, ways.get(peer)))
                if _get_ready(worker, record):
                    workers.append((worker, record))
                records.append(record)
                report(record)
            _rounds(plan, workers, turn)
    return records
