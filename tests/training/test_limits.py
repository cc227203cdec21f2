"""Warnings about limits that ended a run too early."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from batchprop import train, train_many
from batchprop.sklearn import BatchMLPRegressor
from batchprop.solvers import settings
from batchprop.training import option_checks
from tests.problems import problem
from tests.training.test_where_warnings_point import warned_at

CASE = problem(e=2, m=4, s=1, n_samples=30)
COMMON = {"hidden_size": 4, "alpha": 0.0}


@pytest.fixture
def short_limits(monkeypatch):
    """Make every solver's own limit 3 steps."""
    limits = {name: limit._replace(max_epochs=3) for name, limit in settings.LIMITS.items()}
    monkeypatch.setattr(option_checks, "LIMITS", limits)


@pytest.mark.parametrize("solver", ["lm", "lbfgs", "gd", "adam", "scipy"])
def test_the_solvers_own_limit(solver, short_limits):
    options = f"solver={solver!r}, hidden_size=4, alpha=0.0"
    for call in (f"train(X, T, {options})", f"train_many(X, T, [{{}}], {options})"):
        (text,) = warned_at(call)
        assert f"after 3 epochs, the limit of solver='{solver}' by default" in text
        assert ("leave out solver" in text) == (solver in settings.FIRST_ORDER)


@pytest.mark.parametrize("max_epochs", [3, 0, None])
def test_a_limit_of_the_user_is_no_surprise(max_epochs, short_limits):
    options = {"max_epochs": max_epochs} | ({"target_loss": 1e9} if max_epochs is None else {})
    train(CASE.X, CASE.T, **COMMON | options)
    train_many(CASE.X, CASE.T, [options], **COMMON)


def test_resuming_to_the_solvers_own_limit(short_limits):
    first = train(CASE.X, CASE.T, max_epochs=3, **COMMON)
    with pytest.warns(UserWarning, match="after 6 epochs"):
        train(CASE.X, CASE.T, resume=first)


def test_a_best_network_of_long_ago(short_limits):
    """The validation loss only rises: more epochs would change nothing."""
    opposite = CASE.T.mean() - 9 * (CASE.T - CASE.T.mean())
    held_out = {"X_val": CASE.X[:, :19], "T_val": opposite[:, :19]}  # too few for another warning
    start = train(CASE.X, CASE.T, max_epochs=9, **COMMON).network
    options = {"solver": "gd", "learning_rate": 1e-3, "network": start, "alpha": 0.0}
    result = train(CASE.X, CASE.T, **options | held_out)
    assert (result.n_epochs, result.best_epoch) == (3, 0)
    held_out = {"X_val": CASE.X, "T_val": CASE.T}
    with pytest.warns(UserWarning, match="after 3 epochs"):
        train(CASE.X, CASE.T, solver="gd", learning_rate=1e-3, **COMMON | held_out)


def test_evaluations():
    (text,) = warned_at("train(X, T, solver='lbfgs', alpha=0.0, max_evaluations=5)")
    assert "Stopped by 'max_evaluations' after" in text
    assert "Raise max_evaluations" in text


def test_the_time_is_up_before_the_first_step():
    for alpha in (0.0, "'evidence'", "'cv'"):
        (text,) = warned_at(f"train(X, T, alpha={alpha}, max_seconds=1e-9)")
        assert "the network is the start and has learnt nothing. Raise max_seconds" in text
    assert warned_at("train_many(X, T, [{}], alpha=0.0, max_seconds=1e-9)") == [text]


def test_some_steps_before_the_time_is_up():
    case = problem(e=10, m=40, s=1, n_samples=3000)
    options = {"solver": "gd", "max_epochs": None, "gradient_tol": None, "tol": None}
    result = train(case.X, case.T, max_seconds=0.5, **options)
    assert (result.stop_reason, result.n_epochs > 0) == ("max_seconds", True)


def test_the_estimator_warns_once():
    model = BatchMLPRegressor(alpha=0.0, hidden_size=4, max_seconds=1e-9)
    with pytest.warns(ConvergenceWarning, match="has learnt nothing") as caught:
        model.fit(CASE.X.T, CASE.T[0])
    assert len(caught) == 1


def test_the_estimators_own_limit_is_told_once(short_limits):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        BatchMLPRegressor(alpha=0.0, hidden_size=4).fit(CASE.X.T, CASE.T[0])
    assert [warning.category for warning in caught] == [ConvergenceWarning]
    assert "max_iter" in str(caught[0].message)


def test_validation_loss_that_is_nan_is_no_reason_to_keep_silent():
    """Nothing was evaluated: there is no best epoch."""
    big = problem(e=2, m=2, s=1, n_samples=60_000)
    held_out = {"X_val": big.X[:, :50], "T_val": big.T[:, :50]}
    with pytest.warns(UserWarning, match="has learnt nothing"):
        result = train(big.X, big.T, alpha=0.0, max_seconds=1e-9, hidden_size=3000, **held_out)
    assert np.isnan(result.validation_loss)
    assert "nan" not in str(result).lower()
