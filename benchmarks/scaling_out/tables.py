"""The tables of what was measured."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks import machine, markdown
from benchmarks.scaling_out.figures import Figures
from benchmarks.scaling_out.networks import EVALUATIONS, Evaluation
from benchmarks.scaling_out.order import N_SEGMENTS, SEGMENT_SAMPLES, SUMS, Case

SHOWN = (1, 8, 64, 256)  # numbers of workers in the table of the driver's work


def size(n_bytes: float) -> str:
    """Format a number of bytes."""
    for limit, unit in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if n_bytes >= limit:
            return f"{markdown.number(n_bytes / limit)} {unit}"
    return f"{n_bytes:.0f} B"


def measured_evaluations(figures: Figures) -> list[Evaluation]:
    """Return the evaluations that were measured."""
    names = {one.evaluation for one in figures.driver}
    return [one for one in EVALUATIONS if one.name in names]


def place(figures: Figures) -> str:
    """Return where and when was measured."""
    before, after = figures.load[0], figures.load[-1]
    return (
        f"{machine.sentence(figures.machine, figures.date)} Other programs used the machine, too: "
        f"its load average was {before:.1f} before and {after:.1f} after the timed parts."
    )


def order(figures: Figures) -> str:
    """Return the check of bits: a row for each number of workers."""
    reference = {one.sums: one.digest for one in figures.cases if one.n_workers == 1}
    rows = []
    for n_workers in sorted({one.n_workers for one in figures.cases}):
        of_workers = [one for one in figures.cases if one.n_workers == n_workers]
        cells = [str(n_workers)]
        for deal in ("rounded", "even"):
            counts = {one.n_nodes for one in of_workers if one.deal == deal}
            most = {one.most_nodes for one in of_workers if one.deal == deal}
            cells.append(f"{max(counts)} ({max(most)})" if counts else markdown.MISSING)
        for digest_of in (_tree_digest, _turn_digest):
            for sums in SUMS:
                digests = {digest_of(one) for one in of_workers if one.sums == sums}
                cells.append("the same" if digests == {reference[sums]} else "others")
        rows.append(cells)
    head = ["workers", "nodes sent, rounded runs", "nodes sent, even runs",
            *(f"{sums}: added in the tree" for sums in SUMS),
            *(f"{sums}: added in turn" for sums in SUMS)]  # fmt: skip
    n_others = sum(one.digest != reference[one.sums] for one in figures.cases)
    text = (
        f"{len(figures.cases)} ways of adding {N_SEGMENTS} segments of {SEGMENT_SAMPLES} samples "
        f"(messages: {figures.format}): without intermediate workers and with those that join 2, "
        f"8 or 16 messages. {n_others or 'None'} of them gave other bits. In parentheses, the "
        f"most nodes that one worker sends."
    )
    return f"{text}\n\n{markdown.table(head, rows, left=0)}"


def _tree_digest(case: Case) -> str:
    return case.digest


def _turn_digest(case: Case) -> str:
    return case.digest_in_turn


def driver(figures: Figures) -> str:
    """Return the driver's work, a row for each evaluation and number of workers."""
    rows = [
        [
            one.evaluation, str(one.n_workers), str(one.n_nodes), str(one.most_nodes),
            size(one.most_bytes), size(one.n_bytes),
            *map(markdown.duration, (one.unpack, one.add, one.least)),
        ]
        for one in figures.driver
        if one.n_workers in SHOWN
    ]  # fmt: skip
    head = ["evaluation", "workers", "nodes", "most of one worker", "most bytes of one worker",
            "driver receives", "unpack", "add", "both, least"]  # fmt: skip
    return markdown.table(head, rows)


def kernels(figures: Figures) -> str:
    """Return the rates of the kernels."""
    dtypes = {one.name: one.dtype for one in measured_evaluations(figures)}
    rows = []
    for one in figures.rates:
        network = one.evaluation.split(",")[0]
        name = one.evaluation if one.work == "sums" else f"{network}, {one.work}"
        rate = _short(figures.rate(one.evaluation, one.work))
        rows.append([name, dtypes[one.evaluation], f"{one.n_samples:,}", f"{rate:,.0f}",
                     f"{_short(one.n_samples / one.seconds):,.0f}"])  # fmt: skip
    head = ["evaluation", "dtype", "samples", "samples/s, best", "median"]
    return markdown.table(head, rows, left=2)


def _short(value: float) -> float:
    """Round to three digits."""
    return float(f"{value:.3g}")


def rounds(figures: Figures) -> str:
    """Return what rounds of Dask cost."""
    rows = [
        [
            str(one.n_workers),
            *map(markdown.duration, (one.seconds, one.least, one.driver_cpu)),
            markdown.duration(one.driver_cpu / one.n_workers),
        ]
        for one in figures.rounds
    ]
    head = ["workers", "a round, median", "least", "CPU time of client and scheduler",
            "the same for each worker"]  # fmt: skip
    return markdown.table(head, rows, left=0)


TABLES: dict[str, Callable[[Figures], str]] = {
    "order": order,
    "driver": driver,
    "kernels": kernels,
    "rounds": rounds,
    "machine": place,
}
