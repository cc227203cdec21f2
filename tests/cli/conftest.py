"""The fixture that runs command lines."""

from __future__ import annotations

import pytest

from tests.cli.command_lines import FAST, Runner


@pytest.fixture
def run(tmp_path, capsys, monkeypatch):
    return Runner(tmp_path, capsys, monkeypatch)


@pytest.fixture
def model(run):
    """A model of y and z from a, b and the categories kind, in model.npz; its table."""
    table = run.table()
    outcome = run(
        *("train", table, "--target", "y", "--target", "z", "--categorical", "kind"),
        *("-o", "model.npz", *FAST),
    )
    assert outcome.code == 0, outcome.err
    return table
