"""Bad data and bad networks: every public call answers alike, before any work."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

import batchprop
from batchprop import Network, check_gradient, engines, loss_and_gradient, train
from tests.bad_input import Bad, NoEngine, assert_told

# 3-5-2 on 7 samples
NET = Network.initialize(3, 5, 2, seed=1)
SINGLE = NET.astype("float32")
X = np.random.default_rng(0).normal(size=(3, 7))
T = np.random.default_rng(1).normal(size=(2, 7))


@pytest.fixture(autouse=True)
def _nothing_may_be_computed(monkeypatch):
    monkeypatch.setattr(engines, "load", lambda name: NoEngine)


def with_entry(array, value, *place):
    changed = array.copy()
    changed[place] = value
    return changed


def masked(array):
    return np.ma.masked_array(array, mask=array > 1.5 * array.mean())


CALLS = {
    "loss_and_gradient": lambda network=NET, X=X, T=T, **options: loss_and_gradient(
        network, X, T, **options
    ),
    "check_gradient": lambda network=NET, X=X, T=T, **options: check_gradient(
        network, X, T, **options
    ),
    "train": lambda network=NET, X=X, T=T, **options: train(
        X, T, network=network, **{"alpha": 0.0} | options
    ),
}

OF_X = {
    "transposed": Bad({"X": X.T}, ValueError, "shape (3, N)", "(7, 3)", "pass X.T"),
    "one input too few": Bad({"X": X[:2]}, ValueError, "shape (3, N)", "(2, 7)", "Pass 3 rows"),
    "flat": Bad({"X": X[0]}, ValueError, "shape (3, N)", "(7,)", "two axes: 3 rows"),
    "three axes": Bad({"X": X[..., None]}, ValueError, "shape (3, N)", "(3, 7, 1)", "two axes"),
    "a number": Bad({"X": 1.0}, ValueError, "shape (3, N)", "shape ()", "two axes"),
    "no samples": Bad({"X": X[:, :0]}, ValueError, "shape (3, N)", "(3, 0)", "at least one"),
    "no inputs": Bad({"X": X[:0]}, ValueError, "shape (3, N)", "(0, 7)", "at least one"),
    "an empty list": Bad({"X": []}, ValueError, "shape (3, N)", "(0,)", "at least one"),
    "NaN": Bad({"X": with_entry(X, np.nan, 1, 4)}, ValueError, "finite", "nan at X[1, 4]",
               "Remove or impute"),
    "inf": Bad({"X": with_entry(X, np.inf, 2, 0)}, ValueError, "finite", "inf at X[2, 0]",
               "Remove or impute"),
    "-inf": Bad({"X": with_entry(X, -np.inf, 2, 6)}, ValueError, "finite", "-inf at X[2, 6]",
                "Remove or impute"),
    "NaN and infinities": Bad({"X": with_entry(with_entry(X, np.inf, 0, 3), -np.inf, 0, 5)},
                              ValueError, "finite", "inf at X[0, 3]", "Remove or impute"),
    "strings": Bad({"X": X.astype(str)}, TypeError, "real numbers", "dtype <U", "dtype=float"),
    "bytes": Bad({"X": X.astype("S8")}, TypeError, "real numbers", "dtype |S8", "dtype=float"),
    "objects": Bad({"X": X.astype(object)}, TypeError, "real numbers", "object", "dtype=float"),
    "None": Bad({"X": None}, TypeError, "real numbers", "None", "a table of numbers"),
    "a dictionary": Bad({"X": {"a": 1}}, TypeError, "real numbers", "dict", "X.values()"),
    "complex": Bad({"X": X + 0j}, TypeError, "real numbers", "complex", "X.real"),
    "dates": Bad({"X": X.astype("datetime64[s]")}, TypeError, "real numbers", "datetime64",
                 "a number of days"),
    "records": Bad({"X": np.zeros((3, 7), "f8,f8")}, TypeError, "real numbers", "dtype",
                   "structured_to_unstructured"),
    "ragged": Bad({"X": [[1.0, 2.0], [3.0], [4.0]]}, ValueError, "rectangular", "different lengths",
                  "equally long"),
    "masked": Bad({"X": masked(X)}, TypeError, "real numbers", "masked", "Fill them"),
    "sparse": Bad({"X": sparse.csr_matrix(X)}, TypeError, "dense", "csr", "X.toarray()"),
    "a sparse array": Bad({"X": sparse.coo_array(X)}, TypeError, "dense", "coo", "X.toarray()"),
    "too long doubles": Bad({"X": np.full((3, 7), np.finfo(np.longdouble).max)}, ValueError,
                            "finite", "inf at X[0, 0]", "Remove or impute"),
}  # fmt: skip
OF_T = {
    "flat": Bad({"T": T[0]}, ValueError, "shape (2, 7)", "(7,)", "Pass 2 rows"),
    "transposed": Bad({"T": T.T}, ValueError, "shape (2, 7)", "(7, 2)", "pass T.T"),
    "one output": Bad({"T": T[:1]}, ValueError, "shape (2, 7)", "(1, 7)", "Pass 2 rows"),
    "no outputs": Bad({"T": T[:0]}, ValueError, "shape (2, 7)", "(0, 7)", "Pass 2 rows"),
    "other samples": Bad({"T": T[:, :6]}, ValueError, "shape (2, 7)", "(2, 6)", "same samples"),
    "no samples": Bad({"T": T[:, :0]}, ValueError, "shape (2, 7)", "(2, 0)", "same samples"),
    "a number": Bad({"T": 3}, ValueError, "shape (2, 7)", "shape ()", "same samples"),
    "NaN": Bad({"T": with_entry(T, np.nan, 0, 6)}, ValueError, "finite", "nan at T[0, 6]",
               "Remove or impute"),
    "inf": Bad({"T": with_entry(T, np.inf, 1, 0)}, ValueError, "finite", "inf at T[1, 0]",
               "Remove or impute"),
    "strings": Bad({"T": T.astype(str)}, TypeError, "real numbers", "dtype <U", "dtype=float"),
    "objects": Bad({"T": T.astype(object)}, TypeError, "real numbers", "object", "dtype=float"),
    "complex": Bad({"T": T + 1j}, TypeError, "real numbers", "complex", "T.real"),
    "masked": Bad({"T": masked(T)}, TypeError, "real numbers", "masked", "Fill them"),
    "sparse": Bad({"T": sparse.csc_array(T)}, TypeError, "dense", "csc", "T.toarray()"),
    "ragged": Bad({"T": [[1.0], [2.0, 3.0]]}, ValueError, "rectangular", "different lengths",
                  "equally long"),
}  # fmt: skip
W = np.ones(7)
OF_WEIGHTS = {
    "a row": Bad({"sample_weight": W[None]}, ValueError, "shape (7,)", "(1, 7)", "ravel()"),
    "a column": Bad({"sample_weight": W[:, None]}, ValueError, "shape (7,)", "(7, 1)", "ravel()"),
    "too few": Bad({"sample_weight": W[1:]}, ValueError, "shape (7,)", "(6,)", "as long as X"),
    "a number": Bad({"sample_weight": 1.0}, ValueError, "shape (7,)", "shape ()", "as long as X"),
    "negative": Bad({"sample_weight": with_entry(W, -0.5, 3)}, ValueError, "non-negative",
                    "-0.5 at sample_weight[3]", "Use 0"),
    "zeros": Bad({"sample_weight": 0 * W}, ValueError, "positive sum", "zeros only",
                 "at least one"),
    "NaN": Bad({"sample_weight": with_entry(W, np.nan, 2)}, ValueError, "finite",
               "nan at sample_weight[2]", "Remove or impute"),
    "inf": Bad({"sample_weight": with_entry(W, np.inf, 2)}, ValueError, "finite",
               "inf at sample_weight[2]", "Remove or impute"),
    "strings": Bad({"sample_weight": W.astype(str)}, TypeError, "real numbers", "dtype <U",
                   "dtype=float"),
    "complex": Bad({"sample_weight": W + 1j}, TypeError, "real numbers", "complex", "real"),
    "ragged": Bad({"sample_weight": [[1], [1, 2]]}, ValueError, "rectangular", "lengths",
                  "equally long"),
}  # fmt: skip
OF_NAMES = {
    "a library's engine": Bad({"engine": "numpy"}, ValueError, "naive, vectorized, fused",
                              "'numpy'", "Did you mean 'vectorized'?"),
    "a mistyped engine": Bad({"engine": "fuzed"}, ValueError, "naive, vectorized, fused",
                             "'fuzed'", "Did you mean 'fused'?"),
    "a capital": Bad({"engine": "Naive"}, ValueError, "naive, vectorized, fused", "'Naive'",
                     "Did you mean 'naive'?"),
    "nothing like it": Bad({"engine": "xyzzy"}, ValueError, "naive, vectorized, fused", "'xyzzy'",
                           "Choose"),
    "a number": Bad({"engine": 3}, TypeError, "naive, vectorized, fused", "3 of type int",
                    "as a string"),
    "no threads": Bad({"n_threads": 0}, ValueError, "integer of at least 1", "0", "whole number"),
    "negative threads": Bad({"n_threads": -1}, ValueError, "integer of at least 1", "-1",
                            "whole number"),
    "half a thread": Bad({"n_threads": 0.5}, TypeError, "integer of at least 1",
                         "0.5 of type float", "whole number"),
    "threads by bool": Bad({"n_threads": True}, TypeError, "integer of at least 1",
                           "True of type bool", "whole number"),
}  # fmt: skip
OF_NETWORKS = {
    "no network": Bad({"network": 5}, TypeError, "be a batchprop.Network", "5 of type int",
                      "Network.initialize"),
    "a class": Bad({"network": Network}, TypeError, "be a batchprop.Network", "type", "initialize"),
    "its parameters": Bad({"network": NET.theta}, TypeError, "be a batchprop.Network",
                          "an array of shape (32,)", "Network.initialize"),
}  # fmt: skip
BEYOND_FLOAT32 = {
    "X": Bad({"network": SINGLE, "X": with_entry(X, -1e39, 0, 0)}, ValueError,
             "the range of a float32 network", "1e+39", "Scale X down"),
    "T": Bad({"network": SINGLE, "T": with_entry(T, 1e39, 0, 0)}, ValueError,
             "the range of a float32 network", "1e+39", "Scale T down"),
}  # fmt: skip
TABLES = {"X": OF_X, "T": OF_T, "weight": OF_WEIGHTS, "name": OF_NAMES, "network": OF_NETWORKS}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(bad, id=f"{table}: {name}")
        for table, cases in TABLES.items()
        for name, bad in cases.items()
    ],
)
def test_data(call, bad):
    assert_told(CALLS[call], bad)


@pytest.mark.parametrize("name", BEYOND_FLOAT32)
def test_values_beyond_float32(name):
    assert_told(CALLS["check_gradient"], BEYOND_FLOAT32[name])


@pytest.mark.parametrize("name", OF_X)
def test_inputs_of_a_prediction(name):
    assert_told(lambda X: NET.predict(X, engine="vectorized"), OF_X[name])


@pytest.mark.parametrize(
    ("X", "T", "expected", "got", "remedy"),
    [
        (X, T[0], "shape (s, 7)", "(7,)", "T[np.newaxis, :]"),
        (X, T.T, "shape (s, 7)", "(7, 2)", "pass T.T"),
        (X.T, T, "shape (s, 3)", "(2, 7)", "pass X.T"),
        (X.T, T.T, "shape (s, 3)", "(7, 2)", "pass X.T and T.T"),
        (X.T, T[0], "shape (s, 3)", "(7,)", "pass X.T and T[np.newaxis, :]"),
        (X, T[:, :5], "shape (s, 7)", "(2, 5)", "same samples"),
        (X, T[:0], "shape (s, 7)", "(0, 7)", "same samples"),
    ],
)
def test_shapes_without_a_network(X, T, expected, got, remedy):
    """What sizes are meant can only be guessed from the two shapes."""
    assert_told(train, Bad({"X": X, "T": T}, ValueError, expected, got, remedy))


def test_the_first_bad_sample_of_a_large_table_is_named():
    wide = np.zeros((3, 1_200_000), np.float32, order="F")
    wide[2, 1_100_000] = wide[0, 1_150_000] = np.nan
    bad = Bad({"X": wide}, ValueError, "finite", "nan at X[2, 1100000]", "Remove")
    assert_told(NET.predict, bad)


def test_a_sum_that_overflows_is_not_an_infinite_entry(monkeypatch):
    monkeypatch.undo()
    huge = np.full((3, 7), 3e38, np.float32)
    Y = SINGLE.predict(huge, engine="vectorized")
    assert np.isfinite(Y).all()


def test_every_engine_is_behind_the_same_checks():
    for engine in batchprop.ENGINES:
        with pytest.raises(ValueError, match=r"pass X\.T"):
            loss_and_gradient(NET, X.T, T, engine=engine)
