"""Groups move to workers that have none: to those that replace dead ones, or join later.

When a worker dies, Dask makes its group again at once, on a worker that has one already.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import time
from collections import defaultdict
from typing import NamedTuple
from uuid import uuid4

import distributed

from batchprop.dask.resident_samples import ResidentSamples

SECONDS = 5.0
"""From one look at the workers to the next."""


class Move(NamedTuple):
    """A group that has to move.

    Attributes
    ----------
    group : int
        Which one.
    worker : str
        The address of the worker that gets it.
    """

    group: int
    worker: str


class Balance:
    """Moves groups beside the evaluations, one at a time.

    Parameters
    ----------
    client : distributed.Client
        Of the cluster.
    futures : list of Future
        The groups.  A group that has moved gets a new future in this list.
    """

    def __init__(self, client: distributed.Client, futures: list[distributed.Future]) -> None:
        self._client, self._futures = client, futures
        self._next_look = time.monotonic() + SECONDS
        self._answer: concurrent.futures.Future[Move | None] | None = None
        self._moving: tuple[int, distributed.Future] | None = None

    def look(self) -> None:
        """Do what is due: ask where the groups are, start a move, or take one that is done."""
        if self._moving is not None:
            group, future = self._moving
            if future.status == "finished":
                self._futures[group] = future
            if future.status != "pending":
                self._moving = None
        elif self._answer is not None:
            if self._answer.done():
                failed = self._answer.cancelled() or self._answer.exception() is not None
                move = None if failed else self._answer.result()
                self._answer = None
                if move is not None:
                    self._start(move)
        elif time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + SECONDS
            self._answer = asyncio.run_coroutine_threadsafe(
                _move(self._client, self._futures), self._client.loop.asyncio_loop
            )

    def _start(self, move: Move) -> None:
        client, future = self._groups.client, self._groups.futures[move.group]
        self._moving = (
            move.group,
            client.submit(
                moved,
                future,
                key=(f"batchprop-samples-{uuid4().hex[:8]}", move.group),
                pure=False,
                workers=[move.worker],
                allow_other_workers=True,
            ),
        )


def moved(group: ResidentSamples) -> ResidentSamples:
    """Return a group that has come to another worker: the task of a move."""
    return group


async def _move(client: distributed.Client, futures: list[distributed.Future]) -> Move | None:
    """Return the move that is due, if any."""
    identity = await client.scheduler.identity()
    has = await client.who_has(futures)
    free = [
        address
        for address, worker in identity["workers"].items()
        if worker["status"] == "running" and not any(address in place for place in has.values())
    ]
    by_worker: dict[str, list[int]] = defaultdict(list)
    for k, future in enumerate(futures):
        for address in has.get(future.key, ())[:1]:
            by_worker[address].append(k)
    fullest = max(by_worker.values(), key=len, default=[])
    return Move(fullest[-1], free[0]) if free and len(fullest) > 1 else None
