"""What Dask itself costs: rounds of one small task for each worker.

The scheduler and the client are in this process, and all workers in one other process, so that the
CPU seconds of this process are those of the driver.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from typing import Any, NamedTuple

import distributed
import numpy as np

from batchprop.segments import Node

WORKERS = (1, 2, 8, 32, 64)
N_SUMS = 502  # of 8-50-1
TIMEOUT = 120  # seconds

WORKER_PROCESS = """
import asyncio, sys
import distributed

async def main(address, count):
    workers = [distributed.Worker(address, nthreads=1, dashboard=False, memory_limit=0)
               for _ in range(count)]
    await asyncio.gather(*workers)
    await asyncio.gather(*(worker.finished() for worker in workers))

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


class Round(NamedTuple):
    """One task for each worker, and their results at the driver.

    Attributes
    ----------
    n_workers : int
        How many workers.
    seconds, least : float
        Median and minimum over some rounds.
    driver_cpu : float
        CPU seconds of client and scheduler in a round: the least of the means over batches.
    """

    n_workers: int
    seconds: float
    least: float
    driver_cpu: float


def nodes_for(resident: int, theta: np.ndarray) -> list[Node[np.ndarray]]:
    """Return a node with sums of the size of those of 8-50-1: the task of a worker."""
    return [Node(0, resident, np.zeros(N_SUMS))]


@contextmanager
def cluster(n_workers: int) -> Iterator[Any]:
    """Start a scheduler here and workers in another process; yield the client."""
    with distributed.LocalCluster(
        n_workers=0, dashboard_address=":0", host="127.0.0.1", protocol="tcp"
    ) as local:
        command = [sys.executable, "-c", WORKER_PROCESS, local.scheduler_address, str(n_workers)]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            with distributed.Client(local, timeout=TIMEOUT) as client:
                client.wait_for_workers(n_workers, timeout=TIMEOUT)
                yield client
        finally:
            process.kill()
            process.wait(TIMEOUT)


def _gathered(client: Any, futures: Sequence[Any]) -> Any:
    """Return the results of futures, within a time limit."""
    coroutine = client.gather(futures, asynchronous=True)
    return asyncio.run_coroutine_threadsafe(coroutine, client.loop.asyncio_loop).result(TIMEOUT)


def measured(
    workers: Sequence[int] = WORKERS, n_batches: int = 4, n_rounds: int = 10
) -> list[Round]:
    """Return the cost of rounds for all numbers of workers."""
    results = []
    for n_workers in workers:
        with cluster(n_workers) as client:
            addresses = list(client.scheduler_info(n_workers=-1)["workers"])
            residents = [
                client.submit(int, k, key=f"resident-{k}", workers=[address])
                for k, address in enumerate(addresses)
            ]
            _batch(client, residents, "warm-up", n_rounds)
            batches = [_batch(client, residents, f"{k}", n_rounds) for k in range(n_batches)]
        seconds = [second for batch, _ in batches for second in batch]
        cpu = min(mean for _, mean in batches)
        results.append(Round(n_workers, median(seconds), min(seconds), cpu))
    return results


def _batch(
    client: Any, residents: Sequence[Any], name: str, n_rounds: int
) -> tuple[list[float], float]:
    """Return the seconds of some rounds, and the mean CPU seconds of this process."""
    theta = np.zeros(N_SUMS, np.float32)
    seconds, cpu = [], time.process_time()
    for k in range(n_rounds):
        began = time.perf_counter()
        keys = [(f"round-{name}-{k}", i) for i in range(len(residents))]
        futures = client.map(nodes_for, residents, [theta] * len(residents), key=keys, pure=False)
        _gathered(client, futures)
        seconds.append(time.perf_counter() - began)
    return seconds, (time.process_time() - cpu) / n_rounds
