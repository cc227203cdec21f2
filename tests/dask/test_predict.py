"""Lazy predictions."""

from __future__ import annotations

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest

from batchprop import Network
from batchprop.dask import predict

X = np.random.default_rng(0).standard_normal((50, 3))


def network(dtype="float64"):
    return Network.initialize(3, 4, 2, seed=1, dtype=dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("chunks", [(20, 3), (7, 2), (50, 3)])
def test_arrays_are_predicted_chunk_by_chunk(chunks, dtype):
    table = da.from_array(X.astype(dtype), chunks=chunks)
    Y = predict(network(dtype), table)
    assert Y.dtype == dtype
    assert Y.chunks == (table.chunks[0], (2,))
    computed = Y.compute(scheduler="synchronous")
    assert computed.dtype == dtype
    assert np.array_equal(computed.T, network(dtype).predict(X.astype(dtype).T))


def test_frames_keep_index_and_partitions():
    frame = pd.DataFrame(X, index=np.random.default_rng(1).permutation(50), columns=list("abc"))
    table = dd.from_pandas(frame, npartitions=4, sort=False)
    Y = predict(network(), table)
    assert Y.npartitions == table.npartitions
    computed = Y.compute(scheduler="synchronous")
    assert list(computed.columns) == [0, 1] == list(Y.columns)
    assert computed.index.equals(frame.index)
    assert np.array_equal(computed.to_numpy().T, network().predict(X.T))


def test_unknown_and_empty_chunks():
    table = da.from_array(X, chunks=(10, 3))
    chosen = table[(table[:, 0] > 10.0) | (da.arange(50, chunks=10) < 15)]
    computed = predict(network(), chosen).compute(scheduler="synchronous")
    assert np.array_equal(computed.T, network().predict(X[:15].T))


def test_nothing_is_computed_before_it_is_asked_for():
    def fail():
        raise AssertionError("computed")

    table = da.from_delayed(dask.delayed(fail)(), (50, 3), float)
    assert predict(network(), table).shape == (50, 2)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((network(), X), "call network.predict"),
        ((network(), da.from_array(X[:, 0])), "a dask array of 1 dimensions"),
        ((network(), da.from_array(X[:, :2])), "X must have 3 columns.*got 2"),
        ((network(), dd.from_pandas(pd.DataFrame(X[:, :2]), npartitions=1)), "got 2"),
        ((network(), dd.from_pandas(pd.Series(X[:, 0]), npartitions=1)), "two dimensions or"),
        (("network.npz", da.from_array(X)), r"network must be a batchprop\.Network"),
    ],
)
def test_what_cannot_be_predicted_is_refused(arguments, words):
    with pytest.raises((TypeError, ValueError), match=words):
        predict(*arguments)


def test_missing_values_are_refused_when_they_are_met():
    rows = np.where(X == X[30, 1], np.nan, X)
    with pytest.raises(ValueError, match="must be finite"):
        predict(network(), da.from_array(rows, chunks=(20, 3))).compute(scheduler="synchronous")
