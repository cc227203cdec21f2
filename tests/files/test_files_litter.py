"""Beside a file of checkpoints only what its writers left is removed, no longer name."""

from __future__ import annotations

import os

from batchprop import train
from tests.problems import problem

CASE = problem(e=1, m=2, s=1, n_samples=6)


def test_names_that_only_begin_like_ours_stay(tmp_path):
    token = "0f" * 8
    kept = [f".run.npz.{token}.bak", f".run.npz.{token}0~", f"x.run.npz.{token}", "run.npz.old"]
    for name in kept:
        (tmp_path / name).write_text("mine")
    options = {"hidden_size": 2, "max_epochs": 1, "solver": "gd"}
    train(CASE.X, CASE.T, checkpoint=tmp_path / "run.npz", **{"alpha": 0.0} | options)
    assert sorted(os.listdir(tmp_path)) == sorted([*kept, "run.npz"])
    assert all((tmp_path / name).read_text() == "mine" for name in kept)
