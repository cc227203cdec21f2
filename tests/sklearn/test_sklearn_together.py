"""Parameters of the estimator that change each other's meaning."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop.sklearn import BatchMLPRegressor

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 2))
Y = np.sin(X[:, 0]) + 0.1 * RNG.normal(size=60)
SMALL = {"alpha": 0.0, "hidden_size": 3, "solver": "gd", "random_state": 0, "max_iter": 40}
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_validation_data_switch_tol_off():
    """And n_iter_no_change is the patience."""
    given = {"X_val": X[:20] + 0.05, "y_val": Y[:20]}
    fits = [
        BatchMLPRegressor(**SMALL, tol=tol, n_iter_no_change=3).fit(X, Y, **given)
        for tol in (0.0, 0.9)
    ]
    assert fits[0].n_iter_ == fits[1].n_iter_ > 5
    np.testing.assert_array_equal(fits[0].network_.theta, fits[1].network_.theta)
    without = BatchMLPRegressor(**SMALL, tol=0.9, n_iter_no_change=3).fit(X, Y)
    assert (without.n_iter_, without.stop_reason_) == (3, "stagnation")
    noise = {"X_val": X[:20], "y_val": -100 * Y[:20]}
    noisy = BatchMLPRegressor(**SMALL, tol=0.0, n_iter_no_change=3).fit(X, Y, **noise)
    assert noisy.stop_reason_ == "patience"
    assert noisy.n_iter_ - noisy.best_iter_ == 3


def test_a_warm_start_has_one_start_whatever_n_init_says():
    model = BatchMLPRegressor(**SMALL, n_init=3, warm_start=True).fit(X, Y)
    assert model.start_losses_.size == 3
    reached = model.loss_
    model.fit(X + 0.001, Y)  # other data: from the network before
    assert model.start_losses_.size == 1
    assert model.loss_curve_[0] == pytest.approx(reached, rel=0.05)
    model.set_params(hidden_size=4).fit(X, Y)  # another size: from new starts
    assert model.start_losses_.size == 3
