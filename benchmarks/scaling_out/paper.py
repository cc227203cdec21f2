"""N = 10⁹ on many machines: computed from what was measured on one.

Nothing overlaps here: θ goes to the workers, they sum, their messages come to the driver, it adds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from batchprop.segments import SEGMENT_SAMPLES, n_segments
from benchmarks.scaling_out.dealing import (
    Deal,
    even,
    groups_of,
    joined,
    nodes_of,
    rounded,
    single_nodes,
)
from benchmarks.scaling_out.figures import Figures
from benchmarks.scaling_out.networks import Evaluation

N_SAMPLES, N_MACHINES = 10**9, 64
N_SEGMENTS = n_segments(N_SAMPLES)
GIGABIT = 1e9 / 8  # bytes per second
FEW_CORES, CORES = 2, 16  # of the machines that are assumed


class Machines(NamedTuple):
    """The machines of a cluster.

    Attributes
    ----------
    cores : int
        Of each.  All of them together are taken to be as many times as fast as one.
    link : float
        Bytes per second of its network.
    n_workers : int
        How many of them.
    deal : callable
        How segments are dealt.
    """

    cores: int = CORES
    link: float = 10 * GIGABIT
    n_workers: int = N_MACHINES
    deal: Deal = rounded

    @property
    def runs(self) -> list[range]:
        """The run of segments of each machine."""
        return _runs(self.deal, self.n_workers)


@cache
def _runs(deal: Deal, n_workers: int) -> list[range]:
    return deal(N_SEGMENTS, n_workers)


class Seconds(NamedTuple):
    """The parts of an evaluation."""

    kernel: float
    theta: float  # on its way to the workers
    dask: float  # tasks, in client and scheduler
    receive: float  # the messages, by the network
    add: float  # unpacking them, and adding nodes

    @property
    def total(self) -> float:
        return sum(self)

    @property
    def serial(self) -> float:
        """All but the kernels."""
        return self.total - self.kernel

    @property
    def efficiency(self) -> float:
        """Share of the time in which kernels run."""
        return self.kernel / self.total


def n_nodes(runs: Sequence[range]) -> int:
    """Return how many nodes reach the driver."""
    return sum(len(nodes_of(run)) for run in runs)


def add_seconds_per_node(figures: Figures, evaluation: Evaluation) -> float:
    """Return the driver's seconds for a node: its share of a message, and its addition."""
    measured = figures.driver_time(evaluation.name, N_MACHINES)
    return measured.least / measured.n_nodes


def bytes_per_node(figures: Figures, evaluation: Evaluation) -> float:
    """Return the bytes of a node with its share of a message."""
    measured = figures.driver_time(evaluation.name, N_MACHINES)
    return measured.n_bytes / measured.n_nodes


def dask_seconds(figures: Figures, n_tasks: int) -> float:
    """Return CPU seconds of client and scheduler for a round: linear in the number of tasks."""
    first, last = figures.rounds[0], figures.rounds[-1]
    slope = (last.driver_cpu - first.driver_cpu) / (last.n_workers - first.n_workers)
    return first.driver_cpu + slope * (n_tasks - first.n_workers)


def kernel_seconds(
    figures: Figures, evaluation: Evaluation, machines: Machines, work: str = "sums"
) -> float:
    """Return the seconds of the machine with most segments."""
    n_samples = max(map(len, machines.runs)) * SEGMENT_SAMPLES
    return n_samples / (machines.cores * figures.rate(evaluation.name, work))


def evaluated(
    figures: Figures, evaluation: Evaluation, machines: Machines, fan_in: int = 0
) -> Seconds:
    """Return the parts of an evaluation; ``fan_in`` 0 is without intermediate workers."""
    runs = machines.runs
    receive, add, n_tasks = reduced(figures, evaluation, machines, fan_in)
    return Seconds(
        kernel=kernel_seconds(figures, evaluation, machines),
        theta=len(runs) * evaluation.theta_bytes / machines.link,
        dask=dask_seconds(figures, n_tasks),
        receive=receive,
        add=add,
    )


