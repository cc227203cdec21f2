"""The table of README: three cases, and every row in which another library is faster."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks import machine, markdown
from benchmarks.peers.figures import Figures
from benchmarks.peers.libraries import LIBRARIES
from benchmarks.peers.overview import compared_rows
from benchmarks.peers.summary import OURS, Row
from benchmarks.peers.tables import threads_title

CASES = ("seed/logistic/float64", "uci/tanh/float32", "wide/relu/float32")


def _cell(row: Row | None) -> str:
    if row is None or row.best_peer is None:
        return markdown.MISSING
    times = f"{markdown.number(row.times_as_fast or 0.0)}×"
    return f"{markdown.duration(row.seconds(OURS))}, {times} {LIBRARIES[row.best_peer].title}"


def table(kinds: Sequence[Figures]) -> str:
    """Return one row per case and number of threads; two columns for each kind of processor."""
    columns = [
        (
            kind,
            threads,
            {row.case.name: row for row in compared_rows(kind) if row.threads == threads},
        )
        for kind in kinds
        for threads in sorted({row.threads for row in compared_rows(kind)})
    ]
    body = []
    for name in CASES:
        rows = [by_name[name] for _, _, by_name in columns if name in by_name]
        if rows:
            case = rows[0].case
            what = f"{case.net}, N = {case.n_samples:,}, {case.activation}, {case.dtype}"
            body.append([what, *(_cell(by_name.get(name)) for _, _, by_name in columns)])
    titles = [f"{kind.instruction_set}, {threads_title(threads)}" for kind, threads, _ in columns]
    return markdown.table(["network and samples", *titles], body, left=1)


def lost(kinds: Sequence[Figures]) -> str:
    """Return one sentence that names the rows in which another library is faster.

    The points of the plots against N count as well.
    """
    names = [
        f"{row.case.name} with {threads_title(row.threads)} ({kind.instruction_set}, "
        f"{markdown.number(row.times_as_fast or 0.0)}×)"
        for kind in kinds
        for row in kind.rows
        if row.is_lost
    ]
    n_rows = sum(row.times_as_fast is not None for kind in kinds for row in kind.rows)
    if not names:
        return f"No other library is faster in any of {n_rows} rows."
    return f"Another library is faster in {len(names)} of {n_rows} rows: {', '.join(names)}."


def part(kinds: Sequence[Figures]) -> str:
    """Return the text between README's markers."""
    processors = "; ".join(
        f"{kind.instruction_set}: {machine.hardware(kind.machine)}, {kind.date}" for kind in kinds
    )
    return f"{table(kinds)}\n\n{lost(kinds)} {processors}."
