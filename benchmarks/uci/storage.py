"""The results in a JSON file: one line for each call on each split."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.uci.scores import Result, Results


def _short(text: str) -> float:
    return float(f"{float(text):.6g}")


def _line(result: Result) -> str:
    """Return a result as JSON, with six digits for each number."""
    return json.dumps(json.loads(json.dumps(result), parse_float=_short))


def write(path: Path, head: dict[str, Any], results: Results) -> None:
    """Write the head (date, machine, libraries) and all results; replace the file as a whole."""
    columns = json.dumps(head | {"columns": Result._fields})
    lines = ",\n".join(_line(results[key]) for key in sorted(results))
    beside = path.with_suffix(".part")
    beside.write_text(f'{columns[:-1]}, "results": [\n{lines}\n]}}\n', "utf-8")
    beside.replace(path)


def read(path: Path) -> tuple[dict[str, Any], Results]:
    """Read what ``write`` wrote."""
    head = json.loads(path.read_text("utf-8"))
    columns = head.pop("columns", [])
    if tuple(columns) != Result._fields:
        raise SystemExit(
            f"{path} is of another version of this benchmark: it has the columns "
            f"[{', '.join(columns)}], not [{', '.join(Result._fields)}]. Choose another --output, "
            f"or omit --resume."
        )
    results = [Result(*row) for row in head.pop("results")]
    return head, {(r.table, r.call, r.split): r for r in results}