def levels(runs: Sequence[range], fan_in: int) -> Iterator[tuple[int, int]]:
    """Yield, level by level up to the driver, the most nodes at a receiver, and its tasks."""
    while fan_in and len(runs) > fan_in:
        groups = groups_of(runs, fan_in)
        yield max(n_nodes(group) for group in groups), len(groups)
        runs = [joined(group) for group in groups]
    yield n_nodes(runs), 0


@cache
def _levels(deal: Deal, n_workers: int, fan_in: int) -> list[tuple[int, int]]:
    return list(levels(_runs(deal, n_workers), fan_in))


def reduced(
    figures: Figures, evaluation: Evaluation, machines: Machines, fan_in: int
) -> tuple[float, float, int]:
    """Return the seconds in which all sums come together, on the network and adding, and tasks."""
    receive = add = 0.0
    n_tasks = len(machines.runs)
    for most, tasks in _levels(machines.deal, machines.n_workers, fan_in):
        receive += most * bytes_per_node(figures, evaluation) / machines.link
        add += most * add_seconds_per_node(figures, evaluation)
        n_tasks += tasks
    return receive, add, n_tasks


def workers_until(
    figures: Figures, evaluation: Evaluation, machines: Machines, share: float, dask: bool
) -> int:
    """Return the most workers for which the serial part is at most a share of the kernels' time.

    Parameters
    ----------
    dask : bool
        Whether the tasks of Dask count.
    """
    most = 0
    for n_workers in _workers():
        seconds = evaluated(figures, evaluation, machines._replace(n_workers=n_workers))
        serial = seconds.serial - (0.0 if dask else seconds.dask)
        if serial > share * seconds.kernel:
            break
        most = n_workers
    return most


def _workers() -> Iterator[int]:
    """Yield numbers of workers, up to half that of segments, about 3 % apart."""
    count = 1
    while count < N_SEGMENTS // 2:
        yield count
        count = max(count + 1, count * 103 // 100)


def speed_up(
    figures: Figures, evaluation: Evaluation, machines: Machines, fan_in: int = 0
) -> float:
    """Return how many times as fast as one such machine without Dask a cluster is."""
    alone = kernel_seconds(figures, evaluation, machines._replace(n_workers=1))
    return alone / evaluated(figures, evaluation, machines, fan_in).total


def largest_speed_up(
    figures: Figures, evaluation: Evaluation, machines: Machines, fan_in: int = 0
) -> tuple[float, int]:
    """Return the largest speed-up that any number of machines reaches, and this number."""
    return max(
        (speed_up(figures, evaluation, machines._replace(n_workers=n_workers), fan_in), n_workers)
        for n_workers in _workers()
    )


def driver_bytes(
    figures: Figures, evaluation: Evaluation, machines: Machines, fan_in: int = 0
) -> float:
    """Return the memory of the messages of an evaluation if all are there before one is added."""
    *_, (at_driver, _) = levels(machines.runs, fan_in)
    return at_driver * bytes_per_node(figures, evaluation)


def lm_iteration(figures: Figures, evaluation: Evaluation, machines: Machines) -> dict[str, float]:
    """Return the seconds of an iteration of Levenberg–Marquardt, by part.

    Each step that is tried has one evaluation of the curvature.
    """
    counts = figures.lm_evaluations
    solver = next(row for row in figures.lm if row["evaluation"] == evaluation.name)
    sums = evaluated(figures, evaluation, machines)
    n_rounds = counts["loss"] + counts["curvature"]
    small = n_rounds * (sums.theta + sums.dask)
    small += counts["curvature"] * 2 * sums.theta  # θ, θ + p and θ − p
    n_bytes = 8 * evaluation.shape.n_parameters * n_nodes(machines.runs)  # those of Jᵀy″
    small += counts["curvature"] * n_bytes / machines.link
    kernels = sum(
        counts[work] * kernel_seconds(figures, evaluation, machines, work)
        for work in ("loss", "curvature")
    )
    return {
        "kernels": sums.kernel + kernels,
        "sums": sums.serial,
        "trials": small,
        "solve": solver["assemble"] + counts["curvature"] * solver["step"],
    }


DEALS: dict[str, Deal] = {"even": even, "rounded": rounded, "one node each": single_nodes}
