"""From pytest-benchmark's JSON to rows: one a case, with the seconds of every engine that ran."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import machine

# What a column is called: engine and threads, as the suites label them.
COLUMNS = {
    ("naive", "1"): "naive",
    ("vectorized", "1"): "vectorized",
    ("vectorized", "all"): "vectorized, all cores",
    ("fused", "1"): "fused",
    ("fused", "all"): "fused, all cores",
}
LABELS = ("net", "n_samples", "activation", "dtype")


@dataclass
class Row:
    """One case: what it is, and column -> median seconds of a step (or of an epoch of a run)."""

    what: dict[str, Any]
    seconds: dict[str, float] = field(default_factory=dict)
    loss: dict[str, float] = field(default_factory=dict)

    def times_as_fast(self, column: str, rival: str) -> float | None:
        """Return how many times as fast a column is as a rival; None where one did not run."""
        if column not in self.seconds or rival not in self.seconds:
            return None
        return self.seconds[rival] / self.seconds[column]


def _rows(benchmarks: list[dict[str, Any]], group: str) -> list[Row]:
    found: dict[str, Row] = {}
    for one in benchmarks:
        if one["group"] != group:
            continue
        info = one["extra_info"]
        row = found.setdefault(info["name"], Row({label: info[label] for label in LABELS}))
        column = COLUMNS[info["engine"], info["threads"]]
        row.seconds[column] = one["stats"]["median"] / info.get("epochs", 1)
        row.loss[column] = info["loss"]
    return list(found.values())


def _cold(benchmarks: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Return benchmark -> median seconds of its parts, measured inside the processes."""
    found = {}
    for one in benchmarks:
        if one["group"] != "cold":
            continue
        measured = one["extra_info"]["measured"]
        parts = {"process": one["stats"]["median"]}
        for part in ("import", "first_train"):
            values = [each[part] for each in measured if each[part] is not None]
            if values:
                parts[part] = median(values)
        found[one["name"]] = parts
    return found


@dataclass
class Results:
    """Everything a report needs."""

    date: str
    machine: dict[str, Any]
    step: list[Row]
    sweep: list[Row]
    train: list[Row]
    cold: dict[str, dict[str, float]]

    def columns(self) -> list[str]:
        """The columns that ran; "all cores" tells nothing where there is one."""
        one_core = self.machine["cores"] == 1
        return [name for name in COLUMNS.values() if not (one_core and "all" in name)]


def load(path: Path) -> Results:
    """Read what ``pytest --benchmark-json`` wrote on this machine."""
    given = json.loads(path.read_text("utf-8"))
    benchmarks = given["benchmarks"]
    return Results(
        given["datetime"][:10],
        machine.describe(),
        *(_rows(benchmarks, group) for group in ("step", "sweep", "train")),
        _cold(benchmarks),
    )
