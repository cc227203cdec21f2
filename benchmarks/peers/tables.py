"""The report in Markdown: our time beside each peer's, including losses and failures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmarks import machine, markdown
from benchmarks.peers.figures import Figures
from benchmarks.peers.libraries import LIBRARIES
from benchmarks.peers.summary import FLOOR, OURS, Entry, Row, all_versions
from benchmarks.peers.work import in_sweep

STATUS = {"unsuitable": "n/a", "wrong": "wrong", "failed": "failed"}


def threads_title(threads: int) -> str:
    return "one thread" if threads == 1 else f"{threads} threads"


def _peers(rows: Sequence[Row]) -> list[str]:
    return [peer for peer in LIBRARIES if any(peer in row.entries for row in rows)]


def work(row: Row) -> list[str]:
    """Return the cells below ``WORK_HEAD``."""
    case = row.case
    name = case.name.split("/")[0]
    return [name, case.net, f"{case.n_samples:,}", f"{case.activation}, {case.dtype}"]


HOW = (
    "Made by `make bench-peers`. A step is forward pass, loss, all four gradients and the update "
    "of plain gradient descent; many steps a call. Each library computes in a process of its own, "
    "in the fastest of the ways that the harness knows, after its gradient was compared with a "
    "float64 reference; the processes take turns, a chunk of steps at a time. Times are medians "
    "over all chunks, the fastest in bold. Ours is `batchprop.train`, the call as it is, its "
    "checks and its last evaluation included."
)
FLOOR_IS = (
    "The floor is 2·N·m·(2e+3s) flops at the measured peak of fused multiply-adds, plus N·m σ at "
    "the rate of our vector σ alone in cache, on the same cores, measured between the chunks; of "
    "these measurements the best counts, because the machine's neighbours come and go."
)
WORK_HEAD = ["case", "net", "N", "σ, dtype"]


def time_table(rows: Sequence[Row]) -> str:
    """Return the table of times per step, the fastest in bold."""
    peers = _peers(rows)
    body = []
    for row in rows:
        times = [row.seconds(peer) for peer in peers]
        cells = []
        for peer, time in zip(peers, times, strict=True):
            entry = row.entries.get(peer)
            cells.append(
                markdown.duration(time)
                if time is not None or entry is None
                else STATUS.get(entry.status, entry.status)
            )
        best = row.best_peer
        body.append(
            [
                *work(row),
                *markdown.bold_least(cells, times),
                LIBRARIES[best].title if best else markdown.MISSING,
                markdown.ratio(row.times_as_fast),
                markdown.percent(row.share_of_floor),
            ]
        )
    titles = [LIBRARIES[peer].title for peer in peers]
    head = [*WORK_HEAD, *titles, "best peer", "best peer ÷ ours", "share of the floor"]
    return markdown.table(head, body, left=2)


def floor_table(rows: Sequence[Row]) -> str:
    """Return the table of the rates that the floor is computed from."""
    body = [
        [
            *work(row),
            markdown.number((row.flops_per_second or 0) / 1e9),
            markdown.number((row.activations_per_second or 0) / 1e9),
            markdown.duration(row.seconds(FLOOR)),
            markdown.duration(row.seconds(OURS)),
        ]
        for row in rows
        if row.seconds(FLOOR) is not None
    ]
    head = [*WORK_HEAD, "FMA peak, GFLOP/s", "σ, 10⁹/s", "floor", "ours"]
    return markdown.table(head, body, left=2)


def scaling_table(rows: Sequence[Row]) -> str:
    """Return the table of our times by number of threads, with the speed-up per thread."""
    counts = sorted({row.threads for row in rows})
    body = []
    for case in dict.fromkeys(row.case for row in rows):
        times = {row.threads: row.seconds(OURS) for row in rows if row.case == case}
        one = times.get(1)
        cells = [case.name]
        for count in counts:
            time = times.get(count)
            gain = f" ({one / time:.2f}×)" if one and time and count > 1 else ""
            cells.append(markdown.duration(time) + gain)
        if sum(time is not None for time in times.values()) > 1:
            body.append(cells)
    return markdown.table(["case", *map(threads_title, counts)], body)


def _side_table(rows: Sequence[Row], show: Callable[[Entry], str]) -> str:
    """Return a table of additional information about each entry."""
    peers = _peers(rows)
    body = []
    for row in rows:
        known = (row.entries.get(peer) for peer in peers)
        cells = [show(e) if e is not None and e.seconds is not None else "" for e in known]
        body.append([row.case.name, *cells])
    return markdown.table(["case", *(LIBRARIES[peer].title for peer in peers)], body)


def _failures(rows: Sequence[Row]) -> str:
    lines = [
        f"- {row.case.name}, {threads_title(row.threads)}, "
        f"{LIBRARIES[peer].title if peer in LIBRARIES else peer}: {entry.note or entry.status}"
        for row in rows
        for peer, entry in row.entries.items()
        if entry.seconds is None
    ]
    return "\n".join(lines) or "None."


def _notes(rows: Sequence[Row]) -> str:
    notes = {
        f"- {LIBRARIES[peer].title}, {row.case.name}: {entry.note}"
        for row in rows
        for peer, entry in row.entries.items()
        if entry.seconds is not None and entry.note
    }
    return "\n".join(sorted(notes))


def losses(rows: Sequence[Row]) -> str:
    """Return a list of the rows in which a peer is faster than ours, the worst first."""
    lost = [row for row in rows if row.is_lost]
    lines = [
        f"- {row.case.name} ({row.case.net}, N = {row.case.n_samples:,}), "
        f"{threads_title(row.threads)}: {markdown.number(row.times_as_fast or 0.0)}×; "
        f"{LIBRARIES[row.best_peer or OURS].title} takes "
        f"{markdown.duration(row.seconds(row.best_peer or OURS))}, ours "
        f"{markdown.duration(row.seconds(OURS))}"
        for row in sorted(lost, key=lambda row: row.times_as_fast or 0.0)
    ]
    compared = sum(row.times_as_fast is not None for row in rows)
    return "\n".join(lines) or f"In none of {compared} rows."


def limited(figures: Figures) -> str:
    """Return what a limit changes and what it leaves."""
    return (
        f"it has {figures.native}, and every library was limited to {figures.instruction_set} "
        "(`--processor`)"
    )


def instructions_table(rows: Sequence[Row]) -> str:
    """Return what each library reports to run, and whether it used AVX-512 registers."""
    body = []
    for peer in [*LIBRARIES, FLOOR]:
        entries = [
            (row, row.entries[peer])
            for row in rows
            if peer in row.entries and row.entries[peer].seconds is not None
        ]
        reported = sorted({entry.instructions for _, entry in entries} - {""})
        if not reported:
            continue
        seen = [(row, entry) for row, entry in entries if entry.uses_avx512 is not None]
        users = list(dict.fromkeys(row.case.name for row, entry in seen if entry.uses_avx512))
        used = f"in {', '.join(users)}" if users else "no" if seen else markdown.MISSING
        title = LIBRARIES[peer].title if peer in LIBRARIES else peer
        body.append([title, "; ".join(reported), used])
    return markdown.table(["library", "reports", "used AVX-512 registers"], body, left=3)


INSTRUCTIONS_ARE = (
    "What the libraries report, in their own words. If a processor was limited to an older kind, "
    "Linux's record of AVX-512 state (`/proc/PID/arch_status`) was read while each library ran."
)


def document(figures: Figures, plots: dict[str, str]) -> str:
    """Return all tables of one kind of processor; ``plots`` maps titles to files."""
    rows = [row for row in figures.rows if not in_sweep(row.case)]
    sweep = [row for row in figures.rows if in_sweep(row.case)]
    counts = sorted({row.threads for row in rows})
    full = [n for n in counts if any(row.best_peer for row in rows if row.threads == n)]
    versions = ", ".join(f"{k} {v}" for k, v in sorted(all_versions(figures.rows).items()))
    parts = [
        f"# Other libraries on the same work: {figures.instruction_set}",
        f"{machine.hardware(figures.machine)}{'; ' + limited(figures) if figures.limited else ''}.",
        f"{machine.software(figures.machine)}; {figures.date}. Libraries: {versions}.",
        HOW,
        FLOOR_IS,
        "## Where we lose",
        losses(figures.rows),
    ]
    for count in full or counts:
        some = [row for row in rows if row.threads == count]
        parts += [f"## Time of a step, {threads_title(count)}", time_table(some)]
    for count in sorted({row.threads for row in sweep if row.best_peer}):
        some = [row for row in sweep if row.threads == count]
        parts += [f"## Time of a step against N, {threads_title(count)}", time_table(some)]
    parts += [f"![{title}]({name})" for title, name in plots.items()]
    if any(entry.instructions for row in figures.rows for entry in row.entries.values()):
        parts += [
            "## The instructions that each library ran",
            INSTRUCTIONS_ARE,
            instructions_table(figures.rows),
        ]
    for count in full or counts:
        some = [row for row in rows if row.threads == count]
        parts += [f"## The floor, {threads_title(count)}", floor_table(some)]
    if len(counts) > 1:
        parts += ["## Ours by number of threads", scaling_table(rows)]
    for count in full or counts:
        some, of = [row for row in rows if row.threads == count], threads_title(count)
        parts += [
            f"## Largest relative error of a gradient block, {of}",
            _side_table(some, lambda e: f"{e.gradient_error:.0e}"),
            f"## Peak memory of the process while timing, MiB, {of}",
            _side_table(some, lambda e: "" if e.peak_mib is None else f"{e.peak_mib:.0f}"),
            f"## Building, compiling and the first step, {of}",
            _side_table(some, lambda e: markdown.duration(e.build_seconds)),
            f"## The way that was fastest, {of}",
            _side_table(some, lambda e: e.way),
        ]
    parts += ["## What did not run", _failures(figures.rows)]
    if notes := _notes(rows):
        parts += ["## Notes", notes]
    return "\n\n".join(parts) + "\n"
