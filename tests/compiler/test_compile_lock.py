"""The compile lock: one process compiles, others wait, and none waits forever."""

from __future__ import annotations

import threading
import time

import pytest

from batchprop.compiler import compile_lock
from tests.engines.fused.processes import start

pytestmark = pytest.mark.skipif(
    compile_lock._flock is None, reason="needs locks of files: not on Windows"
)


@pytest.fixture
def lock():
    """Several may be made; all of them end."""
    made = []

    def make():
        made.append(compile_lock.CompileLock())
        return made[-1]

    yield make
    for each in made:
        each.release()


def test_the_second_waits_for_the_first(tmp_path, lock):
    first, second, order = lock(), lock(), []
    first.acquire(tmp_path / "kernel.lock")

    def wait():
        second.acquire(tmp_path / "kernel.lock")
        order.append("second")

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.2)
    order.append("first")
    first.release()
    thread.join(30)
    assert order == ["first", "second"]
    second.release()
    assert not list(tmp_path.iterdir())


def test_turns_of_different_kernels_do_not_wait(tmp_path, lock):
    for name in ("a.lock", "b.lock"):
        lock().acquire(tmp_path / name)


def test_patience_ends(tmp_path, lock, monkeypatch):
    monkeypatch.setattr(compile_lock, "TIMEOUT", 0.1)
    lock().acquire(tmp_path / "kernel.lock")
    lock().acquire(tmp_path / "kernel.lock")


def test_who_gave_up_waiting_leaves_the_holders_file(tmp_path, lock, monkeypatch):
    monkeypatch.setattr(compile_lock, "TIMEOUT", 0.1)
    holder, second = lock(), lock()
    holder.acquire(tmp_path / "kernel.lock")
    second.acquire(tmp_path / "kernel.lock")
    second.release()
    assert (tmp_path / "kernel.lock").exists()
    holder.release()
    assert not list(tmp_path.iterdir())


def test_to_take_another_turn_is_to_end_the_last(tmp_path, lock, monkeypatch):
    monkeypatch.setattr(compile_lock, "TIMEOUT", 1e9)
    first = lock()
    first.acquire(tmp_path / "a.lock")
    first.acquire(tmp_path / "b.lock")
    lock().acquire(tmp_path / "a.lock")


def test_where_no_file_can_be_made_nobody_waits(tmp_path, lock):
    for _ in range(2):
        lock().acquire(tmp_path / "no such folder" / "kernel.lock")


HOLD = """
import pathlib, sys, time
from batchprop.compiler.compile_lock import CompileLock
lock = CompileLock()
lock.acquire(pathlib.Path(sys.argv[1]))
print("taken", flush=True)
time.sleep(600)
"""


def test_a_process_that_dies_has_had_its_turn(tmp_path, lock, monkeypatch):
    monkeypatch.setattr(compile_lock, "TIMEOUT", 1e9)
    holder = start(HOLD, tmp_path / "kernel.lock")
    assert holder.stdout.readline() == "taken\n"
    holder.kill()
    holder.communicate()
    lock().acquire(tmp_path / "kernel.lock")
