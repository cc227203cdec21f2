"""A function of many items in several threads: values in order, errors passed on."""

from __future__ import annotations

import threading
import time

import pytest

from batchprop.machine.thread_map import thread_map


@pytest.mark.parametrize("n_threads", [1, 2, 7, 100])
@pytest.mark.parametrize("count", [0, 1, 2, 20])
def test_values_come_in_order(n_threads, count):
    names = set()

    def square(k):
        names.add(threading.current_thread().name)
        time.sleep(0.001 * (k % 3))
        return k**2

    assert thread_map(square, range(count), n_threads) == [k**2 for k in range(count)]
    assert len(names) <= n_threads


@pytest.mark.parametrize("n_threads", [1, 3])
def test_an_error_is_passed_on_and_ends_the_rest(n_threads):
    calls = []

    def fails(k):
        calls.append(k)
        time.sleep(0.005)
        if k == 1:
            raise KeyboardInterrupt
        return k

    with pytest.raises(KeyboardInterrupt):
        thread_map(fails, range(500), n_threads)
    assert len(calls) < 400


def test_without_threads_the_caller_does_it(monkeypatch):
    def refused(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    assert thread_map(lambda k: k + 1, [1, 2, 3], 2) == [2, 3, 4]
