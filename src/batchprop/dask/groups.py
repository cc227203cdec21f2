"""Groups: the runs of segments of a data set, one on each worker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, TypeVar
from uuid import uuid4

import distributed

from batchprop import segments
from batchprop.dask.balance import Balance
from batchprop.dask.loading import LoadedTable, Worker
from batchprop.dask.resident_samples import resident_samples
from batchprop.dask.segment_runs import segment_runs
from batchprop.dask.waiting import gathered, wait_for
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
        self._balance.look()
        # a name of its own for each call: Dask spreads the tasks of larger families over all
        # workers, wherever their data are
        call = f"batchprop-{name}-{self._token}{next(self._calls):06x}"
        keys = [(call, k) for k in range(len(self.futures))]
        futures = self.client.map(function, self.futures, key=keys, pure=False, **arguments)
        results: list[Result] = wait_for(
            self.client, gathered(self.client, futures), self._timeout, check
        )
        return results


def build(
    client: distributed.Client,
    tables: Sequence[LoadedTable],
    workers: Sequence[Worker],
    timeout: float,
) -> Groups:
    """Make a group for each worker of the partitions of X, T and the weights, and wait for it.

    The tables must have the same number of samples.  A group is asked for where most of its
    partitions are.  Dask makes it elsewhere if that worker dies.
    """
    n_samples = tables[0].n_samples
    runs = segment_runs(n_segments(n_samples), [worker.n_threads for worker in workers])
    bounds = [[_bounds(table, run) for table in tables] for run in runs]
    sites = wait_for(client, _sites(client, tables), timeout)
    addresses = [worker.address for worker in workers]
    homes = _homes([_bytes(tables, of_run, sites) for of_run in bounds], addresses)
    token, futures = uuid4().hex[:8], []
    for k, (run, of_run) in enumerate(zip(runs, bounds, strict=True)):
        placed = {"workers": [homes[k]], "allow_other_workers": True}
        futures.append(
            client.submit(
                resident_samples,
                [
                    [table.futures[i] for i in of_table]
                    for table, of_table in zip(tables, of_run, strict=True)
                ],
                [list(of_table.values()) for of_table in of_run],
                [table.dtype for table in tables],
                SegmentRange(n_samples, run.start, run.stop),
                key=(f"batchprop-samples-{token}", k),
                pure=False,
                **placed,
            )
        )
    wait_for(client, _finished(futures), timeout)
    return Groups(client, futures, n_samples, timeout)


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


async def _sites(
    client: distributed.Client, tables: Sequence[LoadedTable]
) -> list[list[tuple[str, ...]]]:
    """Return the workers that have each partition of each table."""
    sites = []
    for table in tables:
        has = await client.who_has(table.futures)
        sites.append([tuple(has.get(future.key, ())) for future in table.futures])
    return sites


def _bytes(
    tables: Sequence[LoadedTable],
    bounds: Sequence[dict[int, tuple[int, int]]],
    sites: Sequence[Sequence[tuple[str, ...]]],
) -> Counter[str]:
    """Return worker -> how many bytes of a run it has."""
    count: Counter[str] = Counter()
    for table, of_table, of_sites in zip(tables, bounds, sites, strict=True):
        for i, (start, stop) in of_table.items():
            share = (stop - start) / table.facts[i].n_samples
            for address in of_sites[i]:
                count[address] += int(share * table.facts[i].n_bytes)
    return count


def _homes(bytes_on: Sequence[Counter[str]], workers: Sequence[str]) -> list[str]:
    """Return a worker for each run, each worker once, so that little has to move."""
    free, homes = list(workers), dict.fromkeys(range(len(bytes_on)), "")
    by_size = sorted(
        ((n_bytes, -k, address) for k, of_run in enumerate(bytes_on)
         for address, n_bytes in of_run.items()),
        reverse=True,
    )  # fmt: skip
    for _, k, address in by_size:
        if not homes[-k] and address in free:
            homes[-k] = address
            free.remove(address)
    return [home or free.pop(0) for home in homes.values()]


async def _finished(futures: Sequence[distributed.Future]) -> None:
    """Wait for futures; raise the error of the first that failed."""
    await distributed.wait(futures)
    for future in futures:
        if future.status != "finished":
            await future._result()
