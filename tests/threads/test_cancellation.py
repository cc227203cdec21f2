"""How often it is asked whether a run goes on, and what becomes of the answer."""

from __future__ import annotations

import time

import pytest

from batchprop.threads.cancellation import (
    FIRST_INTERVAL,
    GRACE,
    INTERVAL,
    MAX_INTERVAL,
    MIN_INTERVAL,
    SECONDS,
    Cancellation,
    Cancelled,
)


@pytest.fixture
def now(monkeypatch):
    """The time, which only the test moves."""
    clock = [100.0]
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    return clock


def test_python_asks_after_a_while_and_then_now_and_again(now):
    asked = []
    cancellation = Cancellation(lambda: asked.append(now[0]) or "")
    for _ in range(100):
        cancellation.check()
        now[0] += GRACE / 8
    assert asked[0] == pytest.approx(100.0 + GRACE, abs=GRACE / 4)
    del asked[:]
    for _ in range(40):
        cancellation.check()
        now[0] += SECONDS / 4
    assert 8 <= len(asked) <= 12


def test_an_answer_ends_the_run_and_is_kept(now):
    cancellation = Cancellation(lambda: "max_seconds")
    cancellation.check()  # too early to ask
    now[0] += 2 * GRACE
    with pytest.raises(Cancelled):
        cancellation.check()
    assert cancellation.cancelled
    assert cancellation.reason() == "max_seconds"


@pytest.mark.parametrize(
    ("taken", "factor"), [(SECONDS / 100, 2.0), (SECONDS, 1.0), (2 * SECONDS, 0.5), (9.0, 0.25)]
)
def test_kernels_ask_sooner_where_work_takes_longer(now, taken, factor):
    cancellation = Cancellation(lambda: "")
    counts = cancellation.leader.counts
    now[0] += taken
    assert cancellation._function() == 0
    assert counts[INTERVAL] == pytest.approx(factor * FIRST_INTERVAL, rel=1e-6)
    for _ in range(20):
        now[0] += taken
        cancellation._function()
        assert MIN_INTERVAL <= counts[INTERVAL] <= MAX_INTERVAL


def test_what_is_raised_where_it_is_asked_is_raised_once():
    def ended():
        raise KeyboardInterrupt

    cancellation = Cancellation(ended)
    assert cancellation._function() == 1
    with pytest.raises(KeyboardInterrupt):
        cancellation.reason()
    assert cancellation.reason() == "interrupted"
