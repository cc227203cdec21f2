"""The estimator speaks of X and y with samples as rows, and points at the user's line."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from batchprop.sklearn import BatchMLPRegressor

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
Y = np.column_stack([np.sin(2 * X[:, 0]) + X[:, 1], X[:, 1] * X[:, 2]])
SMALL = {"alpha": 0.0, "hidden_size": 4, "max_iter": 20, "random_state": 0, "n_threads": 1}
# words of ``train`` that a user of the estimator has not heard
FOREIGN = re.compile(
    r"\bT\b|\bT_val\b|samples as rows|row \d|max_epochs|n_epochs_no_change|\bseed\b"
)


def with_entry(table, place, value):
    changed = table.copy()
    changed[place] = value
    return changed


def told(x=X, y=Y, fit=None, **options):
    """Fit; return the texts of all warnings, each of which points here."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        BatchMLPRegressor(**SMALL | options).fit(x, y, **fit or {})
    assert caught
    for one in caught:
        assert one.filename == __file__, one.filename
        assert not FOREIGN.search(str(one.message)), str(one.message)
    return " ".join(
        str(one.message) for one in caught if "Stopped by max_iter" not in str(one.message)
    )


NEARLY_CONSTANT = with_entry(X, np.s_[:, 1], 1.0 + np.finfo(float).eps * (np.arange(60) % 8))
CONSTANT = np.column_stack([Y[:, 0], np.full(60, 3.0)])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"x": NEARLY_CONSTANT}, "ignored (weight 0): column 1 of X"),
        ({"x": with_entry(NEARLY_CONSTANT, np.s_[:, 2], 7.0)}, "ignored (weight 0): column 1 of X"),
        ({"y": CONSTANT}, "column 1 of y"),
        ({"y": np.full(60, 2.0)}, ": y."),
        ({"x": X.astype("f4") + np.float32([0, 0, 1e6]), "y": Y}, "column 2 of X"),
        ({"x": X * [1, 1e6, 1], "solver": "gd", "activation": "identity", "scale": False},
         "column 1 of X reaches"),
        ({"y": 1e9 * Y[:, 0], "solver": "gd", "activation": "relu", "scale": False}, "y reaches"),
        ({"fit": {"X_val": with_entry(X, (4, 2), 1e200), "y_val": Y}, "activation": "relu"},
         "at X_val[4, 2]"),
        ({"fit": {"X_val": X, "y_val": with_entry(Y, (4, 1), 1e200)}}, "at y_val[4, 1]"),
        ({"y": Y[:, 0], "fit": {"X_val": X, "y_val": with_entry(Y[:, 0], 4, 1e200)}},
         "y_val reaches 1e+200 at y_val[4]"),
        ({"y": 1e200 * Y[:, 0]}, "Divide y by 1e"),
        ({"alpha": 1e300}, "alpha=1e+300"),
        ({"solver": "gd", "learning_rate": 1e-9, "max_iter": 300}, "variance of y left"),
    ],
)  # fmt: skip
def test_warnings(options, expected):
    assert expected in told(**options)


@pytest.mark.parametrize(
    ("options", "fit", "expected"),
    [
        ({}, {"X_val": X, "y_val": Y[:, 0]}, "^y_val must"),
        ({}, {"X_val": X, "y_val": np.hstack([Y, Y])}, "^y_val must have as many outputs as y"),
        ({}, {"X_val": X}, "^X_val and y_val must"),
        ({}, {"X_val": X[:, :2], "y_val": Y}, "^X_val must have as many columns as X; got 2 inst"),
        ({}, {"X_val": X, "y_val": Y[:7]}, "^y_val must have as many rows as X_val; got 7 inst"),
        ({}, {"X_val": with_entry(X, (4, 2), np.nan), "y_val": Y}, "X_val contains NaN"),
        ({}, {"X_val": X, "y_val": with_entry(Y, (4, 1), np.inf)}, "y_val contains infinity"),
        ({"max_iter": "AUTO"}, {}, "^max_iter must .*Did you mean 'auto'"),
        ({"n_iter_no_change": "Auto"}, {}, "^n_iter_no_change must .*Did you mean 'auto'"),
        ({"max_iter": np.ones(3)}, {}, "^max_iter must"),
        ({"hidden_size": 10**400}, {}, "^hidden_size must leave room"),
    ],
)
def test_errors(options, fit, expected):
    with pytest.raises((TypeError, ValueError), match=expected) as raised:
        BatchMLPRegressor(**SMALL | options).fit(X, Y, **fit)
    assert not FOREIGN.search(str(raised.value)), str(raised.value)


