"""The page that shows all kinds of processors side by side."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks import machine, markdown
from benchmarks.cases import Case
from benchmarks.peers.figures import Figures
from benchmarks.peers.libraries import LIBRARIES
from benchmarks.peers.summary import OURS, Row
from benchmarks.peers.tables import FLOOR_IS, HOW, WORK_HEAD, limited, losses, threads_title, work
from benchmarks.peers.work import in_sweep


def processors_table(kinds: Sequence[Figures]) -> str:
    """Return one row per kind: the processor that stands for it, and where its tables are."""
    body = [
        [
            f"[{kind.instruction_set}]({kind.name}.md)",
            machine.hardware(kind.machine) + (f"; {limited(kind)}" if kind.limited else ""),
            kind.date,
        ]
        for kind in kinds
    ]
    return markdown.table(["kind, with all tables", "processor", "date"], body, left=2)


def compared_rows(figures: Figures) -> list[Row]:
    """Return the rows in which peers ran, without the points of the plots against N."""
    return [row for row in figures.rows if row.best_peer and not in_sweep(row.case)]


def side_by_side(kinds: Sequence[Figures], threads: int) -> str:
    """Return a table of all cases with so many threads: three columns for each kind."""
    by_kind = [
        (kind, {row.case: row for row in compared_rows(kind) if row.threads == threads})
        for kind in kinds
    ]
    by_kind = [(kind, rows) for kind, rows in by_kind if rows]
    cases: dict[Case, Row] = {}
    for _, rows in by_kind:
        for case, row in rows.items():
            cases.setdefault(case, row)
    body = []
    for case, any_row in cases.items():
        cells = work(any_row)
        for _, rows in by_kind:
            row = rows.get(case)
            best = row.best_peer if row else None
            if row is None or best is None:
                cells += [markdown.MISSING] * 3
                continue
            cells += [
                markdown.duration(row.seconds(OURS)),
                f"{markdown.ratio(row.times_as_fast)} {LIBRARIES[best].title}",
                markdown.percent(row.share_of_floor),
            ]
        body.append(cells)
    head = list(WORK_HEAD)
    for kind, _ in by_kind:
        name = kind.instruction_set
        head += [f"{name}: ours", f"{name}: best peer ÷ ours", f"{name}: share of the floor"]
    return markdown.table(head, body, left=2)


def document(kinds: Sequence[Figures], plots: Sequence[tuple[str, str, str]]) -> str:
    """Return the page; ``plots`` has a kind, a title and a file for each plot against N."""
    counts = sorted({row.threads for kind in kinds for row in compared_rows(kind)})
    parts = [
        "# Other libraries on the same work",
        HOW,
        FLOOR_IS,
        "## The processors",
        processors_table(kinds),
        "## Where we lose",
    ]
    for kind in kinds:
        parts += [f"{kind.instruction_set}:", losses(kind.rows)]
    for count in counts:
        parts += [f"## Time of a step, {threads_title(count)}", side_by_side(kinds, count)]
    if plots:
        parts.append("## Time against N")
        parts += [f"![{kind}: {title}]({file})" for kind, title, file in plots]
    return "\n\n".join(parts) + "\n"
