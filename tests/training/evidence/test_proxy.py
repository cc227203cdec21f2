"""Which samples and which network a penalty is chosen by."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from batchprop import Network
from batchprop.scaling import Scaling
from batchprop.training.dataset import Dataset
from batchprop.training.evidence import proxy
from batchprop.training.evidence.proxy import proxy_of

RNG = np.random.default_rng(0)


def net(n_hidden):
    return Network.initialize(1, n_hidden, 1)  # only m and σ matter


def dataset(X, T, weight=None, scaled=True, validation=None):
    X_val, T_val = validation or (None, None)
    scaling = Scaling.of(X, T, weight) if scaled else None
    return Dataset(X, T, weight, X_val, T_val, scaling, {})


def made(e=3, n=100, s=1, **options):
    return dataset(RNG.normal(size=(e, n)), RNG.normal(size=(s, n)), **options)


def rows(samples):
    return {tuple(column) for column in samples.X.T}


def test_a_fifth_is_left_out_and_each_fold_is_another():
    data = made()
    folds = [proxy_of(data, net(50), 20, fold, 0) for fold in range(5)]
    assert [fold.left_out.X.shape[1] for fold in folds] == [20] * 5
    assert len(set().union(*(rows(fold.left_out) for fold in folds))) == 100
    for fold in folds:
        assert not rows(fold.fitted) & rows(fold.left_out)
        assert fold.shape == (3, 20, 1)


def test_samples_are_standardised_copies():
    data = made(scaled=True)
    fold = proxy_of(data, net(50), 20, 0, 0)
    X, T = data.scaling.apply(data.X, data.T, np.float64)
    assert rows(fold.fitted) | rows(fold.left_out) == {tuple(column) for column in X.T}
    assert set(fold.fitted.T[0]) <= set(T[0])


def test_repeated_samples_stay_together_and_equal_weights():
    X, T = RNG.normal(size=(2, 40)), RNG.normal(size=(1, 40))
    count = 1 + np.arange(40) % 3
    repeated = dataset(np.repeat(X, count, axis=1), np.repeat(T, count, axis=1))
    weighted = dataset(X, T, count.astype(float))
    folds = [proxy_of(data, net(5), 20, 1, 7) for data in (repeated, weighted)]
    np.testing.assert_allclose(
        sorted(set(folds[0].left_out.X[0].round(9))), sorted(folds[1].left_out.X[0].round(9))
    )
    assert folds[0].left_out.X.shape[1] == folds[1].left_out.sample_weight.sum()
    assert folds[0].n_hidden == folds[1].n_hidden


def test_a_weight_of_0_is_a_missing_sample():
    X, T = RNG.normal(size=(2, 40)), RNG.normal(size=(1, 40))
    weight = np.ones(40)
    weight[::3] = 0
    fold = proxy_of(dataset(X, T, weight), net(5), 20, 0, 0)
    without = proxy_of(dataset(X[:, weight > 0], T[:, weight > 0]), net(5), 20, 0, 0)
    np.testing.assert_allclose(fold.fitted.X, without.fitted.X, atol=1e-12)
    np.testing.assert_allclose(fold.left_out.T, without.left_out.T, atol=1e-12)


def test_another_seed_leaves_out_others():
    data = made()
    one, other = (proxy_of(data, net(5), 20, 0, seed) for seed in (0, 1))
    assert rows(one.left_out) != rows(other.left_out)


@pytest.mark.parametrize("n", [2, 5, 19])
def test_few_samples_are_all_fitted(n):
    fold = proxy_of(made(n=n), net(50), 20, 0, 0)
    assert (fold.fitted.X.shape[1], fold.left_out.X.shape[1]) == (n, 0)


def test_one_value_for_most_samples_leaves_none_out():
    X = np.zeros((1, 200))
    X[0, :20] = np.arange(20)
    assert (
        proxy_of(dataset(X, RNG.normal(size=(1, 200))), net(50), 20, 0, 0).fitted.X.shape[1] >= 100
    )


def test_constant_columns_take_no_part():
    X, T = RNG.normal(size=(3, 60)), RNG.normal(size=(2, 60))
    X[1] = T[0] = 4.0
    fold = proxy_of(dataset(X, T), net(50), 20, 0, 0)
    assert list(fold.inputs) == [0, 2]
    assert list(fold.outputs) == [1]
    assert fold.shape == (2, 20, 1)


def test_where_nothing_can_be_compared():
    X, T = RNG.normal(size=(3, 60)), RNG.normal(size=(1, 60))
    assert proxy_of(dataset(X, np.ones((1, 60))), net(50), 20, 0, 0) is None
    assert proxy_of(dataset(np.ones((3, 60)), T), net(50), 20, 0, 0) is None
    assert proxy_of(dataset(X[:, :1], T[:, :1]), net(50), 20, 0, 0) is None
    weight = np.zeros(60)
    weight[7] = 2.0
    assert proxy_of(dataset(X, T, weight, scaled=False), net(50), 20, 0, 0) is None


def test_validation_data_judge():
    X_val, T_val = RNG.normal(size=(3, 30)), RNG.normal(size=(1, 30))
    fold = proxy_of(made(validation=(X_val, T_val)), net(50), 20, 0, 0)
    assert (fold.fitted.X.shape[1], fold.left_out.X.shape[1]) == (100, 30)


def test_validation_samples_of_weight_0_do_not_judge(monkeypatch):
    monkeypatch.setattr(proxy, "MAX_SAMPLES", 100)
    X_val, T_val = RNG.normal(size=(3, 9000)), RNG.normal(size=(1, 9000))
    weight = np.zeros(9000)
    weight[7000:7004] = 1.0
    data = replace(made(validation=(X_val, T_val)), sample_weight_val=weight)
    fold = proxy_of(data, net(50), 20, 0, 0)
    np.testing.assert_array_equal(fold.left_out.sample_weight, np.ones(4))


def test_many_outputs_are_told_by_some():
    fold = proxy_of(made(s=300), net(50), 20, 0, 0)
    assert fold.outputs.size == proxy.MAX_OUTPUTS == fold.fitted.T.shape[0]
    assert len(set(fold.outputs)) == proxy.MAX_OUTPUTS
    other = proxy_of(made(s=300), net(50), 10, 1, 0)
    np.testing.assert_array_equal(fold.outputs, other.outputs)


def test_a_fifth_with_most_of_the_weight_is_not_left_out():
    X, T = RNG.normal(size=(2, 40)), RNG.normal(size=(1, 40))
    weight = np.ones(40)
    weight[7] = 100.0
    data = dataset(X, T, weight)
    folds = [proxy_of(data, net(5), 20, fold, 0) for fold in range(5)]
    assert sorted(fold.left_out.X.shape[1] for fold in folds) == [0, 8, 8, 8, 8]
    assert all(100.0 in fold.fitted.sample_weight for fold in folds)


def test_weights_that_are_no_counts_have_mean_1():
    X, T = RNG.normal(size=(2, 40)), RNG.normal(size=(1, 40))
    weight = np.concatenate((np.zeros(10), RNG.uniform(1e-5, 2e-5, 30)))
    fold = proxy_of(dataset(X, T, weight), net(5), 20, 0, 0)
    parts = fold.fitted.sample_weight, fold.left_out.sample_weight
    assert np.concatenate(parts).mean() == pytest.approx(1.0)
    counts = proxy_of(dataset(X, T, np.full(40, 3.0)), net(5), 20, 0, 0)
    assert set(counts.fitted.sample_weight) == {3.0}


def test_the_work_is_bounded():
    for e in (1, 8, 30, 120, 400):
        fold = proxy_of(made(e=e, n=6000), net(1000), 20, 0, 0)
        n = fold.fitted.X.shape[1]
        assert n <= proxy.MAX_SAMPLES
        assert fold.shape.n_parameters <= max(proxy.MAX_PARAMETERS, 2 * min(e, n) + 10)


def test_a_wide_table_is_rotated_and_nothing_is_lost():
    fold = proxy_of(made(e=200, n=40), net(50), 20, 0, 0)
    assert fold.rotated
    assert fold.fitted.X.shape == (32, 32)
    plain = proxy_of(made(e=30, n=40), net(50), 20, 0, 0)
    assert not plain.rotated
    X = RNG.normal(size=(50, 10))
    other = RNG.normal(size=(50, 4))
    parts = proxy._rotated(*(proxy.Samples(part, part[:1]) for part in (X, other)))
    np.testing.assert_allclose(parts[0].X.T @ parts[0].X, X.T @ X, atol=1e-6)
    np.testing.assert_allclose(parts[0].X.T @ parts[1].X, X.T @ other, atol=1e-6)


def test_float32_is_computed_in_float64():
    X, T = RNG.normal(size=(2, 50)).astype("f4"), RNG.normal(size=(1, 50)).astype("f4")
    fold = proxy_of(dataset(X, T), net(50), 20, 0, 0)
    assert fold.fitted.X.dtype == fold.fitted.T.dtype == np.float64
    assert Network.initialize(*fold.shape).shape == fold.shape


def test_minus_0_is_0():
    X = np.array([[0.0, -0.0, 1.0], [2.0, 2.0, 2.0]])
    keys = proxy._keys(X, np.random.default_rng(0))
    assert keys[0] == keys[1] != keys[2]
