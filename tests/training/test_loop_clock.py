"""How long things may take, on a clock that the tests turn: limits, bursts, checkpoints."""

from __future__ import annotations

import io
import math
import time

import pytest

from batchprop import train
from batchprop.engines.array_engine import ScaledObjective
from batchprop.training.checkpoint import writer
from batchprop.training.progress_line import ProgressLine
from batchprop.training.progress_screen import screen_on
from batchprop.training.result import Progress
from tests.problems import problem

CASE = problem(e=2, m=4, s=1, n_samples=30)
PLAIN = {
    "alpha": 0.0,
    "solver": "gd",
    "engine": "vectorized",
    "hidden_size": 4,
    "tol": None,
    "max_epochs": None,
}


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    """Take the place of ``time.perf_counter``."""
    made = Clock()
    monkeypatch.setattr(time, "perf_counter", made)
    return made


def slowed(monkeypatch, clock, seconds):
    """Let each evaluation take so many seconds of that clock."""
    evaluate = ScaledObjective.loss_and_gradient

    def slow(self, theta, gradient):
        clock.now += seconds
        return evaluate(self, theta, gradient)

    monkeypatch.setattr(ScaledObjective, "loss_and_gradient", slow)


@pytest.mark.parametrize("limit", [0.02, 0.26, 1.03])
def test_a_burst_is_no_longer_than_what_is_left(limit, clock, monkeypatch):
    slowed(monkeypatch, clock, seconds=1e-3)
    result = train(CASE.X, CASE.T, max_seconds=limit, **PLAIN)
    assert result.stop_reason == "max_seconds"
    assert limit <= result.seconds <= limit + 0.003
    assert result.n_evaluations == pytest.approx(1000 * limit, abs=3)


def test_the_clock_is_looked_at_every_twentieth_of_a_second(clock, monkeypatch):
    """Ctrl-C, other runs that end and the progress line wait no longer than that."""
    slowed(monkeypatch, clock, seconds=1e-3)
    looks = []

    def look(self, snapshot):
        looks.append(clock.now)

    monkeypatch.setattr(writer.CheckpointWriter, "write_if_due", look)
    monkeypatch.setattr(writer.CheckpointWriter, "write", lambda self, checkpoint: None)
    train(CASE.X, CASE.T, max_seconds=2.0, checkpoint="never-written.npz", **PLAIN)
    waits = [after - before for before, after in zip(looks, looks[1:], strict=False)]
    assert 0.04 < max(waits) < 0.06


class Made:
    """A checkpoint that takes its time to be saved."""

    def __init__(self, clock, cost):
        self.clock, self.cost, self.saved = clock, cost, []

    def save(self, path):
        self.saved.append(self.clock.now)
        self.clock.now += self.cost


@pytest.mark.parametrize(
    ("between", "cost", "wait"),
    [(60.0, 0.0, 60.0), (60.0, 5.9, 60.0), (60.0, 6.5, 65.0), (60.0, 20.0, 200.0), (0.0, 1.0, 10)],
)
def test_writing_takes_no_more_than_a_tenth_of_the_time(between, cost, wait, clock, tmp_path):
    made = Made(clock, cost)
    keeper = writer.CheckpointWriter(tmp_path / "run.npz", between)
    due = clock.now + between
    for _ in range(3):
        clock.now = due - 0.01
        keeper.write_if_due(lambda reason: made)
        written = len(made.saved)
        clock.now = due + 0.01
        keeper.write_if_due(lambda reason: made)
        assert len(made.saved) == written + 1
        due = clock.now + wait
    assert made.saved == sorted(made.saved)
    assert len(made.saved) == 3


def test_the_first_checkpoint_is_not_written_at_once(clock, tmp_path):
    made = Made(clock, 0.0)
    keeper = writer.CheckpointWriter(tmp_path / "run.npz", 60.0)
    clock.now += 59.9
    keeper.write_if_due(lambda reason: made)
    assert not made.saved


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("stream", "between"), [(Terminal, 0.1), (io.StringIO, 5.0)])
def test_how_often_progress_is_shown(stream, between, clock):
    """Ten times a second in a terminal, every five seconds elsewhere."""
    out = stream()
    line = ProgressLine(None, screen_on(out))
    shown = []
    for epoch in range(41):
        clock.now = 1000.0 + epoch * between / 10
        before = out.tell()
        line.show(Progress(epoch, 1.0, math.nan, 1.0, 1.0, 0.0))
        if out.tell() > before:
            shown.append(epoch)
    assert shown[0] == 0
    assert len(shown) == pytest.approx(5, abs=1)
    assert {b - a for a, b in zip(shown, shown[1:], strict=False)} <= {10, 11}


@pytest.mark.parametrize(
    ("epoch", "most", "full"),
    [(0, 48, 0), (1, 48, 0), (2, 48, 1), (47, 48, 23), (48, 48, 24), (60, 48, 24), (0, 0, 0)],
)
def test_how_much_of_the_bar_is_full(epoch, most, full):
    out = io.StringIO()
    ProgressLine(most, screen_on(out)).show(Progress(epoch, 1.0, math.nan, 1.0, 1.0, 0.0))
    bar = out.getvalue().split(" ")[0]
    assert bar == "█" * full + "·" * (24 - full)


def test_what_the_line_says():
    out = io.StringIO()
    line = ProgressLine(None, screen_on(out), n_networks=3)
    line.show(Progress(7, 0.25, 0.5, 0.25, 1.0, 61.26, start=1))
    assert out.getvalue() == (
        "network 2/3  epoch 7  loss 2.5000e-01  validation 5.0000e-01  61.3 s\n"
    )
