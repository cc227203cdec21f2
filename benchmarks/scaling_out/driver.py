"""The driver's work for an evaluation: it unpacks the workers' messages and adds their nodes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from statistics import median
from typing import NamedTuple

import numpy as np

from batchprop.segments import Node, SegmentTree
from benchmarks.scaling_out.dealing import nodes_of, rounded
from benchmarks.scaling_out.messages import packed, unpacked
from benchmarks.scaling_out.networks import Evaluation

N_SEGMENTS = 7630  # of 10⁹ samples
WORKERS = (1, 2, 3, 8, 64, 256)
MOST_BYTES = 40 << 30  # received in a measurement; an evaluation that needs more is left out


class DriverTime(NamedTuple):
    """What the driver received from all workers, and how long that took it.

    Attributes
    ----------
    evaluation : str
        The name of an ``Evaluation``.
    n_workers, n_nodes, most_nodes : int
        How many workers; nodes from all of them, and the most from one.
    n_bytes, most_bytes : int
        Likewise the bytes of their messages.
    unpack, add : float
        CPU seconds, the median over the repetitions.
    least : float
        The shortest sum of both.
    """

    evaluation: str
    n_workers: int
    n_nodes: int
    most_nodes: int
    n_bytes: int
    most_bytes: int
    unpack: float
    add: float
    least: float


class Messages:
    """Messages with any number of nodes, each kept after it was made.

    Parameters
    ----------
    n_sums : int
        Numbers in a node.
    """

    def __init__(self, n_sums: int) -> None:
        self._n_sums, self._kept = n_sums, dict[int, memoryview]()

    def of(self, n_nodes: int) -> memoryview:
        """Return a message of so many nodes of random sums."""
        if n_nodes not in self._kept:
            rng = np.random.default_rng(n_nodes)
            nodes = [Node(0, k, rng.standard_normal(self._n_sums)) for k in range(n_nodes)]
            self._kept[n_nodes] = packed(nodes)
        return self._kept[n_nodes]


def receive(runs: Sequence[range], messages: Messages) -> tuple[float, float]:
    """Unpack one message for each run and add its nodes; return the CPU seconds of both.

    The Dask layer adds with ``np.add`` into new memory, because it may not change the results of
    tasks.
    """
    tree: SegmentTree[np.ndarray] = SegmentTree(np.add)
    unpacking = adding = 0.0
    for run in runs:
        expected = nodes_of(run)
        message = messages.of(len(expected))
        began = time.thread_time()
        nodes = unpacked(message)
        middle = time.thread_time()
        tree.extend(
            node._replace(level=level, first=first)
            for node, (level, first) in zip(nodes, expected, strict=True)
        )
        unpacking += middle - began
        adding += time.thread_time() - middle
    began = time.thread_time()
    tree.total()
    return unpacking, adding + time.thread_time() - began


def measured(
    evaluation: Evaluation, workers: Iterable[int] = WORKERS, repetitions: int = 7
) -> list[DriverTime]:
    """Return what an evaluation costs the driver, for all numbers of workers that fit."""
    results = []
    messages = Messages(evaluation.n_sums)
    for n_workers in workers:
        runs = rounded(N_SEGMENTS, n_workers)
        counts = [len(nodes_of(run)) for run in runs]
        if 8 * evaluation.n_sums * sum(counts) > MOST_BYTES:
            continue
        sizes = [messages.of(count).nbytes for count in counts]
        times = [receive(runs, messages) for _ in range(repetitions_for(sum(sizes), repetitions))]
        results.append(
            DriverTime(
                evaluation.name, n_workers, sum(counts), max(counts), sum(sizes), max(sizes),
                median(unpack for unpack, _ in times), median(add for _, add in times),
                min(map(sum, times)),
            )
        )  # fmt: skip
    return results


def repetitions_for(n_bytes: int, most: int) -> int:
    """Return how often to measure: fewer times, but at least once, if there is much to add."""
    return max(1, min(most, (8 << 30) // max(1, n_bytes)))
