"""Stored results, a file for each kind of processor: ``peers-avx2.json``, ``peers-avx512.json``.

Results of one kind replace older ones of the same kind and leave those of other kinds alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.cases import Case
from benchmarks.peers.processor import KINDS, key
from benchmarks.peers.summary import Entry, Row


@dataclass
class Figures:
    """The results of one kind of processor."""

    instruction_set: str
    date: str
    machine: Mapping[str, Any]
    rows: Sequence[Row]
    native: str = ""  # the processor's own instruction set, if it was limited to an older one

    @property
    def name(self) -> str:
        """The name of its files without suffix."""
        return f"peers-{key(self.instruction_set)}"

    @property
    def limited(self) -> bool:
        return self.native not in ("", self.instruction_set)


def write(path: Path, figures: Figures) -> None:
    """Write the results of one kind."""
    content = {
        "instruction_set": figures.instruction_set,
        "native": figures.native,
        "date": figures.date,
        "machine": figures.machine,
        "rows": [
            asdict(row)
            | {
                "case": row.case._asdict(),
                "best_peer": row.best_peer,
                "times_as_fast": row.times_as_fast,
                "share_of_floor": row.share_of_floor,
            }
            for row in figures.rows
        ],
    }
    path.write_text(json.dumps(content, indent=1) + "\n", "utf-8")


def _row(stored: Mapping[str, Any]) -> Row:
    return Row(
        Case(**stored["case"]),
        stored["threads"],
        {peer: Entry(**entry) for peer, entry in stored["entries"].items()},
        stored["flops_per_second"],
        stored["activations_per_second"],
    )


def read(path: Path) -> Figures:
    """Read what ``write`` wrote."""
    stored = json.loads(path.read_text("utf-8"))
    return Figures(
        stored["instruction_set"],
        stored["date"],
        stored["machine"],
        [_row(row) for row in stored["rows"]],
        stored["native"],
    )


def read_all(folder: Path) -> list[Figures]:
    """Read the results of all kinds of processors in a folder, in the order of ``KINDS``."""
    found = [read(path) for path in sorted(folder.glob("peers-*.json"))]
    order = {kind: place for place, kind in enumerate(KINDS)}
    return sorted(found, key=lambda figures: order.get(figures.instruction_set, len(order)))
