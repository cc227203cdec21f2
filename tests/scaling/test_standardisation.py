"""Which rows are scaled by what, which count as constant, and standardised copies."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop.scaling import Scaling

N = 4000


def normal(seed=0, n_samples=N):
    return np.random.default_rng(seed).normal(size=n_samples)


def of_row(row, weight=None):
    """Return mean and factor of one input."""
    row = np.asarray(row)[np.newaxis]
    scaling = Scaling.of(row, row, weight)
    np.testing.assert_array_equal(scaling.x_mean, scaling.t_mean)
    np.testing.assert_array_equal(scaling.x_factor, scaling.t_factor)
    np.testing.assert_array_equal(scaling.t_scale > 0, scaling.t_factor > 0)
    return float(scaling.x_mean[0]), float(scaling.x_factor[0])


def one_sample(value=1.0, at=17, base=0.0, dtype="f8", n_samples=N):
    row = np.full(n_samples, base, dtype)
    row[at] += value
    return row


SHARES = np.exp(np.random.default_rng(5).normal(size=(10, N)))

NOT_CONSTANT = {
    "plain": normal(),
    "tiny": 1e-8 * normal(),
    "tinier": 1e-300 * normal(),
    "huge": 1e8 * normal(),
    "huger": 1e150 * normal(),
    "offset": 1e8 + normal(),
    "large offset": 1e12 + normal(),
    "a second in nanoseconds since 1970": 1.7e18 + 1e9 * normal(),
    "float32 with an offset": (1e5 + normal()).astype("f4"),
    "one sample": one_sample(),
    "one sample in float32": one_sample(dtype="f4"),
    "one sample on an offset": one_sample(1.0, base=1000.0, dtype="f4", n_samples=3_000_000),
    "one huge sample": one_sample(1e30),
    "one tiny sample": one_sample(1e-30),
    "binary": (normal() > 0).astype(float),
    "integers": np.round(5 * normal()),
    "two samples": np.array([1.0, 2.0]),
    "parts in 1e12": 1.0 + 1e-12 * normal(),
    "steps of a tenth on 1e12": 1e12 + np.array([0.4, 0.3, 0.5]),
    "milliseconds in nanoseconds since 1970": 1.7e18 + 1e6 * normal(),
    "two ulps of float32": 1e6 + np.array([0.0625, 0.0, 0.125], "f4"),
}

CONSTANT = {
    "zeros": np.zeros(N),
    "a number that means round": np.full(N, 0.1),
    "a large number that means round": np.full(N, 1000.1),
    "float32": np.full(N, 0.1, "f4"),
    "one sample": np.array([3.0]),
    "shares that add up to 1": (SHARES / SHARES.sum(axis=0)).sum(axis=0),
    "a mean of equal numbers": np.full((7, N), 0.1).sum(axis=0) / 7,
    "rounding": 3e6 * (np.sin(normal()) ** 2 + np.cos(normal()) ** 2),
    "float32 that cannot tell": (1e8 + normal()).astype("f4"),
    "float64 that cannot tell": 1e16 + normal(),
    "subnormal": np.array([1e-310, 2e-310]),
}


@pytest.mark.parametrize("row", NOT_CONSTANT.values(), ids=NOT_CONSTANT)
def test_what_varies_gets_deviation_1(row):
    mean, factor = of_row(row)
    assert factor > 0
    scaled = (row.astype("f8") - mean) * factor
    np.testing.assert_allclose(scaled.std(), 1.0, rtol=1e-6)
    np.testing.assert_allclose(scaled.mean(), 0.0, atol=1e-3)


@pytest.mark.parametrize("row", CONSTANT.values(), ids=CONSTANT)
def test_what_does_not_vary_is_ignored(row):
    mean, factor = of_row(row)
    assert factor == 0
    assert row.min() <= mean <= row.max()


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("offset", [1.5, 1.999, 1e-20, 1e6, 9192631770.0, 1e12, 1e30])
@pytest.mark.parametrize("ulps", [0, 1, 2, 16, 17, 100])
def test_what_is_constant_is_judged_by_ulps(ulps, offset, sign, dtype):
    """The range decides: neither the order of samples, nor their number, nor their weights do."""
    low = np.array(offset, dtype)
    high = low + np.array(ulps, dtype) * np.spacing(low)
    row = sign * np.array([low, high, *[low] * 50], dtype)
    constant = ulps <= (16 if dtype == "f8" else 1)
    weight = np.linspace(0.5, 2, row.size)
    for order in (slice(None), slice(None, None, -1)):
        assert (of_row(row[order])[1] == 0) == constant
        assert (of_row(row[order], weight)[1] == 0) == constant
    weight[1] = 0.0
    assert of_row(row, weight) == (row[0], 0.0)


@pytest.mark.parametrize("value", [0.1, 1000.1, -1e300, 1e-310, 1 / 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_mean_of_equal_numbers_is_the_number(value, weighted):
    weight = np.abs(normal()) if weighted else None
    assert of_row(np.full(N, value), weight) == (value, 0.0)


def test_a_sample_of_weight_0_makes_no_variation():
    weight = np.ones(N)
    weight[[0, 17]] = 0.0
    row = one_sample(1e30, base=2.0)
    row[0] = -1e300
    assert of_row(row, weight) == (2.0, 0.0)
    assert of_row(row)[1] > 0


def test_columns_do_not_see_each_other():
    rows = np.array([row[:100] for row in (normal(1), 1e8 + normal(2), 1e-8 * normal(3))])
    rows = np.vstack([rows, np.full(100, 7.0), rows[0]])
    together = Scaling.of(rows, rows[:1])
    for j, row in enumerate(rows):
        mean, factor = of_row(row)
        np.testing.assert_allclose(together.x_mean[j], mean, rtol=1e-13, atol=1e-24)
        np.testing.assert_allclose(together.x_factor[j], factor, rtol=1e-13)
    assert together.x_factor[0] == together.x_factor[4]


def test_all_numbers_are_float64():
    X = normal().astype("f4")[np.newaxis]
    for scaling in (Scaling.of(X, X), Scaling.identity(1, 1)):
        assert {field.dtype for field in scaling} == {np.dtype("f8")}
        assert {field.shape for field in scaling} == {(1,)}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_apply_standardises(dtype):
    X = np.array([1e8 + normal(1), 1e-8 * normal(2), np.full(N, 3.3)])
    T = np.array([1e5 * normal(4)])
    scaled_X, scaled_T = Scaling.of(X, T).apply(X, T, dtype)
    assert scaled_X.dtype == scaled_T.dtype == dtype
    np.testing.assert_allclose(scaled_X[:2].std(axis=1, dtype="f8"), 1.0, rtol=1e-6)
    np.testing.assert_allclose(scaled_X.mean(axis=1, dtype="f8"), 0.0, atol=1e-7)
    np.testing.assert_allclose(scaled_T, (T - T.mean()) / T.std(), rtol=1e-3, atol=1e-6)
    assert not scaled_X[2].any()


def test_apply_leaves_samples_of_weight_0_out():
    X, T, weight = np.array([normal(1)]), np.array([normal(2)]), np.ones(N)
    weight[3], X[0, 3], T[0, 3] = 0.0, 1e300, 1e300
    for scaled in Scaling.of(X, T, weight).apply(X, T, "float32", weight):
        assert np.isfinite(scaled).all()
        assert scaled[0, 3] == 0
        assert np.count_nonzero(scaled) == N - 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_identity_changes_nothing(dtype):
    X, T = np.array([normal(1), normal(2)], dtype), np.array([normal(3)], dtype)
    for given, same in zip((X, T), Scaling.identity(2, 1).apply(X, T, dtype), strict=True):
        np.testing.assert_array_equal(given, same)
        assert same is not given


def test_the_loss_of_constant_targets_on_other_samples():
    """Each is predicted by its number; targets that vary have no part in it."""
    T = np.vstack([np.arange(6.0), np.full(6, 2.0), np.full(6, -1.0)])
    scaling = Scaling.of(np.arange(6.0)[np.newaxis], T)
    later = T + np.array([[9.0], [1.0], [0.0]]) * np.arange(6.0)
    weight = np.array([1.0, 0.0, 2.0, 0.0, 1.0, 5.0])
    assert scaling.constant_loss(T) == 0.0
    assert scaling.constant_loss(later) == pytest.approx(np.mean(np.arange(6.0) ** 2))
    expected = np.average(np.arange(6.0) ** 2, weights=weight)
    assert scaling.constant_loss(later, weight) == pytest.approx(expected)


@pytest.mark.parametrize("n_samples", [5, 300, 40_000])  # one block and several
@pytest.mark.parametrize("weighted", [False, True])
def test_the_loss_of_constant_targets_is_a_weighted_mean_of_squares(n_samples, weighted):
    rng = np.random.default_rng(n_samples)
    later = rng.normal(size=(4, n_samples))
    weight = None
    if weighted:
        weight = rng.integers(0, 4, n_samples).astype(float)
        weight[0], later[:, weight == 0] = 1.0, 1e9
    scaling = Scaling.identity(1, 4)._replace(
        t_mean=np.array([2.0, 7.0, -1e3, 0.0]), t_factor=np.array([0.0, 1.0, 0.0, 0.5])
    )
    squares = (later[::2] - scaling.t_mean[::2, np.newaxis]) ** 2
    expected = np.average(squares, axis=1, weights=weight).sum()
    assert scaling.constant_loss(later, weight) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("value", [0.1, -1e3, 1e200, 1e-200])
def test_constant_targets_that_stay_what_they_are_have_no_loss(value):
    T = np.full((1, 1000), value)
    scaling = Scaling.of(np.arange(1000.0)[np.newaxis], T)
    weight = np.random.default_rng(0).uniform(size=1000)
    assert scaling.constant_loss(T, weight) == scaling.constant_loss(T[:, :7]) == 0.0
