"""The page about resuming: its code runs, and its table names every argument."""

from __future__ import annotations

import re

from batchprop import train
from tests.project import ROOT
from tests.test_documented import fences

PAGE = ROOT / "docs" / "resume.md"


def test_the_code_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {}
    for code in fences(PAGE, {"python"}):
        exec(compile(code, PAGE, "exec"), names)
    assert "5000 epochs, 'max_epochs'" in capsys.readouterr().out
    assert names["further"].n_epochs == 6000


def test_the_table_has_every_argument():
    table = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    named = {name for line in table for name in re.findall(r"`(\w+)`", line.split("|")[1])}
    numbers = {"solver", "learning_rate", "momentum", "beta_1", "beta_2", "epsilon"}
    numbers |= {"history_size", "max_evaluations", "damping", "max_damping", "step_tol"}
    numbers |= {"method", "method_options"}
    here = {"resume", "checkpoint_seconds"}
    assert named | numbers | here >= set(train.__kwdefaults__)