def test_targets_beyond_the_range_of_float32():
    with pytest.raises(ValueError, match="^y must stay within .* Scale y down"):
        BatchMLPRegressor(**SMALL).fit(X.astype("f4"), 1e100 * Y)
    held_out = {"X_val": X.astype("f4"), "y_val": 1e100 * Y}
    with pytest.raises(ValueError, match="^y_val must stay within .* Scale y_val down"):
        BatchMLPRegressor(**SMALL).fit(X.astype("f4"), Y, **held_out)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_a_column_with_one_value_is_usual(dtype):
    """A category that a fold does not have; rows of weight 0 do not count."""
    x = with_entry(X, np.s_[:, 1], 1.0).astype(dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ConvergenceWarning)
        BatchMLPRegressor(**SMALL).fit(x, Y)
        x[:10, 1] = 0.0
        BatchMLPRegressor(**SMALL).fit(x, Y, sample_weight=np.r_[np.zeros(10), np.ones(50)])


def test_few_rows_of_many_columns_are_what_they_are():
    x = RNG.normal(size=(3, 20))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ConvergenceWarning)
        BatchMLPRegressor(**SMALL).fit(x, x)


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        ({"max_iter": 5}, "Raise max_iter"),
        ({"max_iter": 5, "tol": 0}, "Raise max_iter"),
        ({"max_iter": 5, "tol": 0, "early_stopping": True}, "Raise max_iter"),
        ({"max_seconds": 1e-9}, "Raise max_seconds"),
        ({"max_seconds": 1e-9, "tol": 0}, "Raise max_seconds"),
        ({"solver_options": {"max_evaluations": 3}, "solver": "lbfgs"}, "Raise max_evaluations"),
        ({"solver_options": {"max_evaluations": 3}, "solver": "scipy"}, "Raise max_evaluations"),
        (
            {"solver": "scipy", "solver_options": {"method_options": {"maxiter": 2}}},
            "another method",
        ),
    ],
)
def test_every_limit_that_ends_a_fit_is_told(options, remedy):
    model = BatchMLPRegressor(**SMALL | {"max_iter": None} | options)
    with pytest.warns(ConvergenceWarning, match=remedy) as caught:
        model.fit(X, Y)
    assert [one.filename for one in caught] == [__file__]
    assert not model.converged_


def test_what_the_user_has_asked_for_is_not():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stopped = BatchMLPRegressor(**SMALL).fit(
            X, Y, callback=lambda progress: progress.epoch == 3
        )
        assert stopped.stop_reason_ == "callback"
        options = {"early_stopping": True, "max_iter": 5000, "n_iter_no_change": 5}
        early = BatchMLPRegressor(**SMALL | options).fit(X, Y)
        assert early.stop_reason_ == "patience"
        done = BatchMLPRegressor(**SMALL | {"max_iter": "auto"}).fit(X, 2 * X[:, 0])
        assert done.converged_


@pytest.mark.filterwarnings("ignore:Stopped by max_iter")
@pytest.mark.parametrize("best", [0, 1])
@pytest.mark.parametrize("pressed", [True, False])
def test_several_starts_are_interrupted_by_ctrl_c_alone(best, pressed):
    """Whichever start is the best; a callback that ends one of them ends the others, too."""

    def callback(progress):
        if progress.start == 1 - best and progress.epoch == 3:
            if pressed:
                raise KeyboardInterrupt
            return True
        return False

    model = BatchMLPRegressor(**SMALL | {"n_init": 2, "tol": 0})
    interrupted = False
    try:
        model.fit(X, Y, callback=callback)
    except KeyboardInterrupt:
        interrupted = True
    assert interrupted == pressed
    assert model.start_losses_.size == 2
