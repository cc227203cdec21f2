"""The order of sums: many workers in one process, each with its own run of segments.

Segments are short here, because only the order of additions matters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import reduce
from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop import Network, segments
from batchprop.engines.fused.gauss_newton.gauss_newton_objective import GAUSS_NEWTON_SUMS
from batchprop.engines.fused.objective import GRADIENT_SUMS
from batchprop.engines.fused.segment_sums import SegmentSums
from batchprop.engines.fused.task import GRADIENT
from batchprop.engines.portions import SegmentRange
from batchprop.engines.samples import Samples
from batchprop.segments import SegmentTree
from benchmarks.scaling_out.dealing import Deal, even, groups_of, rounded
from benchmarks.scaling_out.messages import packed, unpacked

Array = npt.NDArray[Any]

SEGMENT_SAMPLES, N_SEGMENTS = 64, 300
WORKERS = (1, 2, 3, 8, 64, 256)
FAN_INS = (2, 8, 16)
SUMS = {"gradient": GRADIENT_SUMS, "Gauss–Newton": GAUSS_NEWTON_SUMS}
SIZES = {"gradient": (8, 10, 2), "Gauss–Newton": (4, 6, 2)}  # e, m, s


class Case(NamedTuple):
    """Sums over short segments, cut in one way.

    Attributes
    ----------
    sums : str
        A key of ``SUMS``.
    deal : str
        How segments were dealt.
    n_workers, fan_in : int
        How many workers; how many messages an intermediate worker joins, 0 without such workers.
    n_nodes, most_nodes : int
        Nodes that all workers send, and the most that one sends.
    digest : str
        Of the bits of the sums, added in the tree.
    digest_in_turn : str
        Of the bits if each worker adds its nodes, and the driver these sums in turn.
    """

    sums: str
    deal: str
    n_workers: int
    fan_in: int
    n_nodes: int
    most_nodes: int
    digest: str
    digest_in_turn: str


@contextmanager
def short_segments(n_samples: int = SEGMENT_SAMPLES) -> Iterator[None]:
    """Cut samples into segments of so many for some time."""
    previous = segments.SEGMENT_SAMPLES
    segments.SEGMENT_SAMPLES = n_samples  # type: ignore[misc]
    try:
        yield
    finally:
        segments.SEGMENT_SAMPLES = previous  # type: ignore[misc]


class Problem:
    """A network and samples that every worker holds a part of.

    Parameters
    ----------
    sums : str
        A key of ``SUMS``.
    n_segments : int
        How many segments there are; the last one is shorter.
    """

    def __init__(self, sums: str, n_segments: int = N_SEGMENTS) -> None:
        e, m, s = SIZES[sums]
        rng = np.random.default_rng(0)
        self.n_samples = n_segments * segments.SEGMENT_SAMPLES - 23
        self.X = rng.standard_normal((e, self.n_samples))
        self.T = rng.standard_normal((s, self.n_samples))
        self.network = Network.initialize(e, m, s, activation="tanh", dtype="float64", seed=0)
        self.sums = SUMS[sums]

    def message_of(self, run: range) -> memoryview:
        """Return what the worker with a run of segments sends."""
        samples_range = SegmentRange(self.n_samples, run.start, run.stop)
        part = slice(samples_range.first_sample, samples_range.stop_sample)
        network = self.network
        worker = SegmentSums(
            _InMemory(Samples(self.X[:, part], self.T[:, part])), samples_range, self.sums,
            network.shape, network.activation, network.dtype, n_threads=1,
        )  # fmt: skip
        nodes = worker.sums(network.theta, GRADIENT)
        worker.close()
        return packed(nodes)


class _InMemory:
    """One block of samples."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples

    def read(self) -> Iterator[Samples]:
        yield self._samples


def tree_of(messages: Sequence[memoryview]) -> SegmentTree[Array]:
    """Return the tree of the nodes in messages from neighbours: what each receiver does."""
    tree: SegmentTree[Array] = SegmentTree(np.add)
    for message in messages:
        tree.extend(unpacked(message))
    return tree


def reduced(messages: Sequence[memoryview], fan_in: int) -> list[memoryview]:
    """Return at most ``fan_in`` messages: workers join neighbours' until there are so few."""
    while len(messages) > fan_in:
        groups = [messages[k : k + fan_in] for k in range(0, len(messages), fan_in)]
        messages = [packed(tree_of(group).nodes) for group in groups]
    return list(messages)


def sum_in_turn(messages: Sequence[memoryview]) -> Array:
    """Return the sum in another order: that of each worker first, then of all workers in turn."""
    total, *others = [reduce(np.add, _values(message)) for message in messages]
    return reduce(np.add, others, total)


def _values(message: memoryview) -> list[Array]:
    """Return the sums in a message from right to left, as ``SegmentTree.total`` adds them."""
    return [node.value for node in reversed(unpacked(message))]


def digest(sums: Array) -> str:
    """Return a short name of the bits of some sums."""
    return sha256(sums.tobytes()).hexdigest()[:16]


def cases(workers: Sequence[int] = WORKERS, fan_ins: Sequence[int] = FAN_INS) -> list[Case]:
    """Return the sums for all numbers of workers, with and without intermediate workers."""
    results = []
    deals: dict[str, Deal] = {"even": even, "rounded": rounded}
    with short_segments():
        for sums in SUMS:
            problem = Problem(sums)
            for deal, runs_of in deals.items():
                for n_workers in workers:
                    runs = runs_of(N_SEGMENTS, n_workers)
                    messages = [problem.message_of(run) for run in runs]
                    counts = [len(unpacked(message)) for message in messages]
                    in_turn = digest(sum_in_turn(messages))
                    for fan_in in (0, *fan_ins):
                        if fan_in and len(groups_of(runs, fan_in)) < 2:
                            continue
                        at_driver = reduced(messages, fan_in) if fan_in else messages
                        total = tree_of(at_driver).total()
                        results.append(
                            Case(sums, deal, n_workers, fan_in, sum(counts), max(counts),
                                 digest(total), in_turn)
                        )  # fmt: skip
    return results
