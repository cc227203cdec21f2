"""What a worker keeps of a run of segments: its samples, and what computes sums over them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from itertools import accumulate, pairwise
from typing import Any, NamedTuple, Protocol

import distributed
import numpy as np
import numpy.typing as npt

from batchprop.engines.portions import BlockSource, SegmentRange
from batchprop.engines.samples import Samples
from batchprop.segments import Node

Array = npt.NDArray[Any]

_MAX_OPEN = 4  # objects that sum: training, validation, and those of a run that has ended


class SampleSource(BlockSource, Protocol):
    """Samples that can be read as often as they are needed; picklable."""

    @property
    def nbytes(self) -> int:
        """How much memory they take."""
        ...


class Sums(Protocol):
    """Computes sums over a run of segments."""

    def sums(self, theta: Array, work: int) -> list[Node[Array]]:
        """Return the largest nodes of the tree in this run."""
        ...

    def close(self) -> None:
        """Free buffers and end threads."""
        ...


class Request(NamedTuple):
    """What is to be summed.

    Attributes
    ----------
    token : str
        Workers keep what they open by this name.
    open_sums : callable
        ``open_sums(samples, samples_range, n_threads)`` returns a ``Sums``.  It is pickled.
    n_threads : int or None
        At most so many threads on each worker; None is the worker's own number.
    """

    token: str
    open_sums: Callable[..., Sums]
    n_threads: int | None = None


class PartitionSamples:
    """Samples in partitions of tables that may be cut differently.

    Parameters
    ----------
    tables : sequence of lists of ndarray
        The pieces of X, T and, if there are any, of the weights, all as arrays whose columns are
        samples.  Nothing is copied.
    """

    def __init__(self, tables: Sequence[Sequence[Array]]) -> None:
        bounds = [[0, *accumulate(piece.shape[1] for piece in table)] for table in tables]
        cuts = sorted(set().union(*bounds))
        self._pieces = [_cut(table, cuts) for table in tables]
        self.nbytes = sum(piece.nbytes for table in self._pieces for piece in table)

    def read(self) -> Generator[Samples]:
        """Yield the samples between two cuts of any of the tables."""
        for X, T, *weight in zip(*self._pieces, strict=True):
            yield Samples(X, T, weight[0][0] if weight else None)


def _cut(table: Sequence[Array], cuts: Sequence[int]) -> list[Array]:
    """Return a table's pieces between successive cuts, among which are its own."""
    pieces, start = [], 0
    bounds = list(pairwise(cuts))
    for piece in table:
        stop = start + piece.shape[1]
        while bounds and bounds[0][1] <= stop:
            low, high = bounds.pop(0)
            pieces.append(piece[:, low - start : high - start])
        start = stop
    return pieces


class ResidentSamples:
    """A run of segments on a worker.

    It is the result of a task, which Dask repeats elsewhere if the worker dies.  What sums is
    opened when it is first needed, and neither pickled nor moved.

    Parameters
    ----------
    samples : SampleSource
        The samples of the run.
    samples_range : SegmentRange
        Which segments of all samples these are.
    """

    def __init__(self, samples: SampleSource, samples_range: SegmentRange) -> None:
        self.samples, self.samples_range = samples, samples_range
        self._open: dict[str, Sums] = {}
        self._lock = threading.Lock()  # an evaluation that was given up may still run

    def sums(self, request: Request, theta: Array, work: int) -> list[Node[Array]]:
        """Return the nodes of the sums over this run at θ."""
        with self._lock:
            if request.token not in self._open:
                while len(self._open) >= _MAX_OPEN:
                    self._open.pop(next(iter(self._open))).close()
                self._open[request.token] = request.open_sums(
                    self.samples, self.samples_range, worker_threads(request.n_threads)
                )
            return self._open[request.token].sums(theta, work)

    def __sizeof__(self) -> int:
        return object.__sizeof__(self) + self.samples.nbytes

    def __getstate__(self) -> dict[str, Any]:
        return {"samples": self.samples, "samples_range": self.samples_range}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]


def worker_threads(limit: int | None) -> int | None:
    """Return how many threads a task may use: those of its worker, and at most ``limit``.

    Dask's nanny sets OMP_NUM_THREADS to 1, whatever the worker has.
    """
    with suppress(ValueError):  # no worker: the caller's process
        n_threads = int(distributed.get_worker().state.nthreads)
        return n_threads if limit is None else min(limit, n_threads)
    return limit


def resident_samples(
    tables: Sequence[Sequence[Any]],
    bounds: Sequence[Sequence[tuple[int, int]]],
    dtypes: Sequence[str],
    samples_range: SegmentRange,
) -> ResidentSamples:
    """Return a run of segments from the partitions that it overlaps: the task of a worker.

    Parameters
    ----------
    tables : sequence of sequences of Partition
        The partitions of X, T and, if there are any, of the weights.
    bounds : sequence of sequences of pairs
        Which samples of each partition belong to the run.
    dtypes : sequence of str
        The dtype of each table: that of all its partitions together.
    samples_range : SegmentRange
        The run.
    """
    pieces = [
        [
            np.asarray(partition.columns, dtype)[:, start:stop]
            for partition, (start, stop) in zip(table, table_bounds, strict=True)
        ]
        for table, table_bounds, dtype in zip(tables, bounds, dtypes, strict=True)
    ]
    return ResidentSamples(PartitionSamples(pieces), samples_range)


def group_sums(
    group: ResidentSamples, request: Request, theta: Array, work: int
) -> list[Node[Array]]:
    """Return the nodes of the sums over a run of segments: the task of an evaluation."""
    return group.sums(request, theta, work)
