"""Data that many networks share are looked at once, and never taken for others."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

from batchprop.training.dataset import DatasetBuilder
from batchprop.training.initial_network import InitialNetwork
from batchprop.training.options import TrainOptions


class Table(list):
    """A list that tells when it is gone."""


X, T = np.arange(12.0).reshape(2, 6), np.ones((1, 6)) * np.arange(6.0)


def built(builder, dtype=None, scaled=True, **options):
    network = InitialNetwork.of(TrainOptions(hidden_size=3, dtype=dtype))
    return builder.build(TrainOptions(**options), network, scaled, stacklevel=1)


def test_what_is_the_same_is_looked_at_once():
    builder, weight = DatasetBuilder(X, T), np.arange(1.0, 7.0)
    assert built(builder) is built(builder)
    assert built(builder, sample_weight=weight) is built(builder, sample_weight=weight)
    assert built(builder).X is built(builder, sample_weight=weight).X


def test_what_differs_is_told_apart():
    builder, weight = DatasetBuilder(X, T), np.arange(1.0, 7.0)
    plain, weighted = built(builder), built(builder, sample_weight=weight)
    assert plain.sample_weight is None
    np.testing.assert_array_equal(weighted.sample_weight, weight)
    assert plain.scaling.x_mean[0] != weighted.scaling.x_mean[0]
    assert set(weighted.fingerprints) - set(plain.fingerprints) == {"sample_weight"}
    assert built(builder, scaled=False).scaling is None
    tables = {"X_val": X, "T_val": T}
    assert built(builder, **tables).sample_weight_val is None
    assert built(builder, **tables, sample_weight_val=weight).sample_weight_val is not None
    assert built(builder).scaling is not None
    held_out = built(builder, X_val=X + 1, T_val=T)
    np.testing.assert_array_equal(held_out.X_val, X + 1)
    assert set(held_out.fingerprints) == {"X", "T", "X_val", "T_val"}


def test_a_table_beyond_a_networks_dtype_is_refused_for_that_network_alone():
    builder = DatasetBuilder(X * 1e40, T)
    assert built(builder, "float64").X is not None
    with pytest.raises(ValueError, match="^X must stay within"):
        built(builder, "float32")


def test_what_was_looked_at_lives_as_long():
    """Else the next array could have its id, and be taken for it."""
    builder, weight = DatasetBuilder(X, T), Table([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    X_val, T_val = Table(X.tolist()), Table(T.tolist())
    weight_val = Table(weight)
    alive = [weakref.ref(one) for one in (weight, X_val, T_val, weight_val)]
    built(builder, sample_weight=weight, X_val=X_val, T_val=T_val, sample_weight_val=weight_val)
    del weight, X_val, T_val, weight_val
    gc.collect()
    assert all(one() is not None for one in alive)


def test_an_engine_sees_training_and_validation_data_apart():
    weight = np.arange(1.0, 7.0)
    dataset = built(DatasetBuilder(X, T), sample_weight=weight, X_val=X + 1, T_val=T + 2)
    training, held_out = dataset.training, dataset.validation
    for array, expected in zip(training[:3], (X, T, weight), strict=True):
        np.testing.assert_array_equal(array, expected)
    np.testing.assert_array_equal(held_out.X, X + 1)
    np.testing.assert_array_equal(held_out.T, T + 2)
    assert held_out.sample_weight is None
    weighted = built(DatasetBuilder(X, T), X_val=X + 1, T_val=T + 2, sample_weight_val=weight[::-1])
    np.testing.assert_array_equal(weighted.validation.sample_weight, weight[::-1])
    assert weighted.training.sample_weight is None
    assert set(weighted.fingerprints) == {"X", "T", "X_val", "T_val", "sample_weight_val"}
    assert training.scaling is held_out.scaling is dataset.scaling
    assert training.scaling is not None
    assert built(DatasetBuilder(X, T)).validation is None


def test_the_total_weight_counts_samples_where_there_are_no_weights():
    builder = DatasetBuilder(X, T)
    assert built(builder).total_weight == built(builder).n_samples == 6
    assert built(builder, sample_weight=np.arange(1.0, 7.0)).total_weight == 21.0
