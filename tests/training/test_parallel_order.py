"""Who gets how many threads, what is left where one fails, and files that two would write."""

from __future__ import annotations

import threading
import time

import pytest

from batchprop import train_many
from batchprop.training import parallel
from tests.problems import problem

CASE = problem(e=2, m=4, s=1, n_samples=30)
SMALL = {"alpha": 0.0, "hidden_size": 3, "solver": "gd", "max_epochs": 3}


@pytest.mark.parametrize(
    ("n_networks", "n_threads", "expected"),
    [
        (4, 2, [1, 1, 1, 1]),
        (3, 2, [2, 1, 1]),  # the one that is left over goes first, with both
        (1, 4, [4]),
        (2, 4, [2, 2]),
        (5, 3, [1, 1, 1, 1, 1]),  # two of three threads each one
        (3, 4, [1, 1, 1]),
        (6, 4, [2, 2, 1, 1, 1, 1]),
    ],
)
def test_how_many_threads_each_network_has(n_networks, n_threads, expected, monkeypatch):
    seen, run = {}, parallel.run

    def noted(spec, monitor):
        seen[monitor.start] = spec.n_threads
        return run(spec._replace(n_threads=1), monitor)

    monkeypatch.setattr(parallel, "run", noted)
    train_many(
        CASE.X, CASE.T, [{"seed": k} for k in range(n_networks)], n_threads=n_threads, alpha=0.0
    )
    assert [seen[k] for k in range(n_networks)] == expected


def test_where_one_fails_those_that_wait_are_not_begun():
    begun, told = threading.Barrier(2, timeout=60), []

    def callback(progress):
        told.append(progress.start)
        if progress.epoch > 0:
            return
        if progress.start < 2:
            begun.wait()
        if progress.start == 0:
            raise LookupError("no more")
        time.sleep(1.0)

    with pytest.raises(LookupError, match="no more"):
        train_many(
            CASE.X,
            CASE.T,
            [{"seed": k} for k in range(8)],
            n_threads=2,
            callback=callback,
            **SMALL,
        )
    assert set(told) == {0, 1}


def test_two_networks_cannot_have_one_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    one, same = tmp_path / "run.npz", "run.npz"
    with pytest.raises(ValueError, match=r"that of configurations\[0\], too") as raised:
        train_many(
            CASE.X,
            CASE.T,
            [{"checkpoint": one}, {}, {"checkpoint": same}],
            **SMALL,
        )
    assert raised.value.__notes__ == ["in configurations[2]"]
    assert not one.exists()
    train_many(CASE.X, CASE.T, [{"checkpoint": one}, {"checkpoint": "other.npz"}], **SMALL)
    assert one.exists()
    assert (tmp_path / "other.npz").exists()
