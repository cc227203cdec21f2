"""The tables of what was computed for N = 10⁹."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

from batchprop.segments import SEGMENT_SAMPLES
from benchmarks import markdown
from benchmarks.scaling_out import paper
from benchmarks.scaling_out.dealing import nodes_of, single_nodes
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
    for evaluation in measured_evaluations(figures):
        itemsize = 4 if evaluation.dtype == "float32" else 8
        per_node = paper.bytes_per_node(figures, evaluation)
        most = max(len(nodes_of(run)) for run in runs)
        rows.append([
            evaluation.name,
            size(N_SAMPLES * (evaluation.e + evaluation.s) * itemsize / N_MACHINES),
            size(evaluation.theta_bytes), size(evaluation.theta_bytes * len(runs)), size(per_node),
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
    """Return the parts of an evaluation on 64 machines, and the share of the kernels."""
    few, many, slow_link = Machines(FEW_CORES), Machines(), Machines(link=GIGABIT)
    rows, shares = [], []
    for evaluation in measured_evaluations(figures):
        parts = {
            machines: paper.evaluated(figures, evaluation, machines)
            for machines in (few, many, slow_link)
        }
        values = [parts[few].kernel, parts[many].kernel, parts[many].dask]
        values += [part.theta + part.receive for part in (parts[many], parts[slow_link])]
        rows.append([evaluation.name, *map(seconds, [*values, parts[many].add])])
        shares.append([evaluation.name, *(_percent(part.efficiency) for part in parts.values())])
    head = ["evaluation", f"kernels, {FEW_CORES} cores", f"kernels, {CORES} cores", "Dask",
            "network, 10 Gbit/s", "network, 1 Gbit/s", "unpack, add"]  # fmt: skip
    share_head = ["share of the kernels", *map(_title, (few, many, slow_link))]
    return f"{markdown.table(head, rows)}\n\n{markdown.table(share_head, shares)}"


def _title(machines: Machines) -> str:
    return f"{machines.cores} cores, {machines.link / GIGABIT:.0f} Gbit/s"


def limits(figures: Figures) -> str:
    """Return up to how many workers the serial part is a tenth of the kernels' time."""
    clusters = [
        Machines(cores, link)
        for cores, link in product((FEW_CORES, CORES), (10 * GIGABIT, GIGABIT))
    ]
    rows = []
    for evaluation in measured_evaluations(figures):
        cells = []
        for cluster in clusters:
            pair = [
                paper.workers_until(figures, evaluation, cluster, SHARE, with_dask)
                for with_dask in (False, True)
            ]
            cells.append(" / ".join(f"{count:,}" for count in pair))
        rows.append([evaluation.name, *cells])
    return markdown.table(["evaluation", *map(_title, clusters)], rows)


def trees(figures: Figures) -> str:
    """Return how long it takes to bring all sums together, with and without a tree of workers."""
    rows = []
    for evaluation, count in product(measured_evaluations(figures), MANY[1:]):
        parts = [
            paper.reduced(figures, evaluation, Machines(n_workers=count), fan_in)
            for fan_in in FAN_INS
        ]
        rows.append(
            [evaluation.name, f"{count:,}", *(seconds(receive + add) for receive, add, _ in parts)]
        )
    head = ["evaluation", "workers", "no tree", *(f"fan-in {fan_in}" for fan_in in FAN_INS[1:])]
    return markdown.table(head, rows)


def speed_ups(figures: Figures) -> str:
    """Return how many times as fast as one machine clusters are."""
    rows = []
    for evaluation in measured_evaluations(figures):
        cells = []
        for count in MANY:
            machines = Machines(n_workers=count)
            pair = [paper.speed_up(figures, evaluation, machines, fan_in) for fan_in in (0, 16)]
            cells.append(" / ".join(map(markdown.number, pair)))
        for fan_in in (0, 16):
            largest, count = paper.largest_speed_up(figures, evaluation, Machines(), fan_in)
            cells.append(f"{markdown.number(largest)} on {count:,}")
        rows.append([evaluation.name, *cells])
    head = ["evaluation", *(f"{count:,} machines" for count in MANY), "largest, no tree",
            "largest, fan-in 16"]  # fmt: skip
    return markdown.table(head, rows)


def memory(figures: Figures) -> str:
    """Return the memory of the driver."""
    rows = []
    for evaluation in measured_evaluations(figures):
        cells = [
            size(paper.driver_bytes(figures, evaluation, Machines(), fan_in)) for fan_in in FAN_INS
        ]
        single = paper.driver_bytes(figures, evaluation, Machines(deal=single_nodes))
        rows.append(
            [evaluation.name, *cells, size(single), size(_solver_bytes(figures, evaluation))]
        )
    head = ["evaluation", "messages, no tree", *(f"fan-in {k}" for k in FAN_INS[1:]),
            "one node a machine", "the solver"]  # fmt: skip
    return markdown.table(head, rows)


def _solver_bytes(figures: Figures, evaluation: Evaluation) -> float:
    """Return the bytes of L-BFGS's pairs, or of JᵀJ and the copy that is factorised."""
    if evaluation.gauss_newton:
        return 2 * 8 * evaluation.shape.n_parameters**2
    return next(row["n_bytes"] for row in figures.lbfgs if row["evaluation"] == evaluation.name)


def iterations(figures: Figures) -> str:
    """Return the time of an iteration of L-BFGS and of Levenberg–Marquardt on 64 machines."""
    machines, rows = Machines(), []
    pairs = {row["evaluation"]: row for row in figures.lbfgs}
    for evaluation in measured_evaluations(figures):
        if evaluation.gauss_newton:
            parts = paper.lm_iteration(figures, evaluation, machines)
            cells = [parts["kernels"], parts["sums"] + parts["trials"], parts["solve"]]
            name = "lm"
        else:
            each = paper.evaluated(figures, evaluation, machines)
            count = figures.lbfgs_evaluations
            cells = [count * each.kernel, count * each.serial, pairs[evaluation.name]["seconds"]]
            name = f"lbfgs, {pairs[evaluation.name]['n_pairs']} pairs"
        total = sum(cells)
        rows.append([evaluation.name.split(",")[0], name, *map(seconds, cells), seconds(total),
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
    for evaluation in measured_evaluations(figures):
        totals = [
            paper.evaluated(figures, evaluation, Machines(link=link, deal=deal)).total
            for deal, link in product(paper.DEALS.values(), links)
        ]
        rows.append([evaluation.name, *map(seconds, totals)])
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
