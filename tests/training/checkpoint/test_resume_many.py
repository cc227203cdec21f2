"""Checkpoints of several starts and of many networks side by side."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop import Checkpoint, train, train_many
from tests.problems import problem
from tests.resumed import assert_same_run

CASE = problem(e=2, m=4, s=1, n_samples=30)
CONFIGURATIONS = [
    {"seed": 1, "solver": "adam"},
    {"seed": 2, "alpha": 0.5, "hidden_size": 6},
    {"seed": 3, "sample_weight": np.arange(30) % 3, "scale": False},
]


def trained(**options):
    return train(CASE.X, CASE.T, **({"alpha": 0.0, "hidden_size": 4, "max_epochs": 20} | options))


def own_data(configuration):
    return {name: value for name, value in configuration.items() if name == "sample_weight"}


def test_the_best_of_several_starts_goes_on():
    first = trained(n_init=4, max_epochs=8)
    for k, start in enumerate(first.starts):
        second = train(CASE.X, CASE.T, resume=start, max_epochs=12)
        assert_same_run(second, trained(seed=k))
    best = int(np.argmin([start.selection_score for start in first.starts]))
    assert_same_run(train(CASE.X, CASE.T, resume=first, max_epochs=12), trained(seed=best))


def test_many_networks_go_on_from_their_files(tmp_path):
    named = [own | {"checkpoint": tmp_path / f"{k}.npz"} for k, own in enumerate(CONFIGURATIONS)]
    first = [{"hidden_size": 4} | own for own in named]
    train_many(CASE.X, CASE.T, first, max_epochs=8, n_threads=2, alpha=0.0)
    again = [
        {"resume": own["checkpoint"], "checkpoint": own["checkpoint"]} | own_data(own)
        for own in named
    ]
    results = train_many(CASE.X, CASE.T, again, max_epochs=12, n_threads=2)
    for own, result in zip(named, results, strict=True):
        alone = {name: value for name, value in own.items() if name != "checkpoint"}
        assert_same_run(result, trained(**alone))
        assert Checkpoint.load(own["checkpoint"]).n_epochs == 20


def test_two_networks_cannot_share_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own = [{"checkpoint": "run"}, {}, {"checkpoint": tmp_path / "run"}]
    with pytest.raises(ValueError, match=r"that of configurations\[0\], too") as told:
        train_many(CASE.X, CASE.T, own, alpha=0.0)
    assert told.value.__notes__ == ["in configurations[2]"]
    with pytest.raises(ValueError, match="^checkpoint must be a file of its own"):
        train_many(CASE.X, CASE.T, [{}, {}], checkpoint="run", alpha=0.0)
