"""Data that many networks share are looked at once, and never taken for others."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

from batchprop.training import options
from batchprop.training.dataset import Known


class Table(list):
    """A list that tells when it is gone."""


X, T = np.arange(12.0).reshape(2, 6), np.ones((1, 6)) * np.arange(6.0)
NOTHING = {"sample_weight": None, "X_val": None, "T_val": None, "resume": None}
START = options.start(None, 3, "tanh", 0, None)


def found(known, start=START, scaled=True, **given):
    return known.of(NOTHING | given, start, scaled, stacklevel=1)


def test_what_is_the_same_is_looked_at_once():
    known, weight = Known(X, T), np.arange(1.0, 7.0)
    assert found(known) is found(known)
    assert found(known, sample_weight=weight) is found(known, sample_weight=weight)
    assert found(known).data.X is found(known, sample_weight=weight).data.X


def test_what_differs_is_told_apart():
    known, weight = Known(X, T), np.arange(1.0, 7.0)
    plain, weighted = found(known), found(known, sample_weight=weight)
    assert plain.data.sample_weight is None
    np.testing.assert_array_equal(weighted.data.sample_weight, weight)
    assert plain.scaling.x_mean[0] != weighted.scaling.x_mean[0]
    assert set(weighted.samples) - set(plain.samples) == {"sample_weight"}
    assert found(known, scaled=False).scaling is None
    assert found(known).scaling is not None
    held_out = found(known, X_val=X + 1, T_val=T)
    np.testing.assert_array_equal(held_out.data.X_val, X + 1)
    assert set(held_out.samples) == {"X", "T", "X_val", "T_val"}


def test_a_table_beyond_a_networks_dtype_is_refused_for_that_network_alone():
    known = Known(X * 1e40, T)
    assert found(known, options.start(None, 3, "tanh", 0, "float64")).data.X is not None
    with pytest.raises(ValueError, match="^X must stay within"):
        found(known, options.start(None, 3, "tanh", 0, "float32"))


def test_what_was_looked_at_lives_as_long():
    """Else the next array could have its id, and be taken for it."""
    known, weight = Known(X, T), Table([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    X_val, T_val = Table(X.tolist()), Table(T.tolist())
    alive = [weakref.ref(one) for one in (weight, X_val, T_val)]
    found(known, sample_weight=weight, X_val=X_val, T_val=T_val)
    del weight, X_val, T_val
    gc.collect()
    assert all(one() is not None for one in alive)
