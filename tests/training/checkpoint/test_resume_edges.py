"""Runs that go on by nothing, with another rule, or beside constant columns; the progress line."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from batchprop import train
from batchprop.solvers.settings import RESUMABLE
from tests.problems import problem

CASE = problem(e=2, m=4, s=1, n_samples=30)
PLAIN = {"alpha": 0.0, "network": CASE.network, "tol": None, "gradient_tol": None, "max_epochs": 5}


def ran(solver, **options):
    return train(CASE.X, CASE.T, **(PLAIN | {"solver": solver} | options))


@pytest.mark.parametrize("solver", RESUMABLE)
def test_no_further_epochs_still_follow_the_rules_of_the_call(solver):
    before = ran(solver)
    same = train(CASE.X, CASE.T, resume=before, max_epochs=0)
    assert (same.stop_reason, same.n_epochs) == ("max_epochs", 5)
    other = train(CASE.X, CASE.T, resume=before, max_epochs=0, target_loss=1e9)
    assert (other.stop_reason, other.n_epochs) == ("target_loss", 5)
    np.testing.assert_array_equal(other.network.theta, before.network.theta)


@pytest.mark.parametrize("solver", RESUMABLE)
def test_a_run_that_its_callback_stopped_goes_on_by_nothing(solver):
    before = ran(solver, callback=lambda progress: progress.epoch == 3)
    assert (before.stop_reason, before.n_epochs) == ("callback", 3)
    same = train(CASE.X, CASE.T, resume=before, max_epochs=0)
    assert (same.stop_reason, same.n_epochs) == ("max_epochs", 3)
    np.testing.assert_array_equal(same.last_network.theta, before.last_network.theta)
    further = train(CASE.X, CASE.T, resume=same, max_epochs=2)
    whole = ran(solver)
    np.testing.assert_array_equal(further.last_network.theta, whole.last_network.theta)
    assert further.n_evaluations == whole.n_evaluations


def test_what_was_said_of_constant_columns_is_not_said_again():
    X = np.vstack([CASE.X, np.ones(30)])
    with pytest.warns(UserWarning, match="Constant"):
        before = train(X, CASE.T, hidden_size=3, max_epochs=2, alpha=0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train(X, CASE.T, resume=before, max_epochs=2)


def test_the_scaling_is_that_of_the_run_before():
    """Also where it was none: a run on raw units stays one."""
    for scale in (True, False):
        before = ran("lbfgs", scale=scale)
        further = train(CASE.X, CASE.T, resume=before, max_epochs=1)
        assert (further.checkpoint.scaling is None) == (not scale)
        whole = ran("lbfgs", scale=scale, max_epochs=6)
        np.testing.assert_array_equal(further.network.theta, whole.network.theta)


def test_the_progress_line_counts_on(capsys):
    before = ran("gd")
    train(CASE.X, CASE.T, resume=before, max_epochs=7, progress=True)
    lines = capsys.readouterr().err.splitlines()
    assert " 12/12  " in lines[-1]
