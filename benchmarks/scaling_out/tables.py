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
    names = {row.evaluation for row in figures.driver}
    return [evaluation for evaluation in EVALUATIONS if evaluation.name in names]


def machine_and_date(figures: Figures) -> str:
    """Return where and when was measured."""
    first, last = figures.load[0], figures.load[-1]
    return (
        f"{machine.sentence(figures.machine, figures.date)} Other programs used the machine, too: "
        f"its load average was {first:.1f} before and {last:.1f} after the timed parts."
    )


def order(figures: Figures) -> str:
    """Return the check of bits: a row for each number of workers."""
    reference = {case.sums: case.digest for case in figures.cases if case.n_workers == 1}
    rows = []
    for n_workers in sorted({case.n_workers for case in figures.cases}):
        of_workers = [case for case in figures.cases if case.n_workers == n_workers]
        cells = [str(n_workers)]
        for deal in ("rounded", "even"):
            counts = {case.n_nodes for case in of_workers if case.deal == deal}
            most = {case.most_nodes for case in of_workers if case.deal == deal}
            cells.append(f"{max(counts)} ({max(most)})" if counts else markdown.MISSING)
        for digest_of in (_tree_digest, _turn_digest):
            for sums in SUMS:
                digests = {digest_of(case) for case in of_workers if case.sums == sums}
                cells.append("the same" if digests == {reference[sums]} else "others")
        rows.append(cells)
    head = ["workers", "nodes sent, rounded runs", "nodes sent, even runs",
            *(f"{sums}: added in the tree" for sums in SUMS),
            *(f"{sums}: added in turn" for sums in SUMS)]  # fmt: skip
    n_others = sum(case.digest != reference[case.sums] for case in figures.cases)
    text = (
        f"{len(figures.cases)} ways of adding {N_SEGMENTS} segments of {SEGMENT_SAMPLES} samples: "
        f"without intermediate workers, and with those that join 2, 8 or 16 messages. "
        f"{n_others or 'None'} of them gave other bits. In parentheses, the most nodes that one "
        f"worker sends."
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
            row.evaluation, str(row.n_workers), str(row.n_nodes), str(row.most_nodes),
            size(row.most_bytes), size(row.n_bytes),
            *map(markdown.duration, (row.unpack, row.add, row.least)),
        ]
        for row in figures.driver
        if row.n_workers in SHOWN
    ]  # fmt: skip
    head = ["evaluation", "workers", "nodes", "most of one worker", "most bytes of one worker",
            "driver receives", "unpack", "add", "both, least"]  # fmt: skip
    return markdown.table(head, rows)


def kernels(figures: Figures) -> str:
    """Return the rates of the kernels."""
    dtypes = {evaluation.name: evaluation.dtype for evaluation in measured_evaluations(figures)}
    rows = []
    for row in figures.rates:
        network = row.evaluation.split(",")[0]
        name = row.evaluation if row.work == "sums" else f"{network}, {row.work}"
        rate = _short(figures.rate(row.evaluation, row.work))
        rows.append([name, dtypes[row.evaluation], f"{row.n_samples:,}", f"{rate:,.0f}",
                     f"{_short(row.n_samples / row.seconds):,.0f}"])  # fmt: skip
    head = ["evaluation", "dtype", "samples", "samples/s, best", "median"]
    return markdown.table(head, rows, left=2)


def _short(value: float) -> float:
    """Round to three digits."""
    return float(f"{value:.3g}")


def rounds(figures: Figures) -> str:
    """Return what rounds of Dask cost."""
    rows = [
        [
            str(row.n_workers),
            *map(markdown.duration, (row.seconds, row.least, row.driver_cpu)),
            markdown.duration(row.driver_cpu / row.n_workers),
        ]
        for row in figures.rounds
    ]
    head = ["workers", "a round, median", "least", "CPU time of client and scheduler",
            "the same for each worker"]  # fmt: skip
    return markdown.table(head, rows, left=0)


TABLES: dict[str, Callable[[Figures], str]] = {
    "order": order,
    "driver": driver,
    "kernels": kernels,
    "rounds": rounds,
    "machine": machine_and_date,
}
