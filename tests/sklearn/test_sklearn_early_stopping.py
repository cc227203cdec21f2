"""Early stopping in the estimator: which rows it sets aside, and which it does not look at."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.utils.estimator_checks import check_sample_weight_equivalence_on_dense_data

from batchprop.sklearn import BatchMLPRegressor
from batchprop.sklearn.hold_out import hold_out
from batchprop.sklearn.training_data import Samples

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
OPTIONS = {"alpha": 0.0,
    "hidden_size": 6, "early_stopping": True, "max_iter": 40, "n_iter_no_change": 10,
    "n_threads": 1,
}  # fmt: skip


def table(rng, n):
    x = rng.uniform(-2, 2, (n, 2))
    return x, np.sin(2 * x[:, 0]) + 0.3 * x[:, 1]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
@pytest.mark.filterwarnings("ignore:R² is")
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
    model = BatchMLPRegressor(**{"alpha": 0.0} | options).fit(x, y, weight)
    without = BatchMLPRegressor(**{"alpha": 0.0} | options).fit(
        x[~missing], y[~missing], weight[~missing]
    )
    np.testing.assert_array_equal(model.network_.theta, without.network_.theta)
    np.testing.assert_array_equal(model.validation_loss_curve_, without.validation_loss_curve_)


def test_they_do_not_steer_it():
    rng = np.random.default_rng(0)
    x, y = table(rng, 300)
    weight = np.ones(300)
    weight[100:], y[100:] = 0.0, -20.0
    model = BatchMLPRegressor(**OPTIONS | {"max_iter": 500, "random_state": 0}).fit(x, y, weight)
    assert model.score(x[:100], y[:100]) > 0.95


@pytest.mark.parametrize("n_present", [3, 4, 5, 17])
@pytest.mark.parametrize("share", [0.01, 0.3, 0.49])
def test_a_positive_weight_is_left_on_both_sides(n_present, share):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        x, y = table(rng, 40)
        weight = np.zeros(40)
        present = rng.choice(40, n_present, replace=False)
        weight[present] = 10.0 ** rng.uniform(-200, 200, n_present)
        samples = Samples(x.T, y[np.newaxis], weight)
        made = hold_out(samples, share, np.random.RandomState(seed))
        assert (made.sample_weight > 0).all()
        assert (made.sample_weight_val > 0).all()
        assert made.X.shape[1] + made.X_val.shape[1] == n_present
        assert made.X.shape[1] >= 1
        assert made.X_val.shape[1] >= 2


@pytest.mark.parametrize("n_samples", [1, 2])
@pytest.mark.parametrize("weighted", [False, True])
def test_too_few_rows_to_split(weighted, n_samples):
    x, y = table(np.random.default_rng(0), 6 if weighted else n_samples)
    weight = np.eye(6)[:n_samples].sum(axis=0) if weighted else None
    kind = " of positive weight" if weighted else ""
    expected = rf"^early_stopping must have at least 3 samples{kind}, .*; got {n_samples} sample"
    with pytest.raises(ValueError, match=expected):
        BatchMLPRegressor(**OPTIONS).fit(x, y, weight)


@pytest.mark.parametrize("weight", [None, np.ones(10)])
def test_a_small_fraction_holds_out_two_different_rows(weight):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(10, 2)), rng.normal(size=(10, 1))
    assert split(x, y, weight, 0.1).X_val.shape[1] == 2
    x[:6], y[:6] = x[0], y[0]
    held_out = split(x, y, weight, 0.01)
    assert len({tuple(row) for row in held_out.X_val.T}) == 2
    x[:], y[:] = x[0], y[0]
    x[5:] += 1.0
    assert split(x, y, weight, 0.1).X_val.shape[1] == 5  # all rows of one of two different ones


def test_no_row_at_all():
    x, y = table(np.random.default_rng(0), 12)
    with pytest.raises(ValueError, match="non-zero|positive sum"):
        BatchMLPRegressor(**OPTIONS).fit(x, y, np.zeros(12))


def split(x, y, weight=None, share=0.3, seed=0):
    return hold_out(Samples(x.T, y.T, weight), share, np.random.RandomState(seed))


def rows_of(samples):
    """Return the rows (x, y) of both sides, once for each unit of weight, in sorted order."""
    sides = (samples.X, samples.T, samples.sample_weight), samples[3:]
    for X, T, weight in sides:
        count = np.ones(X.shape[1], int) if weight is None else weight.astype(int)
        yield sorted(map(tuple, np.repeat(np.vstack([X, T]).T, count, axis=0)))


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_weight_of_2_is_held_out_as_two_equal_rows_are(seed, dtype):
    rng = np.random.default_rng(seed)
    n, share = int(rng.integers(5, 60)), rng.uniform(0.05, 0.9)
    x, y = rng.normal(size=(n, 3)).astype(dtype), rng.normal(size=(n, 2))
    weight = rng.integers(0, 4, n)
    weight[:2] = 1
    order = rng.permutation(weight.sum())
    repeated = split(*(np.repeat(a, weight, axis=0)[order] for a in (x, y)), None, share, seed)
    weighted = split(x, y, weight.astype(float), share, seed)
    for rows, expected in zip(rows_of(weighted), rows_of(repeated), strict=True):
        assert rows == expected


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.9])
def test_how_much_is_held_out(share):
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(200, 2)), rng.normal(size=(200, 1))
    assert split(x, y, None, share).X_val.shape[1] == round(200 * share)
    weight = rng.uniform(0.5, 1.5, 200)
    held_out = split(x, y, weight, share)
    total = held_out.sample_weight_val.sum()
    assert 0 <= total - share * weight.sum() < 1.5  # one sample at most beyond the fraction
    assert total + held_out.sample_weight.sum() == pytest.approx(weight.sum())


def test_the_seed_decides_which():
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(400, 1)), rng.normal(size=(400, 1))
    counts = sum(np.isin(x[:, 0], split(x, y, None, 0.25, seed).X_val).astype(int)
                 for seed in range(200))  # fmt: skip
    # binomial of 200 and 1/4: a mean of 50, a standard deviation of 6.1
    assert counts.mean() == pytest.approx(50)
    assert counts.std() == pytest.approx(6.1, rel=0.2)
    assert 20 < counts.min() < counts.max() < 80


@pytest.mark.parametrize("values", [np.arange(300.0), np.r_[np.zeros(150), np.ones(150)]])
def test_plain_values_are_mixed_as_well(values):
    """Keys of numbers that share most of their bits are spread evenly."""
    x = np.column_stack([values, np.arange(300.0)])
    held_out = split(x, np.zeros((300, 1)), None, 0.5)
    assert held_out.X_val[1].mean() == pytest.approx(149.5, abs=25)  # 5 standard errors


def test_equal_rows_are_on_one_side():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(20, 2)), rng.normal(size=(20, 1))
    x[0, 0], twin = 0.0, x.copy()
    twin[0, 0] = -0.0
    held_out = split(np.vstack([x, twin]), np.vstack([y, y]), None, 0.3)
    sides = [{tuple(row) for row in X.T} for X in (held_out.X, held_out.X_val)]
    assert not sides[0] & sides[1]
    assert held_out.X_val.shape[1] == 12


def test_rows_that_are_all_equal_are_split_as_they_come():
    held_out = split(np.ones((10, 2)), np.ones((10, 1)), None, 0.3)
    assert (held_out.X.shape, held_out.X_val.shape) == ((2, 7), (2, 3))
    assert held_out.sample_weight is held_out.sample_weight_val is None


def test_weights_count_in_the_validation_loss():
    rng = np.random.default_rng(4)
    x, y = table(rng, 60)
    weight = rng.uniform(0.1, 3.0, 60)
    model = BatchMLPRegressor(**OPTIONS, random_state=0).fit(x, y, weight)
    held_out = split(x, y[:, None], weight, 0.1)
    R = model.network_.predict(held_out.X_val) - held_out.T_val
    expected = np.average(R[0] ** 2, weights=held_out.sample_weight_val)
    assert model.validation_loss_curve_.min() == pytest.approx(expected, rel=1e-9)


def test_next_to_no_weight_steers_next_to_nothing():
    rng = np.random.default_rng(0)
    x, y = table(rng, 300)
    weight = np.ones(300)
    weight[100:], y[100:] = 1e-9, -20.0
    model = BatchMLPRegressor(**OPTIONS | {"max_iter": 500, "random_state": 0}).fit(x, y, weight)
    assert model.score(x[:100], y[:100]) > 0.95


@pytest.mark.filterwarnings("ignore:R² is")
def test_weights_of_the_users_validation_data():
    rng = np.random.default_rng(5)
    x, y = table(rng, 60)
    X_val, y_val = table(rng, 30)
    weight = rng.integers(0, 3, 30)
    y_val[weight == 0] = 100.0
    options = OPTIONS | {"early_stopping": False, "random_state": 0, "alpha": 0.1}
    weighted = BatchMLPRegressor(**{"alpha": 0.0} | options).fit(
        x, y, X_val=X_val, y_val=y_val, sample_weight_val=weight
    )
    repeated = BatchMLPRegressor(**{"alpha": 0.0} | options).fit(
        x, y, X_val=np.repeat(X_val, weight, axis=0), y_val=np.repeat(y_val, weight)
    )
    np.testing.assert_allclose(
        weighted.validation_loss_curve_, repeated.validation_loss_curve_, rtol=1e-9
    )
    model = BatchMLPRegressor(
        **{"alpha": 0.0} | options | {"warm_start": True, "max_iter": 5, "solver": "lbfgs"}
    )
    for _ in range(2):  # a list is an array, for a warm start as well
        model.fit(x, y, X_val=X_val, y_val=y_val, sample_weight_val=weight.tolist())
    assert model.n_iter_ == 10
    model.fit(x, y, X_val=X_val, y_val=y_val, sample_weight_val=weight + 1)
    assert model.n_iter_ == 5  # other weights begin another run
    with pytest.raises(ValueError, match=r"^sample_weight_val must have shape \(30,\)"):
        model.fit(x, y, X_val=X_val, y_val=y_val, sample_weight_val=weight[:9])
    for early_stopping in (False, True):
        model = BatchMLPRegressor(**{"alpha": 0.0} | options | {"early_stopping": early_stopping})
        with pytest.raises(ValueError, match="^sample_weight_val must come with validation data"):
            model.fit(x, y, sample_weight_val=weight)


@pytest.mark.parametrize("solver", ["lbfgs", "lm", "adam"])
@pytest.mark.parametrize("alpha", [0.0, 0.1, "evidence"])
def test_scikit_learns_check_of_weights(solver, alpha):
    model = BatchMLPRegressor(
        early_stopping=True, solver=solver, alpha=alpha, max_iter=60, random_state=0
    )
    check_sample_weight_equivalence_on_dense_data("BatchMLPRegressor", model)


def test_scikit_learns_check_of_weights_without_validation():
    model = BatchMLPRegressor(alpha="evidence", max_iter=60, random_state=0)
    check_sample_weight_equivalence_on_dense_data("BatchMLPRegressor", model)
