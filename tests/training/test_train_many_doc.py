"""The page about many networks: its code runs, and does what the page says."""

from __future__ import annotations

from tests.project import ROOT
from tests.test_documented import fences

PAGE = ROOT / "docs" / "many.md"


def test_the_code_runs(capsys):
    names = {}
    for code in fences(PAGE, {"python"}):
        exec(compile(code, PAGE, "exec"), names)
    assert len(names["best"].starts) == 8
    assert len(names["results"]) == 20
    errors = names["errors"]
    assert 0.005 < min(errors.values()) < max(errors.values())  # the noise is 0.01
    assert names["network"].shape == (3, 20, 1)
    assert "seed 7: loss" in capsys.readouterr().out
