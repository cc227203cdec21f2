"""Converts pytest-benchmark's JSON to rows: one per case, with the times of all engines."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import machine

# Title of each column, by engine and threads as the suites label them.
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
    """One case, and its median time per step (or per epoch) in seconds for each column."""

    what: dict[str, Any]
    seconds: dict[str, float] = field(default_factory=dict)
    loss: dict[str, float] = field(default_factory=dict)

    def times_as_fast(self, column: str, rival: str) -> float | None:
        """Return how many times as fast a column is as another; None if one of them did not run."""
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
    """Return the median time of each part of a cold start, measured inside the processes."""
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
    """All data that a report needs."""

    date: str
    machine: dict[str, Any]
    step: list[Row]
    sweep: list[Row]
    train: list[Row]
    cold: dict[str, dict[str, float]]

    def columns(self) -> list[str]:
        """The columns that ran; "all cores" is dropped if there is only one core."""
        one_core = self.machine["cores"] == 1
        return [name for name in COLUMNS.values() if not (one_core and "all" in name)]


def load(path: Path) -> Results:
    """Read a file that ``pytest --benchmark-json`` wrote on this machine."""
    given = json.loads(path.read_text("utf-8"))
    benchmarks = given["benchmarks"]
    return Results(
        given["datetime"][:10],
        machine.describe(),
        *(_rows(benchmarks, group) for group in ("step", "sweep", "train")),
        _cold(benchmarks),
    )
