"""Waiting for a cluster: interruptible, and bounded if the cluster is gone.

Coroutines run in the client's event loop, which is a thread.  The caller's thread polls: it can be
interrupted, end by a time limit, or notice that no worker has been there for a while.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

import distributed

from batchprop.dask.cluster_error import ClusterError, explained, scheduler_lost

Result = TypeVar("Result")

TIMEOUT = 60.0
"""Default seconds without a worker or a scheduler after which a call gives up."""

_POLL = 0.02  # seconds from one look at the clock and at signals to the next
_LOOK = 1.0  # seconds from one look at the cluster to the next


def wait_for(
    client: distributed.Client,
    coroutine: Coroutine[Any, Any, Result],
    timeout: float,
    check: Callable[[], None] | None = None,
) -> Result:
    """Run a coroutine in the client's event loop and return its result.

    Parameters
    ----------
    client : distributed.Client
        Has the loop.
    coroutine : coroutine
        What to wait for.
    timeout : float
        Seconds without a running worker or an answer of the scheduler after which to give up.
    check : callable or None
        Called every 0.02 s; may raise to end the wait.

    Raises
    ------
    ClusterError
        The cluster cannot finish the computation.
    """
    watch = _Watch(client, timeout)
    handle = _started(client, coroutine)
    try:
        while True:
            concurrent.futures.wait([handle], _POLL)
            if handle.done():
                return handle.result()
            if check is not None:
                check()
            watch.look()
    except Exception as error:
        if isinstance(error, OSError) and client.status != "running":
            raise ClusterError(scheduler_lost(str(error))) from error
        explanation = explained(error)
        if explanation is error:
            raise
        raise explanation from error
    finally:
        handle.cancel()


def check_open(client: distributed.Client) -> None:
    """Raise ClusterError if the client is closed, or was because its scheduler is gone."""
    if client.status not in ("running", "connecting"):
        raise ClusterError(scheduler_lost(f"the client is {client.status}"))


async def gathered(client: distributed.Client, futures: Any) -> Any:
    """Return the results of futures, for ``wait_for``."""
    return await client.gather(futures, asynchronous=True)


async def finished(client: distributed.Client, futures: Sequence[distributed.Future]) -> None:
    """Wait until the results of futures are on workers; raise the error of one that failed."""
    with client.as_current():  # ``distributed.wait`` asks for the current client
        await distributed.wait(list(futures))
    for future in futures:
        if future.status != "finished":
            await gathered(client, future)  # raises


def _started(
    client: distributed.Client, coroutine: Coroutine[Any, Any, Result]
) -> concurrent.futures.Future[Result]:
    """Start a coroutine in the client's event loop."""
    try:
        check_open(client)
    except ClusterError:
        coroutine.close()
        raise
    return asyncio.run_coroutine_threadsafe(coroutine, client.loop.asyncio_loop)


class _Watch:
    """Raises if no worker has been there for some time.

    Parameters
    ----------
    client : distributed.Client
        Of the cluster.
    timeout : float
        How long, in seconds.
    """

    def __init__(self, client: distributed.Client, timeout: float) -> None:
        self._client, self._timeout = client, timeout
        self._seen = time.monotonic()  # when a worker was last known to run
        self._interval = min(_LOOK, timeout / 4)
        self._next_look = self._seen + self._interval
        self._request: concurrent.futures.Future[Any] | None = None
        self._state = scheduler_lost()

    def look(self) -> None:
        """Take the scheduler's last answer, and ask again if it is time."""
        now = time.monotonic()
        if self._request is not None and self._request.done():
            self._take(self._request, now)
            self._request = None
        if self._request is None and now >= self._next_look:
            self._next_look = now + self._interval
            self._request = _started(self._client, self._client.scheduler.identity())
        if now - self._seen > self._timeout:
            if self._request is not None:
                self._request.cancel()
            raise ClusterError(f"{self._state} (timeout={self._timeout:g} s)")

    def _take(self, request: concurrent.futures.Future[Any], now: float) -> None:
        """Note whether a worker runs."""
        if request.cancelled() or request.exception() is not None:
            self._state = scheduler_lost()
            return
        states = [worker["status"] for worker in request.result()["workers"].values()]
        if "running" in states:
            self._seen = now
        elif states:
            self._state = (
                "All workers of the Dask cluster are paused: their memory is nearly full. Use more "
                "workers, give them more memory (memory_limit), or pass files as batchprop.Blocks."
            )
        else:
            self._state = (
                "The Dask cluster has no workers. Start workers and call again; a run with "
                "checkpoint=file goes on with resume=file."
            )
