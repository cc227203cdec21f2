"""Warnings about networks that have learnt noise, and the calls that cause none."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest

from batchprop import train, train_many
from batchprop.result import AlphaReport, FitErrors
from batchprop.sklearn import BatchMLPRegressor
from batchprop.training import overfitting
from batchprop.vocabulary import COLUMNS
from tests.training.test_where_warnings_point import warned_at


def sample(n, noise, seed=0):
    """Return samples of a function of two of eight inputs."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(-1.0, 1.0, (8, n))
    return X, np.sin(2 * X[:1]) + X[1:2] + noise * rng.standard_normal((1, n))


X, T = sample(60, 1.0)
X_VAL, T_VAL = sample(60, 1.0, seed=1)
OPTIONS = "alpha=0.0, hidden_size=20, seed=1, X_val=X_val, T_val=T_val"
VALIDATION = {"X_val": X_VAL, "T_val": T_VAL}
LAST = {"alpha": 0.0, "hidden_size": 20, "max_epochs": 200}


def quiet(*arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return train(*arguments, **options)


def test_r2_far_above_that_of_the_validation_data():
    names = {"X": X, "T": T, "X_val": X_VAL, "T_val": T_VAL}
    for call in (f"train(X, T, {OPTIONS})", f"train_many(X, T, [{{}}], {OPTIONS})"):
        (text,) = warned_at(call, **names)
        assert text.startswith("R² is 0.")
        assert 'Use alpha="evidence"' in text


def test_each_network_of_train_many_warns():
    with pytest.warns(UserWarning, match="R² is") as caught:
        train_many(X, T, [{"seed": 1}, {"seed": 1}], **LAST | VALIDATION)
    assert len(caught) == 2


def test_the_estimator_warns_at_the_line_of_fit():
    model = BatchMLPRegressor(alpha=0.0, hidden_size=20, random_state=1, n_iter_no_change=10**6)
    with pytest.warns(UserWarning, match="R² is") as caught:
        model.fit(X.T, T[0], X_val=X_VAL.T, y_val=T_VAL[0])
    assert [warning.filename for warning in caught if "R² is" in str(warning.message)] == [__file__]


@pytest.mark.parametrize(
    "case",
    [
        {"patience": 5},  # stopped by it
        {"X_val": X_VAL[:, :19], "T_val": T_VAL[:, :19]},  # too few
        {"X_val": X, "T_val": T},  # no gap
        {"sample_weight_val": (np.arange(60) < 19).astype(float)},  # too few count
    ],
    ids=["patience", "few", "same", "weights"],
)
def test_no_warning_by_validation(case):
    quiet(X, T, **LAST | {"seed": 1} | VALIDATION | case)


def test_data_without_noise_cause_no_warning():
    X, T = sample(300, 0.0)
    X_val, T_val = sample(100, 0.0, seed=1)
    for options in ({"X_val": X_val, "T_val": T_val}, {}):
        for alpha in (0.0, "evidence"):
            result = quiet(X, T, alpha=alpha, hidden_size=10, max_epochs=300, **options)
            assert result.r2 > 0.98


def test_a_random_start_is_no_overfit():
    quiet(X, T, alpha=0.0, max_epochs=0, hidden_size=20, **VALIDATION)


def test_the_default_call_on_noise():
    quiet(X, T, alpha="evidence", max_epochs=2000, hidden_size=20)
    rng = np.random.default_rng(2)
    quiet(rng.normal(size=(5, 40)), rng.normal(size=(1, 40)), alpha="evidence", max_epochs=2000)


@pytest.mark.parametrize(
    ("rmse", "noise_std", "fires"),
    [(0.05, 0.5, True), (0.2, 0.5, False), (0.01, 0.2, False), (0.05, float("nan"), False)],
)
def test_errors_far_below_the_noise(rmse, noise_std, fires):
    result = train(X, T, alpha=0.0, hidden_size=4, max_epochs=2)
    report = AlphaReport((1.0,), (0.1,), 1, "evidence", noise_std=(0.5, noise_std), chosen=1.0)
    errors = FitErrors((0.4, rmse), (1.0, 1.0))
    changed = replace(result, alpha_report=report, training_errors=errors)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        overfitting.warn(None, changed, COLUMNS, stacklevel=1)
    assert len(caught) == fires
    for warning in caught:
        assert "noise of row 1 of T" in str(warning.message)
        assert f"RMSE {rmse:.3g}, noise {noise_std:.3g}" in str(warning.message)
        assert warning.filename == __file__
