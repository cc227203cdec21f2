"""Reading ahead: order, errors in their places, and no thread that survives."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time

import pytest

from batchprop.blocks.read_ahead import read_ahead

WAIT = 30  # seconds after which something hangs


def n_threads():
    return sum(thread.name == "batchprop-read-ahead" for thread in threading.enumerate())


def test_items_come_in_order_one_ahead_and_no_further():
    loaded, may_go_on = [], threading.Event()

    def load(i):
        loaded.append(i)
        if len(loaded) > 1:
            may_go_on.set()
        return i

    items = read_ahead(load, 5)
    assert next(items) == 0
    assert may_go_on.wait(WAIT), "the next item is loaded while the first one is in use"
    time.sleep(0.05)
    assert loaded == [0, 1], "and no other"
    assert list(items) == [1, 2, 3, 4]
    assert n_threads() == 0


def test_loading_and_use_go_on_side_by_side():
    barrier = threading.Barrier(2)

    def load(i):
        if i:
            barrier.wait(WAIT)  # only passes while the caller uses the item before
        return i

    for item in read_ahead(load, 4):
        if item < 3:
            barrier.wait(WAIT)


@pytest.mark.parametrize("at", [0, 1, 3])
@pytest.mark.parametrize("error", [ValueError("bad"), KeyboardInterrupt(), StopIteration()])
def test_an_error_comes_where_its_item_would_have_come(at, error):
    def load(i):
        if i == at:
            raise error
        return i

    items, seen = read_ahead(load, 4), []
    with pytest.raises(RuntimeError if isinstance(error, StopIteration) else type(error)):
        seen.extend(items)  # keeps what came before the error
    assert seen == list(range(at))
    assert n_threads() == 0


def test_closing_ends_the_thread():
    items = read_ahead(lambda i: i, 10)
    next(items)
    assert n_threads() == 1
    items.close()
    assert n_threads() == 0


def test_an_error_of_the_caller_ends_the_thread():
    def use():
        for item in read_ahead(lambda i: i, 10):
            if item == 3:
                raise LookupError

    with pytest.raises(LookupError):
        use()
    assert n_threads() == 0


def test_one_item_needs_no_thread():
    assert list(read_ahead(lambda i: threading.current_thread(), 1)) == [threading.current_thread()]
    assert list(read_ahead(lambda i: i, 0)) == []


PROGRAM = """
import threading, time
from batchprop.blocks.read_ahead import read_ahead

def load(i):
    if i == 1:
        print("waiting", flush=True)
        time.sleep(1)
    return i

try:
    for item in read_ahead(load, 3):
        pass
except KeyboardInterrupt:
    print("interrupted", item, threading.active_count())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals of POSIX")
def test_control_c_while_the_caller_waits():
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "waiting\n"
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=WAIT)[0] == "interrupted 0 1\n"
    finally:
        process.kill()
