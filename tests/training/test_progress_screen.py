"""Where progress is drawn: in notebooks with and without tqdm, and by which rule."""

from __future__ import annotations

import io
import sys
from types import ModuleType, SimpleNamespace

import pytest

from batchprop.training import progress_screen
from batchprop.training.progress_screen import Screen, Status, Terminal, screen_on

LONG = Status("network 2/3", 4, 8, "loss 1  2.0 s")
SHORT = Status("", 0, None, "epoch 9")


@pytest.fixture
def notebook(monkeypatch):
    """Let this process look like the kernel of a notebook; return its standard error."""
    shell = SimpleNamespace(kernel=object())
    ipython = ModuleType("IPython")
    ipython.get_ipython = lambda: shell
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    stream = io.StringIO()
    # pytest keeps replacing the standard error of the process
    monkeypatch.setattr(progress_screen, "sys", SimpleNamespace(stderr=stream))
    return stream


class Bar:
    """What a screen needs of ``tqdm.notebook.tqdm``."""

    made: list[Bar] = []

    def __init__(self, total=None, leave=True, display=True, **options):
        self.total, self.leave, self.options = total, leave, options
        self.n, self.shown, self.closed = 0, [], None
        if display:
            Bar.made.append(self)

    def refresh(self):
        left, right = self.bar_format.split("{bar}")
        self.shown.append((left.strip(), self.n, self.total, right.strip()))

    def reset(self, total):
        self.total = total

    def close(self):
        failed = self.total is not None and self.n < self.total
        self.closed = "failed" if failed else "left" if self.leave else "removed"


@pytest.fixture
def tqdm(monkeypatch):
    module = ModuleType("tqdm")
    module.notebook = SimpleNamespace(tqdm=Bar, IProgress=object())
    monkeypatch.setitem(sys.modules, "tqdm", module)
    monkeypatch.setattr(Bar, "made", [])
    return Bar.made


def test_a_line_has_all_parts():
    bar = "█" * 12 + "·" * 12
    assert LONG.line() == f"network 2/3  {bar} 4/8  loss 1  2.0 s"
    assert SHORT.line() == "epoch 9"


@pytest.mark.parametrize("keep", [True, False])
def test_a_notebook_with_tqdm_has_a_bar(notebook, tqdm, keep):
    screen = screen_on(notebook)
    assert not tqdm  # nothing is displayed before there is something to show
    screen.show(LONG)
    screen.show(SHORT)
    screen.end(keep)
    (bar,) = tqdm
    assert bar.shown == [("network 2/3", 4, 8, "4/8  loss 1  2.0 s"), ("", 0, None, "epoch 9")]
    assert bar.closed == ("left" if keep else "removed")  # not failed, though 4 < 8
    assert notebook.getvalue() == ""
    screen.show(LONG)
    assert len(tqdm) == 2  # the next run has a bar of its own


def test_a_notebook_without_tqdm_has_a_line(notebook, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    screen = screen_on(notebook)
    screen.show(LONG)
    screen.show(SHORT)
    screen.end(keep=False)
    first, second, blanks, end = notebook.getvalue().split("\r")[1:]
    assert first == LONG.line()
    assert second.rstrip() == "epoch 9"
    assert len(second) == len(first)  # it covers the longer line
    assert not blanks.strip()
    assert end == ""
    screen.show(SHORT)
    screen.end(keep=True)
    assert notebook.getvalue().endswith("\repoch 9\n")


def test_a_notebook_without_widgets_has_a_line(notebook, tqdm, monkeypatch):
    monkeypatch.setattr(sys.modules["tqdm"].notebook, "IProgress", None)
    screen_on(notebook).show(SHORT)
    assert notebook.getvalue() == "\repoch 9"


def test_other_streams_of_a_notebook_get_lines(notebook, tqdm):
    stream = io.StringIO()
    screen_on(stream).show(SHORT)
    assert stream.getvalue() == "epoch 9\n"
    assert not tqdm


def test_a_status_waits_until_the_last_one_is_old_enough():
    shown = io.StringIO()
    screen = Screen(Terminal(shown))
    answers = [screen.show(SHORT, now) for now in (10.0, 10.05, 10.15, 10.2)]
    assert answers == [True, False, True, False]
    assert screen.show(SHORT)  # the last one of a run does not wait
    assert shown.getvalue().count("epoch 9") == 3


def test_a_dumb_terminal_gets_lines(monkeypatch):
    class Dumb(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setenv("TERM", "dumb")
    stream = Dumb()
    screen_on(stream).show(SHORT)
    assert stream.getvalue() == "epoch 9\n"
