"""Where texts go, and how messages of the library are put into the words of the command line."""

from __future__ import annotations

import io
import json
import math
import sys
import warnings

import pytest

from batchprop.cli.console import Console, aligned, write_utf8

OPTIONS = ("--alpha", "--hidden-size", "--max-seconds", "--solver", "--n-init")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('Use alpha="evidence", or fewer.', "Use --alpha evidence, or fewer."),
        ("use solver='lbfgs'.", "use --solver lbfgs."),
        ("Raise max_seconds, or leave", "Raise --max-seconds, or leave"),
        ("with n_init=8.", "with --n-init 8."),
        ("scale=True and learning_rate", "scale=True and learning_rate"),
        ("alpha must be", "alpha must be"),
    ],
)
def test_arguments_become_options(text, expected):
    assert Console("test", options=OPTIONS).with_options(text) == expected


def test_warnings_are_lines_each_once(capsys):
    console = Console("test", options=OPTIONS)
    with console.warnings_as_lines():
        for _ in range(2):
            warnings.warn("Raise max_seconds.", UserWarning, stacklevel=1)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    assert capsys.readouterr().err == "test: warning: Raise --max-seconds.\n"


def test_quiet_keeps_warnings_and_errors(capsys):
    console = Console("test", quiet=True)
    console.note("note")
    console.warning("careful")
    console.error("wrong")
    assert capsys.readouterr() == ("", "test: warning: careful\ntest: error: wrong\n")


def test_json_has_no_nan(capsys):
    Console("test").json({"a": [math.nan, 1.0], "b": {"c": math.inf}, "d": "ü"})
    out = capsys.readouterr().out
    assert json.loads(out) == {"a": [None, 1.0], "b": {"c": None}, "d": "ü"}
    assert out.count("\n") == 1


def test_columns_are_aligned():
    assert aligned([("a", "1"), ("bcd", "22")], indent=" ") == " a     1\n bcd  22"


@pytest.mark.parametrize(
    ("is_terminal", "expected"), [(False, "R² α\n".encode()), (True, b"R\xb2 ?\n")]
)
def test_any_character_can_be_written(monkeypatch, is_terminal, expected):
    buffer = io.BytesIO()
    stream = io.TextIOWrapper(buffer, encoding="latin-1", newline="\n")
    monkeypatch.setattr(stream, "isatty", lambda: is_terminal, raising=False)
    monkeypatch.setattr(sys, "stdout", stream)
    write_utf8()
    Console("test").result("R² α")
    stream.flush()
    assert buffer.getvalue() == expected
