"""The tables of what was computed for N = 10⁹."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

from batchprop.segments import SEGMENT_SAMPLES
from benchmarks import markdown
from benchmarks.scaling_out import paper
from benchmarks.scaling_out.dealing import nodes_of, whole_nodes
from benchmarks.scaling_out.figures import Figures
from benchmarks.scaling_out.networks import Evaluation
from benchmarks.scaling_out.paper import CORES, FEW_CORES, GIGABIT, N_MACHINES, N_SAMPLES, Machines
from benchmarks.scaling_out.tables import measured_evaluations, size

FAN_INS = (0, 8, 16)
MANY = (8, 64, 256, 1024)
SHARE = 0.1  # of the time of the kernels


def seconds(value: float) -> str:
    """Format a time: hours and minutes if it is long."""
    if value >= 2 * 3600:
        return f"{markdown.number(value / 3600)} h"
    return f"{markdown.number(value / 60)} min" if value >= 120 else markdown.duration(value)


def _percent(share: float) -> str:
    return f"{100 * share:.{1 if share > 0.99 else 0}f} %"


def sizes(figures: Figures) -> str:
    """Return samples, segments and bytes of 64 machines."""
    machines = Machines()
    runs = machines.runs
    rows = []
    for one in measured_evaluations(figures):
        itemsize = 4 if one.dtype == "float32" else 8
        per_node = paper.bytes_per_node(figures, one)
        most = max(len(nodes_of(run)) for run in runs)
        rows.append([
            one.name, size(N_SAMPLES * (one.e + one.s) * itemsize / N_MACHINES),
            size(one.theta_bytes), size(one.theta_bytes * len(runs)), size(per_node),
            size(per_node * most), size(per_node * paper.n_nodes(runs)),
        ])  # fmt: skip
    lengths = sorted(map(len, runs))
    text = (
        f"{N_SAMPLES:,} samples are {paper.N_SEGMENTS:,} segments of {SEGMENT_SAMPLES:,}. On "
        f"{len(runs)} machines, each has {lengths[0]} to {lengths[-1]} segments, about "
        f"{N_SAMPLES / len(runs) / 1e6:.1f} million samples, and they send "
        f"{paper.n_nodes(runs)} nodes."
    )
    head = ["evaluation", "X and T of a machine", "θ to a machine", "θ to all", "a node",
            "most from a machine", "sums back to the driver"]  # fmt: skip
    return f"{text}\n\n{markdown.table(head, rows)}"


def evaluations(figures: Figures) -> str:
    """Return the parts of an evaluation on 64 machines."""
    kinds = [Machines(FEW_CORES), Machines(), Machines(link=GIGABIT)]
    rows = []
    for one in measured_evaluations(figures):
        parts = [paper.evaluated(figures, one, kind) for kind in kinds]
        rows.append([
            one.name, seconds(parts[0].kernel), seconds(parts[1].kernel), seconds(parts[1].dask),
            seconds(parts[1].theta + parts[1].receive),
            seconds(parts[2].theta + parts[2].receive), seconds(parts[1].add),
            *(_percent(part.efficiency) for part in parts),
        ])  # fmt: skip
    few = f"{kinds[0].cores} cores"
    head = ["evaluation", f"kernels, {few}", f"kernels, {CORES} cores", "Dask",
            "network, 10 Gbit/s", "network, 1 Gbit/s", "unpack, add",
            f"kernels' share: {few}, 10 Gbit/s", f"{CORES} cores, 10 Gbit/s",
            f"{CORES} cores, 1 Gbit/s"]  # fmt: skip
    return markdown.table(head, rows)


def limits(figures: Figures) -> str:
    """Return up to how many workers the serial part is a tenth of the kernels' time."""
    kinds = [
        Machines(cores, link)
        for cores, link in product((FEW_CORES, CORES), (10 * GIGABIT, GIGABIT))
    ]
    rows = []
    for one in measured_evaluations(figures):
        cells = []
        for kind in kinds:
            pair = [
                paper.workers_until(figures, one, kind, SHARE, with_dask)
                for with_dask in (False, True)
            ]
            cells.append(" / ".join(f"{count:,}" for count in pair))
        rows.append([one.name, *cells])
    head = ["evaluation", *(
        f"{kind.cores} cores, {kind.link / GIGABIT:.0f} Gbit/s" for kind in kinds
    )]  # fmt: skip
    return markdown.table(head, rows)


