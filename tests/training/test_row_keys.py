"""Keys depend on what a row contains, and on the seed."""

from __future__ import annotations

import numpy as np

from batchprop.training.row_keys import row_keys


def test_equal_rows_have_equal_keys_and_others_have_not():
    X = np.random.default_rng(0).normal(size=(3, 1000))
    keys = row_keys(X, 5)
    assert np.unique(keys).size == 1000
    np.testing.assert_array_equal(row_keys(np.tile(X, 2), 5), np.tile(keys, 2))
    np.testing.assert_array_equal(row_keys(np.asfortranarray(X), 5), keys)
    assert not np.isin(keys, row_keys(X, 6)).any()
    assert not np.isin(keys, row_keys(X[::-1], 5)).any()


def test_zero_has_one_key_and_dtypes_agree():
    np.testing.assert_array_equal(*(row_keys([np.array([zero])], 0) for zero in (0.0, -0.0)))
    X = np.random.default_rng(0).normal(size=(2, 20)).astype("f4")
    np.testing.assert_array_equal(row_keys(X, 1), row_keys(X.astype("f8"), 1))
