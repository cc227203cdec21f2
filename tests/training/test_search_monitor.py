"""How often a callback hears of a search, and what it hears."""

from __future__ import annotations

import time
from math import inf

import pytest

from batchprop.training.monitor import Monitor
from batchprop.training.search_monitor import SearchMonitor


@pytest.fixture
def now(monkeypatch):
    """The time, which only the test moves."""
    clock = [100.0]
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    return clock


def search(callback):
    return SearchMonitor(Monitor(100.0, inf, callback, 1, None))


def test_a_callback_hears_of_it_twice_a_second_at_most(now):
    heard = []
    monitor = search(lambda progress: heard.append(progress.seconds))
    for tenth in range(21):
        now[0] = 100.0 + tenth / 8
        monitor.show(1.0)
    assert heard == [0.5, 1.0, 1.5, 2.0, 2.5]


def test_all_fits_are_counted_and_a_true_answer_is_the_last(now):
    heard = []
    monitor = search(lambda progress: heard.append(progress.search) or len(heard) == 2)
    monitor.expect(4)
    monitor.expect(3)
    for second in range(1, 5):
        now[0] = 100.0 + second
        monitor.display(0.5).show(None)
        monitor.display(0.5).end(None)
    assert [tuple(one)[:3] for one in heard] == [(0.5, 0, 7), (0.5, 1, 7)]
    assert monitor.stopped.is_set()
