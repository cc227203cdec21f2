"""From collections to partitions on the workers, and what is known of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import uuid4

import dask
import distributed
import numpy as np

from batchprop.dask.partitions import PartitionFacts, facts_of, partition_of
from batchprop.dask.tables import ClusterTable
from batchprop.dask.waiting import gathered, wait_for
from batchprop.validation.error_text import message

_PAUSE = 0.8  # share of its memory at which a worker takes no more tasks, by Dask's defaults


class Worker(NamedTuple):
    """A worker of the cluster.

    Attributes
    ----------
    address : str
        Its address.
    n_threads : int
        Its threads.
    memory_limit : int
        In bytes; 0 is no limit.
    """

    address: str
    n_threads: int
    memory_limit: int


class LoadedTable(NamedTuple):
    """The partitions of one argument on the workers.

    Attributes
    ----------
    table : ClusterTable
        Where they come from.
    futures : list of Future
        Of a ``Partition`` each; empty partitions are left out.
    facts : list of PartitionFacts
        What is known of each.
    dtype : str
        "float32" or "float64": the type of all partitions together.
    """

    table: ClusterTable
    futures: list[distributed.Future]
    facts: list[PartitionFacts]
    dtype: str

    @property
    def n_samples(self) -> int:
        """How many samples all partitions have."""
        return sum(facts.n_samples for facts in self.facts)

    @property
    def n_columns(self) -> int:
        """How many columns each partition has."""
        return self.facts[0].n_columns

    @property
    def flat(self) -> bool:
        """Whether the partitions were passed with one dimension."""
        return self.facts[0].flat


def workers_of(client: distributed.Client, timeout: float) -> list[Worker]:
    """Return the workers that run; wait until there is one."""
    return wait_for(client, _workers(client), timeout)


async def _workers(client: distributed.Client) -> list[Worker]:
    while True:
        identity = await client.scheduler.identity()
        workers = [
            Worker(address, worker["nthreads"], worker["memory_limit"] or 0)
            for address, worker in identity["workers"].items()
            if worker["status"] == "running"
        ]
        if workers:
            return workers
        await asyncio.sleep(0.1)


def check_memory(tables: Sequence[ClusterTable], workers: Sequence[Worker]) -> None:
    """Refuse tables that the workers cannot hold, where their sizes are known."""
    n_bytes = sum(table.n_bytes or 0 for table in tables)
    limits = [worker.memory_limit for worker in workers]
    if all(limits) and n_bytes > _PAUSE * sum(limits):
        names = " and ".join(table.name for table in tables)
        raise ValueError(
            message(
                names,
                f"fit into {_PAUSE:.0%} of the memory of the cluster, "
                f"{_PAUSE * sum(limits) / 2**30:.3g} GiB",
                f"{n_bytes / 2**30:.3g} GiB on {len(limits)} workers",
                "Use more workers, give them more memory (memory_limit), or pass files as "
                "batchprop.Blocks, which workers read block by block.",
            )
        )


def load(
    client: distributed.Client,
    tables: Sequence[ClusterTable],
    timeout: float,
) -> list[LoadedTable]:
    """Compute the partitions of tables on the workers, and wait for them.

    Raises
    ------
    TypeError, ValueError
        A partition does not hold real numbers, or partitions have different columns.
    ClusterError
        The cluster cannot compute them.
    """
    token = uuid4().hex[:8]
    tasks = [_partitions(table, token) for table in tables]
    # at once, so that what several tables are made of is computed once
    submitted = iter(client.compute([task for of_table in tasks for task in of_table]))
    futures = [[next(submitted) for _ in of_table] for of_table in tasks]
    facts = [
        client.map(
            facts_of,
            of_table,
            key=[(f"batchprop-size-of-{table.name}-{token}", i) for i in range(len(of_table))],
            pure=False,
        )
        for table, of_table in zip(tables, futures, strict=True)
    ]
    known = wait_for(client, gathered(client, facts), timeout)
    return [
        _loaded(table, of_table, list(of_facts))
        for table, of_table, of_facts in zip(tables, futures, known, strict=True)
    ]


def _partitions(table: ClusterTable, token: str) -> list[Any]:
    """Return the tasks that make a table's partitions."""
    task = dask.delayed(partition_of, pure=False)
    return [
        task(
            f"{table.name} (partition {i})",
            part,
            dask_key_name=(f"batchprop-{table.name}-{token}", i),
        )
        for i, part in enumerate(table.parts)
    ]


def _loaded(
    table: ClusterTable, futures: Sequence[distributed.Future], facts: Sequence[PartitionFacts]
) -> LoadedTable:
    """Check the partitions of a table against one another; leave empty ones out."""
    kept = [i for i, of_partition in enumerate(facts) if of_partition.n_samples > 0]
    if not kept:
        remedy = "Check the files, or the filter, that the collection comes from."
        raise ValueError(message(table.name, "have at least one sample", "none", remedy))
    first = facts[kept[0]]
    for i in kept:
        if facts[i][0] != first.n_columns or facts[i].flat != first.flat:
            raise ValueError(
                message(
                    table.name,
                    f"have the same columns in all partitions, {first.n_columns} as in partition "
                    f"{kept[0]}",
                    f"{facts[i].n_columns} in partition {i}",
                    "Check the files that the collection comes from.",
                )
            )
    dtype = np.result_type(*(facts[i].dtype for i in kept)).name
    return LoadedTable(table, [futures[i] for i in kept], [facts[i] for i in kept], dtype)
