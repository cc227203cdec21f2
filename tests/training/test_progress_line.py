"""The progress line: rewritten in a terminal, a few lines elsewhere, nothing without a console."""

from __future__ import annotations

import io
import math
import sys

import pytest

from batchprop import train
from batchprop.training.progress_line import ProgressLine
from batchprop.training.result import Progress
from tests.problems import problem

CASE = problem()


class Terminal(io.StringIO):
    def isatty(self):
        return True


def at(epoch, loss=0.5, validation_loss=math.nan):
    return Progress(epoch, loss, validation_loss, loss, 1.0, 0.1 * epoch)


def trained(**options):
    return train(
        CASE.X,
        CASE.T,
        network=CASE.network,
        max_epochs=30,
        progress=True,
        **{"alpha": 0.0} | options,
    )


def test_a_terminal_sees_one_line_that_is_rewritten():
    stream = Terminal()
    line = ProgressLine(200, stream)
    line.show(at(0))
    line.end(at(200, 0.25))
    text = stream.getvalue()
    assert text.count("\n") == 1
    assert text.endswith("\n")
    first, last = text.split("\r\x1b[K")[1:]
    assert first.startswith("·" * 24)
    assert last.startswith("█" * 24)
    assert "  0/200  loss 5.0000e-01  0.0 s" in first
    assert "200/200  loss 2.5000e-01  20.0 s" in last


def test_elsewhere_lines_follow_one_another():
    stream = io.StringIO()
    line = ProgressLine(100, stream)
    line.show(at(0))
    line.end(at(50))
    lines = stream.getvalue().splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("█" * 12 + "·" * 12)
    assert "\x1b" not in stream.getvalue()


def test_elsewhere_the_last_line_is_not_said_twice():
    stream = io.StringIO()
    line = ProgressLine(100, stream)
    only = at(0)
    line.show(only)
    line.end(only)
    assert len(stream.getvalue().splitlines()) == 1


@pytest.mark.parametrize("kind", [io.StringIO, Terminal])
def test_it_does_not_flicker(kind):
    stream = kind()
    line = ProgressLine(100_000, stream)
    for epoch in range(1000):
        line.show(at(epoch))
    assert stream.getvalue().count("loss") < 500  # of 1000; at most ten a second


def test_validation_loss_and_no_limit():
    stream = io.StringIO()
    ProgressLine(None, stream).end(at(7, validation_loss=0.75))
    assert stream.getvalue() == "epoch 7  loss 5.0000e-01  validation 7.5000e-01  0.7 s\n"


def test_nothing_was_seen():
    stream = Terminal()
    ProgressLine(10, stream).end(None)
    assert stream.getvalue() == ""


def test_no_console(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert trained().n_epochs == 30


def test_a_console_of_few_characters():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    ProgressLine(4, stream).end(at(2))
    assert stream.buffer.getvalue().startswith(b"############............ 2/4  loss")


def test_a_run_shows_its_progress(capsys):
    trained()
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "30/30" in shown.err.splitlines()[-1]
    trained_silently = train(CASE.X, CASE.T, network=CASE.network, max_epochs=3, alpha=0.0)
    assert trained_silently.n_epochs == 3
    assert capsys.readouterr() == ("", "")


def test_a_run_that_fails_ends_its_line(monkeypatch):
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)

    def failing(progress):
        if progress.epoch == 2:
            raise LookupError

    with pytest.raises(LookupError):
        trained(callback=failing)
    assert stream.getvalue().endswith("\n")
    assert " 2/30" in stream.getvalue()
