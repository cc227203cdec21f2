"""When a process is watched."""

from __future__ import annotations

import io
import sys
from types import ModuleType, SimpleNamespace

import pytest

from batchprop.compiler import console


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delitem(sys.modules, "IPython", raising=False)


def in_ipython(monkeypatch, shell):
    ipython = ModuleType("IPython")
    ipython.get_ipython = lambda: shell
    monkeypatch.setitem(sys.modules, "IPython", ipython)


def test_terminals_are_watched_and_files_are_not():
    assert console.is_watched(Terminal())
    assert not console.is_watched(io.StringIO())
    assert not console.is_watched(None)
    closed = io.StringIO()
    closed.close()
    assert not console.is_watched(closed)


@pytest.mark.parametrize(
    ("shell", "expected"), [(None, False), (object(), False), (SimpleNamespace(kernel=1), True)]
)
def test_kernels_are_notebooks_and_ipython_alone_is_not(shell, expected, monkeypatch):
    in_ipython(monkeypatch, shell)
    assert console.in_notebook() == expected
    assert console.is_watched(io.StringIO()) == expected
    assert not console.is_watched(None)


@pytest.mark.parametrize(("value", "expected"), [("true", False), ("1", False), ("", True)])
def test_nobody_watches_continuous_integration(value, expected, monkeypatch):
    monkeypatch.setenv("CI", value)
    assert console.is_watched(Terminal()) == expected
    in_ipython(monkeypatch, SimpleNamespace(kernel=1))
    assert console.is_watched(Terminal()) == expected


def test_nobody_watches_worker_processes(monkeypatch):
    monkeypatch.setattr(console, "current_process", lambda: SimpleNamespace(name="SpawnProcess-1"))
    assert not console.is_watched(Terminal())


def test_a_dumb_terminal_cannot_rewrite_a_line(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    assert not console.is_terminal(Terminal())
