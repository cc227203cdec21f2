"""Converts the workers' records to one row per case and number of threads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from benchmarks.cases import Case
from benchmarks.peers.libraries import LIBRARIES

OURS, FLOOR = "ours", "floor"
Record = dict[str, Any]


@dataclass
class Entry:
    """The result of a peer on a case: the median over all chunks, and additional information."""

    peer: str
    status: str
    seconds: float | None = None
    least: float | None = None
    most: float | None = None
    way: str = ""
    gradient_error: float | None = None
    build_seconds: float | None = None
    peak_mib: float | None = None
    note: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    instructions: str = ""  # what the library reports to use
    uses_avx512: bool | None = None  # what the system saw; None if it does not tell


@dataclass
class Row:
    """The entries of all peers for a case and a number of threads."""

    case: Case
    threads: int
    entries: dict[str, Entry]
    flops_per_second: float | None = None
    activations_per_second: float | None = None

    def seconds(self, peer: str) -> float | None:
        entry = self.entries.get(peer)
        return None if entry is None else entry.seconds

    @property
    def best_peer(self) -> str | None:
        """The fastest other library that does the same work."""
        known = [
            (entry.seconds, peer)
            for peer, entry in self.entries.items()
            if entry.seconds is not None and peer in LIBRARIES
            if peer != OURS and LIBRARIES[peer].compared
        ]
        return min(known)[1] if known else None

    @property
    def times_as_fast(self) -> float | None:
        """The best peer's time divided by ours."""
        ours, best = self.seconds(OURS), self.best_peer
        if ours is None or best is None:
            return None
        return (self.seconds(best) or 0.0) / ours

    @property
    def is_lost(self) -> bool:
        """Whether a peer is faster than ours."""
        return self.times_as_fast is not None and self.times_as_fast < 1.0

    @property
    def share_of_floor(self) -> float | None:
        """The floor divided by our time."""
        ours, floor = self.seconds(OURS), self.seconds(FLOOR)
        return None if ours is None or floor is None else floor / ours


def _entry(peer: str, records: Sequence[Record]) -> Entry:
    """Combine the records of all repeats."""
    good = [record for record in records if record["status"] == "ok"]
    last = (good or list(records))[-1]
    entry = Entry(peer, last["status"], note=last.get("note", ""))
    entry.versions = last.get("versions", {})
    entry.instructions = last.get("instructions", "")
    if not good:
        return entry
    times = [chunk["step_seconds"] for record in good for chunk in record["chunks"]]
    entry.least, entry.most = min(times), max(times)
    entry.seconds = min(times) if peer == FLOOR else median(times)  # a bound takes the minimum
    entry.way = last.get("way", "")
    seen = {record.get("uses_avx512") for record in good} - {None}
    entry.uses_avx512 = any(seen) if seen else None
    if peer != FLOOR:
        entry.gradient_error = max(record["gradient_error"] for record in good)
        entry.build_seconds = max(record["build_seconds"] for record in good)
        peaks = [record["peak_mib"] for record in good if record["peak_mib"] is not None]
        entry.peak_mib = max(peaks, default=None)
    return entry


def summarize(records: Iterable[Record]) -> list[Row]:
    """Return the rows in the order in which their cases first appear."""
    grouped: dict[tuple[Case, int], dict[str, list[Record]]] = {}
    for record in records:
        key = Case(*record["case"]), record["threads"]
        grouped.setdefault(key, {}).setdefault(record["peer"], []).append(record)
    rows = []
    for (case, threads), peers in grouped.items():
        row = Row(case, threads, {peer: _entry(peer, some) for peer, some in peers.items()})
        chunks = [
            chunk
            for record in peers.get(FLOOR, ())
            if record["status"] == "ok"
            for chunk in record["chunks"]
        ]
        if chunks:
            best = min(chunks, key=lambda chunk: float(chunk["step_seconds"]))
            row.flops_per_second = best["flops_per_second"]
            row.activations_per_second = best["activations_per_second"]
        rows.append(row)
    return rows


def all_versions(rows: Sequence[Row]) -> dict[str, str]:
    """Return the versions in use, by library."""
    versions: dict[str, str] = {}
    for row in rows:
        for entry in row.entries.values():
            versions |= entry.versions
    return versions