def trees(figures: Figures) -> str:
    """Return how long it takes to bring all sums together, with and without a tree of workers."""
    rows = []
    for one in measured_evaluations(figures):
        cells = []
        for count in MANY[1:]:
            for fan_in in FAN_INS:
                receive, add, _ = paper.reduced(figures, one, Machines(n_workers=count), fan_in)
                cells.append(seconds(receive + add))
        rows.append([one.name, *cells])
    head = ["evaluation", *(
        f"{count:,} workers, {f'fan-in {fan_in}' if fan_in else 'no tree'}"
        for count, fan_in in product(MANY[1:], FAN_INS)
    )]  # fmt: skip
    return markdown.table(head, rows)


def speed_ups(figures: Figures) -> str:
    """Return how many times as fast as one machine clusters are."""
    rows = []
    for one in measured_evaluations(figures):
        cells = []
        for count in MANY:
            machines = Machines(n_workers=count)
            pair = [paper.speed_up(figures, one, machines, fan_in) for fan_in in (0, 16)]
            cells.append(" / ".join(map(markdown.number, pair)))
        rows.append([one.name, *cells])
    return markdown.table(["evaluation", *(f"{count:,} machines" for count in MANY)], rows)


def memory(figures: Figures) -> str:
    """Return the memory of the driver."""
    rows = []
    for one in measured_evaluations(figures):
        cells = [size(paper.driver_bytes(figures, one, Machines(), fan_in)) for fan_in in FAN_INS]
        whole = paper.driver_bytes(figures, one, Machines(deal=whole_nodes))
        rows.append([one.name, *cells, size(whole), size(_solver_bytes(figures, one))])
    head = ["evaluation", "messages, no tree", *(f"fan-in {k}" for k in FAN_INS[1:]),
            "one node a machine", "the solver"]  # fmt: skip
    return markdown.table(head, rows)


def _solver_bytes(figures: Figures, evaluation: Evaluation) -> float:
    """Return the bytes of L-BFGS's pairs, or of JᵀJ and the copy that is factorised."""
    if evaluation.gauss_newton:
        return 2 * 8 * evaluation.shape.n_parameters**2
    return next(one["n_bytes"] for one in figures.lbfgs if one["evaluation"] == evaluation.name)


def iterations(figures: Figures) -> str:
    """Return the time of an iteration of L-BFGS and of Levenberg–Marquardt on 64 machines."""
    machines, rows = Machines(), []
    pairs = {one["evaluation"]: one for one in figures.lbfgs}
    for one in measured_evaluations(figures):
        if one.gauss_newton:
            parts = paper.lm_iteration(figures, one, machines)
            cells = [parts["kernels"], parts["sums"] + parts["trials"], parts["solve"]]
            name = "lm"
        else:
            each = paper.evaluated(figures, one, machines)
            count = figures.lbfgs_evaluations
            cells = [count * each.kernel, count * each.serial, pairs[one.name]["seconds"]]
            name = f"lbfgs, {pairs[one.name]['n_pairs']} pairs"
        total = sum(cells)
        rows.append([one.name.split(",")[0], name, *map(seconds, cells), seconds(total),
                     _percent(cells[0] / total)])  # fmt: skip
    lm = figures.lm_evaluations
    text = (
        f"Measured evaluations in an iteration: {figures.lbfgs_evaluations:.2f} of L-BFGS; of "
        f"Levenberg–Marquardt {lm['gauss_newton']:.2f} of JᵀJ, {lm['loss']:.2f} of the loss and "
        f"{lm['curvature']:.2f} of the curvature."
    )
    head = ["network", "solver", "kernels", "Dask, network and sums", "the solver on the driver",
            "an iteration", "kernels' share"]  # fmt: skip
    return f"{text}\n\n{markdown.table(head, rows, left=2)}"


def deals(figures: Figures) -> str:
    """Return what fewer nodes save on the network, and cost in kernels."""
    lines = []
    for name, deal in paper.DEALS.items():
        runs = Machines(deal=deal).runs
        lines.append(
            f"- {name}: {len(runs)} machines have work, at most {max(map(len, runs))} segments; "
            f"{paper.n_nodes(runs)} nodes."
        )
    links = (10 * GIGABIT, GIGABIT)
    rows = []
    for one in measured_evaluations(figures):
        totals = [
            paper.evaluated(figures, one, Machines(link=link, deal=deal)).total
            for deal, link in product(paper.DEALS.values(), links)
        ]
        rows.append([one.name, *map(seconds, totals)])
    head = ["an evaluation", *(
        f"{name}, {link / GIGABIT:.0f} Gbit/s" for name, link in product(paper.DEALS, links)
    )]  # fmt: skip
    return "\n".join(lines) + f"\n\n{markdown.table(head, rows)}"


TABLES: dict[str, Callable[[Figures], str]] = {
    "sizes": sizes,
    "evaluations": evaluations,
    "limits": limits,
    "trees": trees,
    "speed-ups": speed_ups,
    "memory": memory,
    "iterations": iterations,
    "deals": deals,
}
