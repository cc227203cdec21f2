"""Groups move to workers that have none: after they are made, and when workers die or join.

Dask makes a group where most of its partitions are, and makes it again at once when its worker
dies, on one that may have a group already.  A move is a task that must run on a given worker.  If
all workers died, Dask would never repeat such a task.  So a group takes the place of the one that
it was copied from only after Dask has been told that it may run anywhere.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import time
from collections import defaultdict
from typing import NamedTuple
from uuid import uuid4

import distributed

from batchprop.dask.resident_samples import ResidentSamples
from batchprop.dask.waiting import finished

SECONDS = 5.0
"""From one look at the workers to the next."""

MOVE_SECONDS = 300.0
"""After which a move is given up, as its worker may have died."""


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
    """Moves groups, beside the evaluations.

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
        self._running: concurrent.futures.Future[None] | None = None

    def look(self) -> None:
        """Begin to move groups, if it is time to look for some that should."""
        if self._running is not None and not self._running.done():
            return
        if time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + SECONDS
            loop = self._client.loop.asyncio_loop
            self._running = asyncio.run_coroutine_threadsafe(self.settle(), loop)

    async def settle(self) -> None:
        """Move the groups that should move, and wait for them."""
        moves = await _moves(self._client, self._futures)
        await asyncio.gather(*map(self._carry_out, moves))

    async def _carry_out(self, move: Move) -> None:
        source = self._futures[move.group]
        future = self._client.submit(
            moved,
            source,
            key=(f"batchprop-samples-{uuid4().hex[:8]}", move.group),
            pure=False,
            workers=[move.worker],
            allow_other_workers=True,
        )
        with contextlib.suppress(TimeoutError, KeyError):  # then the group stays where it is
            await asyncio.wait_for(finished(self._client, [future]), MOVE_SECONDS)
            await self._client.scheduler.set_restrictions(worker={future.key: None})
            self._futures[move.group] = future


def moved(group: ResidentSamples) -> ResidentSamples:
    """Return a group that has come to another worker: the task of a move."""
    return group


async def _moves(client: distributed.Client, futures: list[distributed.Future]) -> list[Move]:
    """Return the moves from workers with several groups to workers with none."""
    identity = await client.scheduler.identity()
    has = await client.who_has(futures)
    taken = {address for places in has.values() for address in places}
    free = [
        address
        for address, worker in identity["workers"].items()
        if worker["status"] == "running" and address not in taken
    ]
    by_worker: dict[str, list[int]] = defaultdict(list)
    for k, future in enumerate(futures):
        for address in has.get(future.key, ())[:1]:
            by_worker[address].append(k)
    moves = []
    for address in free:
        fullest = max(by_worker.values(), key=len, default=[])
        if len(fullest) > 1:
            moves.append(Move(fullest.pop(), address))
    return moves
