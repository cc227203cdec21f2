"""Workers and schedulers that die: the same bits, or one message in a limited time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial

import dask
import dask.array as da
import distributed
import numpy as np
import pytest

from batchprop.dask.cluster_error import ClusterError
from batchprop.dask.evaluations import Evaluations
from batchprop.dask.loading import workers_of
from batchprop.dask.resident_samples import Request
from batchprop.dask.waiting import wait_for
from tests.dask.clusters import (
    SECONDS,
    SmallSegments,
    kill,
    kill_holder,
    local,
    lone_workers,
    wait_until,
    worker_pids,
)
from tests.dask.stand_in import open_linear
from tests.dask.test_groups import THETA, X, Y, groups_of, sums_here

SLOWLY = partial(open_linear, pause=0.3)


def arrays():
    return da.from_array(X, chunks=(100, 4)), da.from_array(Y, chunks=100)


def from_files(folder):
    """Return tables that workers read when they need them."""
    np.save(folder / "X.npy", X)
    np.save(folder / "Y.npy", Y)
    read = dask.delayed(lambda name, a, b: np.load(folder / name, mmap_mode="r")[a:b])
    return tuple(
        [read(name, start, start + 125) for start in range(0, 1000, 125)]
        for name in ("X.npy", "Y.npy")
    )


@pytest.mark.parametrize("kind", ["arrays", "persisted", "files"])
def test_the_sums_have_the_same_bits_after_deaths(processes, tmp_path, kind):
    tables = from_files(tmp_path) if kind == "files" else arrays()
    if kind == "persisted":
        tables = processes.persist(tables)
    groups = groups_of(processes, *tables)
    evaluations = Evaluations(groups, Request("a", open_linear))
    expected = sums_here().tobytes()
    for _ in range(2):
        assert evaluations.sums(THETA, 0).tobytes() == expected
        kill_holder(processes, groups.futures)  # between two evaluations
        assert evaluations.sums(THETA, 0).tobytes() == expected
    slow = Evaluations(groups, Request("b", SLOWLY))
    for _ in range(2):
        killer = threading.Timer(0.15, kill_holder, (processes, groups.futures))
        killer.start()  # during an evaluation
        assert slow.sums(THETA, 0).tobytes() == expected
        killer.join()


def test_groups_move_to_workers_that_replace_dead_ones(processes):
    groups = groups_of(processes, *arrays())
    evaluations = Evaluations(groups, Request("a", open_linear))
    kill_holder(processes, groups.futures)

    def spread():
        assert evaluations.sums(THETA, 0).tobytes() == sums_here().tobytes()
        holders = processes.who_has(groups.futures).values()
        return len({places[0] for places in holders if places}) == 2

    wait_until(spread)


def test_a_dead_worker_that_nobody_replaces(scheduler):
    with distributed.Client(scheduler) as client, lone_workers(scheduler, 2) as workers:
        client.register_plugin(SmallSegments())
        client.wait_for_workers(2, timeout=SECONDS)
        groups = groups_of(client, *arrays())
        evaluations = Evaluations(groups, Request("a", open_linear))
        expected = sums_here().tobytes()
        assert evaluations.sums(THETA, 0).tobytes() == expected
        workers[0].kill()
        assert evaluations.sums(THETA, 0).tobytes() == expected
        with lone_workers(scheduler, 1):  # one that joins later gets a group
            client.wait_for_workers(2, timeout=SECONDS)

            def spread():
                assert evaluations.sums(THETA, 0).tobytes() == expected
                return (
                    len({address for (address, *_) in client.who_has(groups.futures).values()}) == 2
                )

            wait_until(spread)
        groups._timeout = 2.0
        workers[1].kill()
        with pytest.raises(ClusterError, match=r"has no workers\. Start workers.*timeout=2 s"):
            evaluations.sums(THETA, 0)


@pytest.fixture
def scheduler():
    """The address of a scheduler in a process of its own."""
    with scheduler_process() as (address, _):
        yield address


def scheduler_process():
    return _Scheduler()


class _Scheduler:
    """A scheduler process, as a context manager."""

    def __enter__(self):
        command = [
            *(sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1"),
            *("--port", "0", "--no-dashboard", "--no-show"),
        ]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if "Scheduler at:" in line:
                return line.split()[-1], self.process
        raise AssertionError("the scheduler did not start")

    def __exit__(self, *exc_info):
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_scheduler_that_dies_or_hangs(how):
    with (
        scheduler_process() as (address, process),
        lone_workers(address, 1),
        distributed.Client(address, timeout=3) as client,
    ):
        client.register_plugin(SmallSegments())
        client.wait_for_workers(1, timeout=SECONDS)
        groups = groups_of(client, *arrays())
        evaluations = Evaluations(groups, Request("a", open_linear))
        evaluations.sums(THETA, 0)
        groups._timeout = 2.0
        process.send_signal(how)
        with pytest.raises(ClusterError, match="scheduler of the Dask cluster does not answer"):
            evaluations.sums(THETA, 0)


def test_scattered_partitions_cannot_be_computed_again(processes):
    futures = processes.scatter(list(np.array_split(X, 5)))
    groups = groups_of(processes, futures, da.from_array(Y, chunks=100))
    evaluations = Evaluations(groups, Request("a", open_linear))
    assert evaluations.sums(THETA, 0).tobytes() == sums_here().tobytes()
    for pid in worker_pids(processes):
        kill(pid)
    with pytest.raises(ClusterError, match="client.scatter.*files or dask.array.from_array"):
        evaluations.sums(THETA, 0)


def test_partitions_that_kill_every_worker(processes):
    deadly = [dask.delayed(os._exit)(1), dask.delayed(X)]
    with pytest.raises(ClusterError, match=r"Workers died \d times.*memory_limit"):
        groups_of(processes, deadly, da.from_array(Y, chunks=100))


def is_running(worker):
    return worker["status"] == "running"


def test_workers_whose_memory_is_full(processes):
    groups = groups_of(processes, *arrays())
    groups._timeout = 2.0

    def pause(dask_worker):
        dask_worker.memory_manager.memory_pause_fraction = 1e-9  # every process has more

    processes.run(pause)
    wait_until(lambda: not any(map(is_running, processes.scheduler_info()["workers"].values())))
    with pytest.raises(ClusterError, match="All workers of the Dask cluster are paused"):
        Evaluations(groups, Request("a", open_linear)).sums(THETA, 0)


def test_a_worker_that_hangs_is_given_up():
    """It neither dies nor answers: Dask's scheduler removes it after ``worker-ttl``."""
    with (
        dask.config.set({"distributed.scheduler.worker-ttl": "2s"}),
        local(processes=True) as client,
    ):
        groups = groups_of(client, *arrays())
        evaluations = Evaluations(groups, Request("a", open_linear))
        os.kill(worker_pids(client)[0], signal.SIGSTOP)
        assert evaluations.sums(THETA, 0).tobytes() == sums_here().tobytes()


