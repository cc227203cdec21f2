"""Groups: the runs of segments of a data set, one on each worker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from typing import Any, TypeVar
from uuid import uuid4

import distributed

from batchprop import segments
from batchprop.dask.balance import Balance
from batchprop.dask.loading import LoadedTable, Worker
from batchprop.dask.resident_samples import resident_samples
from batchprop.dask.segment_runs import segment_runs
from batchprop.dask.waiting import check_open, finished, gathered, wait_for
from batchprop.engines.portions import SegmentRange
from batchprop.segments import n_segments

Result = TypeVar("Result")


class Groups:
    """A data set on a cluster.

    Parameters
    ----------
    client : distributed.Client
        Of the cluster.
    futures : list of Future
        Of a ``ResidentSamples`` each: one run of segments after another.  A group that moves to
        another worker gets another future.
    n_samples : int
        N.
    timeout : float
        Seconds without a worker after which to give up.
    """

    def __init__(
        self,
        client: distributed.Client,
        futures: list[distributed.Future],
        n_samples: int,
        timeout: float,
    ) -> None:
        self.client, self.futures, self.n_samples = client, futures, n_samples
        self._timeout, self._balance = timeout, Balance(client, futures)
        self._token, self._calls = uuid4().hex[:8], count()

    def settle(self) -> None:
        """Wait until all groups are on workers, each on one of its own."""
        wait_for(self.client, finished(self.client, self.futures), self._timeout)
        wait_for(self.client, self._balance.settle(), self._timeout)

    def map(
        self,
        function: Callable[..., Result],
        name: str,
        check: Callable[[], None] | None = None,
        **arguments: Any,
    ) -> list[Result]:
        """Call a function with each group, one task a group, and return the results in order.

        Parameters
        ----------
        function : callable
            ``function(group, **arguments)``, a function of a module.
        name : str
            What Dask's dashboard shows.
        check : callable or None
            Called every 0.02 s; may raise to end the wait.
        **arguments : object
            Sent to the workers.

        Raises
        ------
        ClusterError
            The cluster cannot compute it.
        """
        check_open(self.client)
        self._balance.look()
        # a name of its own for each call: Dask spreads the tasks of larger families over all
        # workers, wherever their data are
        call = f"batchprop-{name}-{self._token}{next(self._calls):06x}"
        keys = [(call, k) for k in range(len(self.futures))]
        # bound here: Client.map makes tasks of large keyword arguments and names them by the
        # keywords, so that the θ of two calls would have the same key
        bound = partial(function, **arguments)
        futures = self.client.map(bound, list(self.futures), key=keys, pure=False)
        results: list[Result] = wait_for(
            self.client, gathered(self.client, futures), self._timeout, check
        )
        return results


def groups_of_tables(
    client: distributed.Client,
    tables: Sequence[LoadedTable],
    workers: Sequence[Worker],
    timeout: float,
) -> Groups:
    """Make a group for each worker of the partitions of X, T and the weights, and wait for it.

    The tables must have the same number of samples.
    """
    n_samples = tables[0].n_samples
    runs = segment_runs(n_segments(n_samples), [worker.n_threads for worker in workers])
    token, futures = uuid4().hex[:8], []
    for k, run in enumerate(runs):
        bounds = [_bounds(table, run) for table in tables]
        partitions = [
            [table.futures[i] for i in of_table]
            for table, of_table in zip(tables, bounds, strict=True)
        ]
        futures.append(
            client.submit(
                resident_samples,
                partitions,
                [list(of_table.values()) for of_table in bounds],
                [table.dtype for table in tables],
                SegmentRange(n_samples, run.start, run.stop),
                key=(f"batchprop-samples-{token}", k),
                pure=False,
            )
        )
    groups = Groups(client, futures, n_samples, timeout)
    groups.settle()
    return groups


def _bounds(table: LoadedTable, run: range) -> dict[int, tuple[int, int]]:
    """Return partition -> its samples that belong to a run, as first and stop."""
    size = segments.SEGMENT_SAMPLES
    first, stop = run.start * size, run.stop * size
    bounds, start = {}, 0
    for i, facts in enumerate(table.facts):
        end = start + facts.n_samples
        low, high = max(first, start), min(stop, end)
        if low < high:
            bounds[i] = low - start, high - start
        start = end
    return bounds
