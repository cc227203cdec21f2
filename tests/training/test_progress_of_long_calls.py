"""A call that takes longer than two seconds shows its progress to who watches, and to nobody else.

The clock is the test's: nothing here depends on how fast the machine is.
"""

from __future__ import annotations

import io
import math
import re
import sys
from types import SimpleNamespace

import pytest

from batchprop import train, train_many
from batchprop.compiler import console
from batchprop.sklearn import BatchMLPRegressor
from batchprop.training import progress_line, progress_screen
from batchprop.training.progress_line import ProgressLine
from batchprop.training.progress_screen import screen_on
from batchprop.training.result import Progress
from tests.training.test_loop_clock import CASE, PLAIN, Clock, Terminal, slowed
from tests.training.test_progress_line import at

ERASE = "\r\x1b[K"
OPTIONS = PLAIN | {"max_epochs": 40}


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr("time.perf_counter", made)
    return made


@pytest.fixture
def terminal(monkeypatch):
    """Standard error is a terminal with someone in front of it."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    return standard_error(Terminal(), monkeypatch)


def standard_error(stream, monkeypatch):
    """Let the package find another standard error; pytest keeps replacing that of the process."""
    for module in (progress_line, progress_screen):
        monkeypatch.setattr(module, "sys", SimpleNamespace(stderr=stream))
    return stream


def lines(stream):
    return stream.getvalue().split(ERASE)[1:]


def test_a_long_call_shows_a_line_after_two_seconds_and_removes_it(clock, terminal, monkeypatch):
    slowed(monkeypatch, clock, seconds=0.25)
    train(CASE.X, CASE.T, **OPTIONS)
    *shown, last = lines(terminal)
    assert last == ""
    seconds = [float(line.split()[-2]) for line in shown]
    assert 2.0 <= seconds[0] <= 2.5
    assert seconds == sorted(seconds)
    assert seconds[-1] > 9.0
    assert "\n" not in terminal.getvalue()
    assert re.search(r" [678]/40  loss ", shown[0])


def test_a_short_call_shows_nothing(clock, terminal, monkeypatch):
    slowed(monkeypatch, clock, seconds=0.04)
    train(CASE.X, CASE.T, **OPTIONS)
    assert terminal.getvalue() == ""


def test_an_evaluation_of_many_seconds_is_not_silent(clock, terminal, monkeypatch):
    line = ProgressLine(None, screen_on(terminal), asked=False)
    for second in range(1, 5):
        clock.now = 1000.0 + second
        line.tick()
    assert lines(terminal) == ["starting  2.0 s", "starting  3.0 s", "starting  4.0 s"]
    line.show(Progress(7, 0.25, math.nan, 0.25, 1.0, 4.0))
    clock.now += 1.5
    line.tick()
    assert lines(terminal)[-1] == "epoch 7  loss 2.5000e-01  5.5 s"


def test_time_passes_within_an_iteration(clock, terminal, monkeypatch):
    """The engine asks whether to go on; the line uses that."""
    ticks = []
    monkeypatch.setattr(ProgressLine, "tick", lambda self: ticks.append(clock.now))
    slowed(monkeypatch, clock, seconds=3.0)
    train(CASE.X, CASE.T, **OPTIONS | {"max_epochs": 5})
    assert len(ticks) >= 5


@pytest.mark.parametrize(
    "options",
    [{"progress": False}, {"callback": lambda progress: None}],
    ids=["silenced", "callback"],
)
def test_who_does_not_want_it(options, clock, terminal, monkeypatch):
    slowed(monkeypatch, clock, seconds=0.25)
    train(CASE.X, CASE.T, **OPTIONS, **options)
    assert terminal.getvalue() == ""


def test_nothing_is_written_to_files(clock, terminal, monkeypatch):
    file = standard_error(io.StringIO(), monkeypatch)
    slowed(monkeypatch, clock, seconds=0.25)
    train(CASE.X, CASE.T, **OPTIONS)
    assert file.getvalue() == ""


def test_nothing_is_written_where_nobody_watches(clock, terminal, monkeypatch):
    monkeypatch.setenv("CI", "true")
    slowed(monkeypatch, clock, seconds=0.25)
    train(CASE.X, CASE.T, **OPTIONS)
    assert terminal.getvalue() == ""


def test_true_shows_it_at_once_and_keeps_it(clock, terminal, monkeypatch):
    monkeypatch.setenv("CI", "true")
    slowed(monkeypatch, clock, seconds=0.01)
    train(CASE.X, CASE.T, progress=True, **OPTIONS)
    assert lines(terminal)[0].startswith("·" * 24)
    assert "40/40" in lines(terminal)[-1]
    assert terminal.getvalue().endswith("\n")


@pytest.mark.filterwarnings("ignore:Stopped by max_iter")
def test_the_estimator_is_silent_unless_it_is_verbose(clock, terminal, monkeypatch):
    slowed(monkeypatch, clock, seconds=0.25)
    options = {"solver": "gd", "engine": "vectorized", "hidden_size": 4, "max_iter": 20}
    BatchMLPRegressor(**options, random_state=0).fit(CASE.X.T, CASE.T[0])
    assert terminal.getvalue() == ""
    BatchMLPRegressor(**options, random_state=0, verbose=True).fit(CASE.X.T, CASE.T[0])
    assert "20/20" in terminal.getvalue()


def test_many_networks_share_a_line(clock, terminal, monkeypatch):
    slowed(monkeypatch, clock, seconds=0.25)
    silent = {"progress": False}
    train_many(CASE.X, CASE.T, [{}, {"seed": 1}, silent], n_threads=1, **OPTIONS)
    text = terminal.getvalue()
    assert "network 1/3" in text
    assert "network 2/3" in text
    assert "network 3/3" not in text
    assert "\n" not in text
    assert text.endswith(ERASE)


def test_a_run_that_fails_leaves_no_line(clock, terminal, monkeypatch):
    slowed(monkeypatch, clock, seconds=0.25)

    def failing(*args, **kwargs):
        raise LookupError

    monkeypatch.setattr("batchprop.training.loop._next_burst_size", failing)
    line = ProgressLine.show

    def late(self, progress):
        clock.now += 3.0
        line(self, progress)

    monkeypatch.setattr(ProgressLine, "show", late)
    with pytest.raises(LookupError):
        train(CASE.X, CASE.T, **OPTIONS)
    assert "loss" in terminal.getvalue()
    assert terminal.getvalue().endswith(ERASE)


def test_a_warning_finds_an_empty_line(clock, terminal):
    line = ProgressLine(9, screen_on(terminal), asked=False)
    clock.now += 2.5
    line.show(at(3))
    line.end(at(9))
    assert lines(terminal)[-1] == ""


def test_a_notebook_is_watched(clock, monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(console, "in_notebook", lambda: True)
    monkeypatch.setitem(sys.modules, "tqdm", None)
    stream = standard_error(io.StringIO(), monkeypatch)
    slowed(monkeypatch, clock, seconds=0.25)
    train(CASE.X, CASE.T, **OPTIONS)
    assert "/40  loss " in stream.getvalue()
    assert stream.getvalue().split("\r")[-1] == ""
