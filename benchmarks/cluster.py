"""What a Dask cluster costs: the time of an evaluation, and the CPU time of all processes.

    python -m benchmarks.cluster                 two workers with one thread each
    python -m benchmarks.cluster --workers 4

Run it on a machine that does nothing else: CPU times grow, too, where processes share a processor.
"""

from __future__ import annotations

import argparse
import os
import time
from typing import Any, NamedTuple

import dask.array as da
import distributed
import numpy as np

from batchprop.dask.cluster_samples import ClusterSamples
from batchprop.dask.sources import source_of
from batchprop.engines.fused.objective import Objective
from batchprop.engines.samples import Samples
from batchprop.network import Network
from batchprop.vocabulary import COLUMNS

CHUNK = 1 << 17


class Case(NamedTuple):
    """A network, and how many samples it is evaluated on, in float32."""

    n_samples: int
    n_inputs: int
    n_hidden: int


CASES = (Case(1 << 18, 2, 2), Case(1 << 21, 2, 2), Case(1 << 21, 9, 50))


class Cost(NamedTuple):
    """Milliseconds of loss and gradient."""

    wall_alone: float  # one process, as many threads as there are workers
    cpu_alone: float
    wall: float  # the median of all evaluations on the cluster
    shortest: float
    cpu_driver: float  # driver and scheduler, which are one process here
    cpu_workers: float
    same_bits: bool


def cpu_seconds(pids: list[int]) -> float:
    """Return the CPU time of some processes (Linux)."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def cost(case: Case, client: distributed.Client, repetitions: int) -> Cost:
    """Measure one case."""
    n_samples, e, m = case
    X = np.random.default_rng(0).standard_normal((n_samples, e), dtype=np.float32)
    network = Network.initialize(e, m, 1, dtype="float32")
    rows = client.persist(da.from_array(X, chunks=(CHUNK, e)))
    samples = ClusterSamples(source_of(rows, rows[:, 0], None, COLUMNS), client, 60.0, None)
    summary = samples.summarise(("X", "T", "sample_weight"), None)
    arguments: tuple[Any, ...] = network.shape, "tanh", np.dtype(np.float32)
    workers = client.run(os.getpid)
    gradients = [np.empty_like(network.theta) for _ in range(2)]

    data = Samples(X.T, X[:, :1].T, None, summary.scaling)
    with Objective(data, *arguments, len(workers)) as alone:
        alone.loss_and_gradient(network.theta, gradients[0])
        began, cpu = time.perf_counter(), time.process_time()
        for _ in range(repetitions):
            alone.loss_and_gradient(network.theta, gradients[0])
        wall_alone = (time.perf_counter() - began) / repetitions
        cpu_alone = (time.process_time() - cpu) / repetitions

    there = samples.objective(summary, summary.scaling, *arguments, None, None, with_JTJ=False)
    there.loss_and_gradient(network.theta, gradients[1])
    pids, times = list(workers.values()), []
    cpu, cpu_of_workers = time.process_time(), cpu_seconds(pids)
    for _ in range(repetitions):
        began = time.perf_counter()
        there.loss_and_gradient(network.theta, gradients[1])
        times.append(time.perf_counter() - began)
    return Cost(
        1e3 * wall_alone,
        1e3 * cpu_alone,
        1e3 * float(np.median(times)),
        1e3 * min(times),
        1e3 * (time.process_time() - cpu) / repetitions,
        1e3 * (cpu_seconds(pids) - cpu_of_workers) / repetitions,
        gradients[0].tobytes() == gradients[1].tobytes(),
    )


def document(costs: dict[Case, Cost], n_workers: int) -> str:
    """Return the table as Markdown."""
    lines = [
        f"Loss and gradient in float32: one process with {n_workers} threads, and {n_workers} "
        f"workers with one thread each.",
        "",
        "| samples | network | one process | its CPU | cluster | shortest | CPU of driver and "
        "scheduler | CPU of workers | same bits |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for case, c in costs.items():
        numbers = " | ".join(f"{number:.1f} ms" for number in c[:6])
        bits = "yes" if c.same_bits else "no"
        network = f"{case.n_inputs}-{case.n_hidden}-1"
        lines.append(f"| {case.n_samples} | {network} | {numbers} | {bits} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repetitions", type=int, default=50)
    options = parser.parse_args()
    local = {"n_workers": options.workers, "threads_per_worker": 1, "dashboard_address": ":0"}
    with distributed.LocalCluster(**local) as cluster, distributed.Client(cluster) as client:
        costs = {case: cost(case, client, options.repetitions) for case in CASES}
    print(document(costs, options.workers), end="")


if __name__ == "__main__":
    main()
