"""Small clusters on this machine, small segments on all workers, and workers that are killed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time

import dask
import distributed

from batchprop import segments

SIZE = 64  # samples of a segment in these tests
SECONDS = 60  # until a test gives up


class SmallSegments(distributed.WorkerPlugin):
    """Sets the size of segments on every worker, also on those that start later."""

    name = "small-segments"

    def setup(self, worker):
        segments.SEGMENT_SAMPLES = SIZE


@contextlib.contextmanager
def local(processes, n_workers=2, **options):
    """Yield the client of a cluster; its workers leave no files in the current folder."""
    options = {"threads_per_worker": 1, "dashboard_address": ":0"} | options
    before = segments.SEGMENT_SAMPLES  # workers in this process change it
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "20s"}),
        distributed.LocalCluster(
            n_workers=n_workers, processes=processes, silence_logs="CRITICAL", **options
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        client.register_plugin(SmallSegments())
        try:
            yield client
        finally:
            segments.SEGMENT_SAMPLES = before


def worker_pids(client):
    """Return the processes of the workers, in the order of their addresses."""
    return [pid for _, pid in sorted(client.run(os.getpid).items())]


def kill_holder(client, futures):
    """Kill the worker that holds the first of some futures."""
    (address, *_) = client.who_has(futures)[futures[0].key]
    kill(client.run(os.getpid, workers=[address])[address])


def kill(pid):
    os.kill(pid, signal.SIGKILL)


def wait_until(condition):
    """Wait until a condition holds."""
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, "it never became true"
        time.sleep(0.05)


@contextlib.contextmanager
def lone_workers(scheduler_address, count):
    """Yield processes of workers without nannies, which nobody starts again."""
    command = [
        *(sys.executable, "-m", "distributed.cli.dask_worker", scheduler_address),
        *("--no-nanny", "--nthreads", "1", "--no-dashboard", "--death-timeout", "30"),
    ]
    workers = [
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(count)
    ]
    try:
        yield workers
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
