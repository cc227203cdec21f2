"""Early stopping in the estimator: which rows it sets aside, and which it does not look at."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop.sklearn import BatchMLPRegressor
from batchprop.sklearn.training_data import hold_out

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
OPTIONS = {
    "hidden_size": 6, "early_stopping": True, "max_iter": 40, "n_iter_no_change": 10,
    "n_threads": 1,
}  # fmt: skip


def table(rng, n):
    x = rng.uniform(-2, 2, (n, 2))
    return x, np.sin(2 * x[:, 0]) + 0.3 * x[:, 1]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_rows_of_weight_0_are_missing_to_the_bit(seed, solver):
    rng = np.random.default_rng(seed)
    x, y = table(rng, int(rng.integers(20, 80)))
    weight = rng.uniform(0.5, 2.0, len(y))
    missing = rng.random(len(y)) < 0.4
    weight[missing] = 0.0
    y[missing] = rng.normal(scale=50.0, size=missing.sum())  # rubbish, were it looked at
    options = OPTIONS | {
        "random_state": seed, "solver": solver, "validation_fraction": rng.uniform(0.1, 0.6),
    }  # fmt: skip
    model = BatchMLPRegressor(**options).fit(x, y, weight)
    without = BatchMLPRegressor(**options).fit(x[~missing], y[~missing], weight[~missing])
    np.testing.assert_array_equal(model.network_.theta, without.network_.theta)
    np.testing.assert_array_equal(model.validation_loss_curve_, without.validation_loss_curve_)


def test_they_do_not_steer_it():
    rng = np.random.default_rng(0)
    x, y = table(rng, 300)
    weight = np.ones(300)
    weight[100:], y[100:] = 0.0, -20.0
    model = BatchMLPRegressor(**OPTIONS | {"max_iter": 500, "random_state": 0}).fit(x, y, weight)
    assert model.score(x[:100], y[:100]) > 0.95


@pytest.mark.parametrize("n_present", [2, 3, 5, 17])
@pytest.mark.parametrize("share", [0.01, 0.3, 0.49])
def test_a_positive_weight_is_left_on_both_sides(n_present, share):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        x, y = table(rng, 40)
        weight = np.zeros(40)
        present = rng.choice(40, n_present, replace=False)
        weight[present] = 10.0 ** rng.uniform(-200, 200, n_present)
        made = hold_out(share, x, y[:, None], weight, np.random.RandomState(seed))
        assert (made.sample_weight > 0).all()
        assert made.X.shape[1] + made.X_val.shape[1] == n_present
        assert made.X.shape[1] > 0 < made.X_val.shape[1]


@pytest.mark.parametrize(
    ("n", "share", "weighted"), [(1, 0.1, False), (2, 0.9, False), (9, 0.95, True), (1, 0.5, True)]
)
def test_a_split_that_leaves_nothing_to_train_on_is_refused(n, share, weighted):
    x, y = table(np.random.default_rng(0), n + 5 if weighted else n)
    weight = np.r_[np.ones(n), np.zeros(5)] if weighted else None
    model = BatchMLPRegressor(**OPTIONS | {"validation_fraction": share})
    with pytest.raises(ValueError, match=r"^early_stopping must .*; got"):
        model.fit(x, y, weight)


def test_no_row_at_all():
    x, y = table(np.random.default_rng(0), 12)
    with pytest.raises(ValueError, match="non-zero|positive sum"):
        BatchMLPRegressor(**OPTIONS).fit(x, y, np.zeros(12))
