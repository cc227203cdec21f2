"""The benchmark of many networks, on tiny settings."""

from __future__ import annotations

import json
import sys

import pytest

from benchmarks import many

OPTIONS = {"hidden_size": 3, "max_epochs": 2}


def test_all_ways_are_timed_and_come_to_the_same():
    told = []
    found = many.measured(40, 3, 2, 1, OPTIONS, told.append)
    assert (found["n_samples"], found["count"], found["threads"]) == (40, 3, 2)
    assert set(found["seconds"]) == set(many.WAYS)
    assert all(seconds > 0 for seconds in found["seconds"].values())
    assert len(told) == len(many.WAYS)


def test_other_networks_are_no_result(monkeypatch):
    losses_of = many.losses_of

    def wrong(way, *arguments):
        losses, seconds = losses_of("calls", *arguments)
        return [losses[0] * (1.01 if way == "one_thread" else 1.0), *losses[1:]], seconds

    monkeypatch.setattr(many, "losses_of", wrong)
    with pytest.raises(RuntimeError, match="one_thread came to other networks"):
        many.measured(40, 2, 2, 1, OPTIONS, lambda line: None)


def test_the_table_names_gains_and_losses():
    seconds = {"many": 2.0, "calls": 5.0, "one_thread": 4.0, "processes": 1.0}
    row = many.table([{"n_samples": 5000, "count": 64, "seconds": seconds}]).splitlines()[-1]
    assert row == (
        "| 5,000 | 64 | 2.00 s | 5.00 s | 4.00 s | **1.00 s** | 2.00× | 0.500× (slower) |"
    )


def test_the_program_writes_its_report(tmp_path, monkeypatch, capsys):
    words = "--counts 2 --samples 30 --threads 2 --repeats 1 --max-epochs 1 --output"
    monkeypatch.setattr(sys, "argv", ["many", *words.split(), str(tmp_path)])
    many.main()
    figures = json.loads((tmp_path / "many.json").read_text("utf-8"))
    assert figures["networks"][0]["count"] == 2
    assert figures["machine"]["cores"] >= 1
    text = (tmp_path / "many.md").read_text("utf-8")
    assert "| 30 | 2 |" in text
    assert text in capsys.readouterr().out
