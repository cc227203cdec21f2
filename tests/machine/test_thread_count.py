"""How many threads: affinity, the control group's quota, environment variables, the problem."""

from __future__ import annotations

import math
import os

import numpy as np
import pytest

from batchprop.engines.fused.blocking import choose_blocking
from batchprop.machine import thread_count
from batchprop.parameters import Shape
from tests.engines.fused.teams import objective_of
from tests.problems import problem


@pytest.fixture(autouse=True)
def _a_large_machine(tmp_path, monkeypatch):
    """Of 64 processors, without limits."""
    for variable in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "PYTHON_CPU_COUNT"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(64)), raising=False)
    monkeypatch.setattr(thread_count, "MEMBERSHIP", tmp_path / "cgroup")
    monkeypatch.setattr(thread_count, "GROUPS", tmp_path / "groups")
    thread_count.quota.cache_clear()
    yield
    thread_count.quota.cache_clear()


@pytest.fixture
def groups(tmp_path):
    """Write the kernel's files: membership, and limits of groups by their folders."""

    def write(membership, **limits):
        (tmp_path / "cgroup").write_text(membership)
        for folder, limit in limits.items():
            place = tmp_path / "groups" / folder.replace("__", "/")
            place.mkdir(parents=True, exist_ok=True)
            if isinstance(limit, str):
                (place / "cpu.max").write_text(limit)
            else:
                (place / "cpu.cfs_quota_us").write_text(f"{limit[0]}\n")
                (place / "cpu.cfs_period_us").write_text(f"{limit[1]}\n")

    return write


def test_affinity(monkeypatch):
    assert thread_count.available() == 64
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {3, 5, 7})
    assert thread_count.available() == 3


def test_systems_without_affinity(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.delattr(os, "process_cpu_count", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert thread_count.available() == 6
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert thread_count.available() == 1


@pytest.mark.parametrize(("granted", "count"), [(5, 5), (None, 1)])
def test_python_is_asked_where_it_knows(monkeypatch, granted, count):
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    monkeypatch.setattr(os, "process_cpu_count", lambda: granted, raising=False)
    assert thread_count.available() == count


def test_a_system_without_control_groups():
    assert math.isinf(thread_count.quota())


@pytest.mark.parametrize(
    ("limit", "count"),
    [
        ("max 100000\n", 64),
        ("400000 100000\n", 4),
        ("250000 100000\n", 3),
        ("1000 100000\n", 1),
        ("10000000 100000\n", 64),
        ("", 64),
        ("nonsense", 64),
        ("100000 0\n", 64),
    ],
)
def test_version_2(groups, limit, count):
    groups("0::/user.slice/job\n", user__slice="", **{"user.slice__job": limit})
    assert thread_count.available() == count


def test_version_2_a_group_is_part_of_others(groups):
    groups(
        "0::/a/b/c\n",
        a="300000 100000",
        a__b="max 100000",
        a__b__c="500000 100000",
        other="100000 100000",
    )
    assert thread_count.available() == 3


def test_version_2_seen_from_within_a_container(groups):
    """The path is the host's and cannot be seen; the container's own limit stands at the top."""
    groups("0::/docker/0123abcd\n", **{".": "200000 100000"})
    assert thread_count.available() == 2


@pytest.mark.parametrize("folder", ["cpu", "cpu,cpuacct"])
def test_version_1(groups, folder):
    membership = "5:memory:/job\n4:cpu,cpuacct:/job\n1:name=systemd:/job\n"
    groups(membership, memory__job=(100_000, 100_000), **{f"{folder}__job": (500_000, 100_000)})
    assert thread_count.available() == 5


def test_version_1_without_a_limit(groups):
    groups("4:cpu,cpuacct:/job\n", cpu__job=(-1, 100_000), cpu=(-1, 100_000))
    assert thread_count.available() == 64


def test_version_1_seen_from_within_a_container(groups):
    groups("4:cpu,cpuacct:/docker/0123abcd\n", cpu=(150_000, 100_000))
    assert thread_count.available() == 2


def test_both_versions_at_once(groups):
    groups("4:cpu:/job\n0::/job\n", cpu__job=(700_000, 100_000), job="600000 100000")
    assert thread_count.available() == 6


@pytest.mark.parametrize("variable", ["OMP_NUM_THREADS", "NUMBA_NUM_THREADS"])
@pytest.mark.parametrize(
    ("value", "count"),
    [("3", 3), (" 3 ", 3), ("4,2", 4), ("100", 64), ("0", 64), ("-1", 64), ("", 64), ("²", 64)],
)
def test_environment_variables(monkeypatch, variable, value, count):
    monkeypatch.setenv(variable, value)
    assert thread_count.available() == count


def test_the_least_of_all_limits_counts(monkeypatch, groups):
    groups("0::/job\n", job="500000 100000")
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert thread_count.available() == 5
    monkeypatch.setenv("NUMBA_NUM_THREADS", "2")
    assert thread_count.available() == 2
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0})
    assert thread_count.available() == 1


def test_team_size(monkeypatch):
    each = thread_count.NANOSECONDS_PER_THREAD
    assert thread_count.team_size(None, 1000 * each, 1000) == 64
    assert thread_count.team_size(None, 1000 * each, 10) == 10  # no more than chunks
    assert thread_count.team_size(None, 3.5 * each, 1000) == 3  # small problems: fewer threads
    assert thread_count.team_size(None, 0.0, 1) == 1
    assert thread_count.team_size(4, 1000 * each, 1000) == 4
    assert thread_count.team_size(100, 1000 * each, 1000) == 100  # who asks for more is given more
    assert thread_count.team_size(4, 0.5 * each, 1000) == 1  # but never for nothing
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert thread_count.team_size(None, 1000 * each, 1000) == 2
    assert (
        thread_count.team_size(4, 1000 * each, 1000) == 4
    )  # an argument counts more than a variable


@pytest.mark.parametrize("n_threads", [None, 1, 4, 16])
@pytest.mark.parametrize("sizes", [(1, 4, 1, 100), (3, 10, 2, 150)])
def test_small_problems_stay_on_one_thread(sizes, n_threads):
    with objective_of(problem(*sizes), n_threads) as function:
        assert function.task.n_workers == 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_how_a_problem_is_cut_depends_on_nothing_else(dtype, monkeypatch):
    cases = [(Shape(8, 50, 1), 20_000), (Shape(1, 4, 1), 100), (Shape(784, 1024, 10), 20_000)]
    before = [choose_blocking(shape, n_samples, np.dtype(dtype)) for shape, n_samples in cases]
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0})
    assert [
        choose_blocking(shape, n_samples, np.dtype(dtype)) for shape, n_samples in cases
    ] == before
