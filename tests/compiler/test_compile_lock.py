"""Turns: one compiles, others wait, and nobody waits for ever."""

from __future__ import annotations

import threading
import time

import pytest

from batchprop.compiler import compile_lock
from tests.engines.fused.processes import start

pytestmark = pytest.mark.skipif(
    compile_lock._lock is None, reason="needs locks of files: not on Windows"
)


@pytest.fixture
def turn():
    """Several may be made; all of them end."""
    made = []

    def make():
        made.append(compile_lock.Turn())
        return made[-1]

    yield make
    for each in made:
        each.end()


def test_the_second_waits_for_the_first(tmp_path, turn):
    first, second, order = turn(), turn(), []
    first.take(tmp_path / "kernel.lock")

    def wait():
        second.take(tmp_path / "kernel.lock")
        order.append("second")

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.2)
    order.append("first")
    first.end()
    thread.join(30)
    assert order == ["first", "second"]
    second.end()
    assert not list(tmp_path.iterdir())


def test_turns_of_different_kernels_do_not_wait(tmp_path, turn):
    for name in ("a.lock", "b.lock"):
        turn().take(tmp_path / name)


def test_patience_ends(tmp_path, turn, monkeypatch):
    monkeypatch.setattr(compile_lock, "PATIENCE", 0.1)
    turn().take(tmp_path / "kernel.lock")
    turn().take(tmp_path / "kernel.lock")


def test_to_take_another_turn_is_to_end_the_last(tmp_path, turn, monkeypatch):
    monkeypatch.setattr(compile_lock, "PATIENCE", 1e9)
    first = turn()
    first.take(tmp_path / "a.lock")
    first.take(tmp_path / "b.lock")
    turn().take(tmp_path / "a.lock")


def test_where_no_file_can_be_made_nobody_waits(tmp_path, turn):
    for _ in range(2):
        turn().take(tmp_path / "no such folder" / "kernel.lock")


HOLD = """
import pathlib, sys, time
from batchprop.compiler.compile_lock import Turn
turn = Turn()
turn.take(pathlib.Path(sys.argv[1]))
print("taken", flush=True)
time.sleep(600)
"""


def test_a_process_that_dies_has_had_its_turn(tmp_path, turn, monkeypatch):
    monkeypatch.setattr(compile_lock, "PATIENCE", 1e9)
    holder = start(HOLD, tmp_path / "kernel.lock")
    assert holder.stdout.readline() == "taken\n"
    holder.kill()
    holder.communicate()
    turn().take(tmp_path / "kernel.lock")