def test_a_cluster_that_somebody_restarts(processes):
    groups = groups_of(processes, *arrays())
    evaluations = Evaluations(groups, Request("a", open_linear))
    evaluations.sums(THETA, 0)
    processes.restart(timeout=SECONDS)
    with pytest.raises(ClusterError, match="cancelled from outside|lost"):
        evaluations.sums(THETA, 0)


def test_a_client_that_is_closed_during_a_run():
    with local(processes=False) as client:
        groups = groups_of(client, *arrays())
        evaluations = Evaluations(groups, Request("a", open_linear))
        evaluations.sums(THETA, 0)
        client.close()
        with pytest.raises(ClusterError, match="does not answer .the client is closed"):
            evaluations.sums(THETA, 0)


def test_a_worker_without_memory(client):
    def greedy():
        raise MemoryError

    with pytest.raises(ClusterError, match=r"run out of memory.*batchprop\.Blocks"):
        groups_of(client, [dask.delayed(greedy)()], da.from_array(Y))


def test_errors_of_tasks_are_passed_on(client):
    def unreadable():
        raise FileNotFoundError("table.parquet")

    with pytest.raises(FileNotFoundError, match=r"table\.parquet"):
        groups_of(client, [dask.delayed(unreadable)()], da.from_array(Y))


def test_a_cluster_without_workers_is_refused_after_a_while():
    with (
        distributed.LocalCluster(n_workers=0, processes=False, dashboard_address=":0") as cluster,
        distributed.Client(cluster) as client,
    ):
        began = time.monotonic()
        with pytest.raises(ClusterError, match="has no workers"):
            workers_of(client, timeout=0.5)
        assert time.monotonic() - began < 30


class Stop(Exception):
    pass


def test_a_wait_can_be_ended(client):
    async def forever():
        await distributed.utils.asyncio.sleep(1000)

    def check():
        raise Stop

    with pytest.raises(Stop):
        wait_for(client, forever(), SECONDS, check)


def test_each_worker_gets_a_group_although_one_has_all_partitions(processes):
    address = min(processes.scheduler_info()["workers"])
    futures = processes.scatter([X], workers=[address])
    groups = groups_of(processes, futures, da.from_array(Y, chunks=100))
    assert len({places[0] for places in processes.who_has(groups.futures).values()}) == 2
