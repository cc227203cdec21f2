"""The line on a terminal that says that kernels are being compiled, tried on a pseudo-terminal."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from batchprop.compiler import compile_notice
from tests.engines.fused.processes import environment, finish, start

pty = pytest.importorskip("pty")

FITS = """
import sys
import numpy as np
from batchprop import Network, train
X = np.linspace(-1.0, 1.0, 20)[np.newaxis]
def work():
    if sys.argv[1] == "predict":
        Network.initialize(1, 2, 1).predict(X)
    else:
        progress = {"None": None, "True": True, "False": False}[sys.argv[1]]
        train(X, X**2, hidden_size=2, solver="gd", alpha=0.0, max_epochs=1, progress=progress)
if __name__ == "__main__":
    work()
    work()
"""
LINE = "batchprop: compiling kernels, once for this version and processor (about 10 s) ..."


def on_a_terminal(*arguments, **changes):
    """Return what a program writes to standard error where that is a terminal."""
    leader, follower = pty.openpty()
    with subprocess.Popen(
        [sys.executable, *map(str, arguments)], stderr=follower, env=environment(**changes)
    ) as process:
        os.close(follower)
        text = b""
        try:
            while part := os.read(leader, 4096):
                text += part
        except OSError:  # the program has ended
            pass
    os.close(leader)
    assert process.returncode == 0, text
    return text.decode().replace("\r\n", "\n")


def test_it_is_shown_once_and_only_where_kernels_are_compiled(tmp_path):
    assert on_a_terminal("-c", FITS, "predict", NUMBA_CACHE_DIR=tmp_path) == f"{LINE}\n"
    assert on_a_terminal("-c", FITS, "predict", NUMBA_CACHE_DIR=tmp_path) == ""


def test_progress_false_silences_it(tmp_path):
    assert on_a_terminal("-c", FITS, "False", NUMBA_CACHE_DIR=tmp_path) == ""


def test_it_is_not_written_to_pipes(tmp_path):
    assert finish(start(FITS, "None", NUMBA_CACHE_DIR=tmp_path)) == ""


def test_worker_processes_are_silent(tmp_path):
    program = tmp_path / "program.py"
    in_a_worker = """
    import multiprocessing
    process = multiprocessing.get_context("spawn").Process(target=work)
    process.start()
    process.join()
    assert process.exitcode == 0
"""
    program.write_text(FITS[: FITS.index("    work()\n    work()")] + in_a_worker)
    assert on_a_terminal(program, "predict", NUMBA_CACHE_DIR=tmp_path) == ""


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize("progress", [None, False, True])
def test_who_reads_it(monkeypatch, capsys, progress, terminal):
    monkeypatch.setattr(compile_notice, "_shown", False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    with compile_notice.following(progress):
        compile_notice.announce()
        compile_notice.announce()
    expected = LINE if progress or (terminal and progress is None) else ""
    assert capsys.readouterr().err.rstrip("\n") == expected


def test_calls_that_overlap(monkeypatch, capsys):
    """The latest call that runs chooses; when all have ended none does."""
    monkeypatch.setattr(compile_notice, "_shown", False)
    first, second = compile_notice.following(False), compile_notice.following(True)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    compile_notice.announce()
    second.__exit__(None, None, None)
    assert capsys.readouterr().err.rstrip("\n") == LINE
    monkeypatch.setattr(compile_notice, "_shown", False)
    compile_notice.announce()
    assert capsys.readouterr().err == ""


def test_a_console_that_is_closed(monkeypatch):
    class Closed:
        def isatty(self):
            raise ValueError("I/O operation on closed file")

    monkeypatch.setattr(compile_notice, "_shown", False)
    monkeypatch.setattr(sys, "stderr", Closed())
    compile_notice.announce()


def test_a_program_without_a_console(monkeypatch):
    monkeypatch.setattr(compile_notice, "_shown", False)
    monkeypatch.setattr(sys, "stderr", None)
    compile_notice.announce()


def test_without_a_folder_it_promises_nothing(monkeypatch, capsys):
    monkeypatch.setattr(compile_notice, "_shown", False)
    monkeypatch.setattr(compile_notice, "writable", lambda: None)
    with compile_notice.following(True):
        compile_notice.announce()
    assert capsys.readouterr().err == "batchprop: compiling kernels (about 10 s) ...\n"
