"""The progress line: rewritten in a terminal, a few lines elsewhere, nothing without a console."""

from __future__ import annotations

import io
import math
import sys

import pytest

from batchprop import train
from batchprop.training.progress_line import ProgressLine
from batchprop.training.progress_screen import screen_on
from batchprop.training.result import Progress, Search
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
    line = ProgressLine(200, screen_on(stream))
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
    line = ProgressLine(100, screen_on(stream))
    line.show(at(0))
    line.end(at(50))
    lines = stream.getvalue().splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("█" * 12 + "·" * 12)
    assert "\x1b" not in stream.getvalue()


def test_elsewhere_the_last_line_is_not_said_twice():
    stream = io.StringIO()
    line = ProgressLine(100, screen_on(stream))
    only = at(0)
    line.show(only)
    line.end(only)
    assert len(stream.getvalue().splitlines()) == 1


@pytest.mark.parametrize("kind", [io.StringIO, Terminal])
def test_it_does_not_flicker(kind):
    stream = kind()
    line = ProgressLine(100_000, screen_on(stream))
    for epoch in range(1000):
        line.show(at(epoch))
    assert stream.getvalue().count("loss") < 500  # of 1000; at most ten a second


def test_validation_loss_and_no_limit():
    stream = io.StringIO()
    ProgressLine(None, screen_on(stream)).end(at(7, validation_loss=0.75))
    assert stream.getvalue() == "epoch 7  loss 5.0000e-01  validation 7.5000e-01  0.7 s\n"


def test_a_line_is_no_wider_than_the_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    stream = Terminal()
    ProgressLine(200, screen_on(stream)).show(at(3))
    (line,) = stream.getvalue().split("\r\x1b[K")[1:]
    assert len(line) == 29


def test_a_search_leaves_no_line():
    stream = Terminal()
    line = ProgressLine(10, screen_on(stream))
    line.search(Search(0.5, 2, 7), 1.5, 0)
    line.end(None)
    assert stream.getvalue() == "\r\x1b[Kalpha 5.0e-01  fit 3 of 7  1.5 s\r\x1b[K"
    line.close()
    assert stream.getvalue().count("\r") == 2


def test_what_is_shown_at_the_end_of_a_call_is_kept():
    stream = Terminal()
    line = ProgressLine(10, screen_on(stream))
    line.search(Search(0.5, 2, 7, "calibration"), 1.5, 0)
    line.close()
    line.close()
    assert stream.getvalue() == "\r\x1b[Kcalibration  fit 3 of 7  1.5 s\n"


def test_a_stream_that_breaks_ends_no_run():
    class Broken(Terminal):
        def write(self, text):
            raise BrokenPipeError

    line = ProgressLine(10, screen_on(Broken()))
    line.show(at(3))
    line.end(at(4))


def test_nothing_was_seen():
    stream = Terminal()
    ProgressLine(10, screen_on(stream)).end(None)
    assert stream.getvalue() == ""


def test_no_console(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert trained().n_epochs == 30


def test_a_console_of_few_characters():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    ProgressLine(4, screen_on(stream)).end(at(2))
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
