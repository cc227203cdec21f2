"""Warnings name the line of the user's that called the package, no line before or after it."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from batchprop import train, train_many
from batchprop.files import atomic_file
from batchprop.training.result import Progress, TrainResult
from tests.problems import problem

CASE = problem(e=2, m=4, s=1, n_samples=30)
FLAT = np.vstack([CASE.X, np.ones(30)])


def warned_at(expression, **names):
    """Evaluate a call in a file of its own; return the warnings that name that file."""
    namespace = {"train": train, "train_many": train_many, "X": CASE.X, "T": CASE.T, **names}
    exec(compile(f"def call():\n    return {expression}", "users.py", "exec"), namespace)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        namespace["call"]()
    assert {(one.filename, one.lineno) for one in caught} == {("users.py", 2)}
    return [str(one.message) for one in caught]


def test_constant_columns():
    assert warned_at("train(X, T, max_epochs=1)", X=FLAT)
    assert warned_at("train_many(X, T, [{}], max_epochs=1)", X=FLAT)


def test_numbers_that_are_not_finite():
    rest = "solver='gd', learning_rate=1e200, scale=False, network=start"
    assert "became NaN" in warned_at(f"train(X, T, {rest})", start=CASE.network)[0]
    assert "became NaN" in warned_at(f"train_many(X, T, [{{}}], {rest})", start=CASE.network)[0]


def test_checkpoints_that_cannot_be_written(tmp_path, monkeypatch):
    def refused(*arguments):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(atomic_file, "write_arrays", refused)
    path = tmp_path / "run.npz"
    told = warned_at("train(X, T, max_epochs=1, n_threads=1, checkpoint=path)", path=path)
    assert "could not be written" in told[0]


def blamed(size, **options):
    """Return what a run that leaves the numbers says is the cause, where data are so large."""
    X, T = CASE.X / np.abs(CASE.X).max(), CASE.T / np.abs(CASE.T).max()
    X[1, 7] = -size
    options = {"solver": "gd", "scale": False, "learning_rate": 1e200, "hidden_size": 4} | options
    with pytest.warns(RuntimeWarning, match="Most likely cause") as caught:
        train(X, T, **{"alpha": 0.0} | options)
    return str(caught[0].message)


def test_data_beyond_30_are_to_blame_where_they_are_not_scaled():
    assert "learning_rate=1e+200" in blamed(29.9)
    assert "row 1 of X" in blamed(30.1)
    assert "reaches 30.1" in blamed(30.1)
    assert "learning_rate=1e+200" in blamed(1e3, scale=True)


def test_what_is_not_told_has_a_default():
    progress = Progress(3, 1.0, 0.5, 0.5, 0.1, 2.0)
    assert (progress.evaluations, progress.start) == (0, 0)
    assert np.isnan(progress.step)


def test_what_a_result_says():
    options = {"network": CASE.network, "solver": "gd", "learning_rate": 0.4, "scale": False}
    held_out = {"X_val": CASE.X[:, :5], "T_val": -CASE.T[:, :5]}
    result = train(CASE.X, CASE.T, max_epochs=9, **options, **{"alpha": 0.0} | held_out)
    assert isinstance(result, TrainResult)
    assert result.n_epochs == 9 > result.best_epoch
    text = repr(result)
    assert f"loss {result.loss:.6g}, validation loss {result.validation_loss:.6g}, " in text
    assert f"best of 9 epochs at {result.best_epoch}, stopped by 'max_epochs'" in text
