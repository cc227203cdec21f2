"""The results in a JSON file: one line for each model on each table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.defaults.scores import Result, Scores


def _short(text: str) -> float:
    return float(f"{float(text):.6g}")


def _line(result: Result) -> str:
    """Return a result as JSON, with six digits for each number."""
    return json.dumps(json.loads(json.dumps(result), parse_float=_short))


def write(path: Path, head: dict[str, Any], scores: Scores) -> None:
    """Write the head (date, machine, settings) and all results; replace the file as a whole."""
    columns = json.dumps(head | {"columns": Result._fields})
    lines = ",\n".join(_line(result) for result in scores.values())
    beside = path.with_suffix(".part")
    beside.write_text(f'{columns[:-1]}, "results": [\n{lines}\n]}}\n', "utf-8")
    beside.replace(path)


def read(path: Path) -> tuple[dict[str, Any], Scores]:
    """Read what ``write`` wrote."""
    head = json.loads(path.read_text("utf-8"))
    del head["columns"]
    results = [Result(*row) for row in head.pop("results")]
    return head, {(result.table, result.model): result for result in results}
