"""Files beside a checkpoint: what a killed writer left is removed, what is being written is not."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import warnings

import numpy as np
import pytest

from batchprop import train
from batchprop.files import atomic_file, temporary_file
from tests.problems import problem
from tests.project import SRC

CASE = problem(e=2, m=3, s=1, n_samples=12)
ARRAYS = {"a": np.arange(20_000.0)}
with_locks = pytest.mark.skipif(sys.platform == "win32", reason="there is no flock")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.npz"


def litter(path):
    return path.with_name(f".{path.name}.{'0f' * 8}")


def test_only_our_own_litter_is_removed(path):
    kept = [".run.npz", ".run.npz.bak", "run.npz", f".other.npz.{'0' * 16}"]
    kept += [f".run_npz.{'0' * 16}"]  # a dot is a dot
    for name in kept:
        (path.parent / name).touch()
    litter(path).touch()
    os.utime(litter(path), (0, 0))
    temporary_file.remove_abandoned(path)
    assert sorted(os.listdir(path.parent)) == sorted(kept)
    temporary_file.remove_abandoned(path.parent / "no folder" / "at all")


def test_it_is_looked_for_where_a_link_leads(path, tmp_path):
    link = tmp_path / "links" / "link.npz"
    link.parent.mkdir()
    try:
        link.symlink_to(path)
    except OSError:
        pytest.skip("no symbolic links here")
    litter(path).touch()
    os.utime(litter(path), (0, 0))
    temporary_file.remove_abandoned(link)
    assert os.listdir(tmp_path) == ["links"]


@with_locks
def test_a_file_that_is_being_written_stays(path):
    beside, file = temporary_file.create(path, 0o666)
    temporary_file.remove_abandoned(path)
    os.utime(beside, (0, 0))  # its writer may be slow
    temporary_file.remove_abandoned(path)
    assert beside.exists()
    file.close()
    temporary_file.remove_abandoned(path)
    assert not beside.exists()


@with_locks
def test_that_of_another_process_stays_until_that_ends(path):
    code = (
        "import sys; from pathlib import Path; from batchprop.files import temporary_file\n"
        "made = temporary_file.create(Path(sys.argv[1]), 0o666); print(made[0], flush=True)\n"
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, path], cwd=SRC, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True,
    ) as other:  # fmt: skip
        beside = other.stdout.readline().strip()
        temporary_file.remove_abandoned(path)
        assert os.path.exists(beside)
        other.kill()
    temporary_file.remove_abandoned(path)
    assert not os.path.exists(beside)


@with_locks
def test_a_file_that_was_removed_before_it_was_locked(path, monkeypatch):
    lock, removed = temporary_file.fcntl.flock, []

    def late(number, command):
        if not removed:
            removed.extend(path.parent.iterdir())
            removed[0].unlink()
        return lock(number, command)

    monkeypatch.setattr(temporary_file.fcntl, "flock", late)
    atomic_file.write_arrays(path, ARRAYS)
    assert len(removed) == 1
    assert os.listdir(path.parent) == [path.name]


@with_locks
def test_it_stays_until_it_has_its_name(path, monkeypatch):
    replace = os.replace

    def late(beside, place):
        temporary_file.remove_abandoned(path)
        replace(beside, place)

    monkeypatch.setattr(os, "replace", late)
    atomic_file.write_arrays(path, ARRAYS)
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("locks", [False, True])
def test_without_locks_age_decides(path, monkeypatch, locks):
    """Where the system has none, or the file system."""

    def none(number, command):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(temporary_file, "_LOCKS", locks)
    if locks:
        if sys.platform == "win32":
            pytest.skip("there is no flock")
        monkeypatch.setattr(temporary_file.fcntl, "flock", none)
    atomic_file.write_arrays(path, ARRAYS)
    litter(path).touch()
    temporary_file.remove_abandoned(path)
    assert litter(path).exists()
    before = time.time() - 23 * 3600
    os.utime(litter(path), (before, before))
    temporary_file.remove_abandoned(path)
    assert litter(path).exists()
    before = time.time() - 25 * 3600
    os.utime(litter(path), (before, before))
    temporary_file.remove_abandoned(path)
    assert os.listdir(path.parent) == [path.name]


WRITER = """
import sys, warnings
import numpy as np
from batchprop.files import atomic_file

for k in range(int(sys.argv[2])):
    atomic_file.write_arrays(sys.argv[1], {"a": np.full(20_000, float(k))})
"""


def test_runs_that_start_disturb_no_writer(path):
    """Two write the same file, a process and a thread, while runs of the same name begin."""
    failures, n_writes = [], 60

    def write():
        try:
            for _ in range(n_writes):
                atomic_file.write_arrays(path, ARRAYS)
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=write)
    command = [sys.executable, "-c", WRITER, path, str(n_writes)]
    with subprocess.Popen(command, cwd=SRC, stderr=subprocess.PIPE, text=True) as process:
        thread.start()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            while thread.is_alive() or process.poll() is None:
                temporary_file.remove_abandoned(path)
                train(CASE.X, CASE.T, solver="gd", hidden_size=3, max_epochs=1, checkpoint=path)
        thread.join()
        assert process.wait() == 0, process.stderr.read()
    assert failures == []
    assert os.listdir(path.parent) == [path.name]
