"""Sparse inputs: converted while they are small, otherwise refused with the remedy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from batchprop.sklearn import BatchMLPRegressor, dense_inputs

RNG = np.random.default_rng(0)
X = np.where(RNG.random((80, 4)) < 0.5, 0.0, RNG.normal(size=(80, 4)))
Y = X[:, 0] - 2 * X[:, 1] * X[:, 2]
SMALL = {"hidden_size": 4, "alpha": 0.1, "max_iter": 30, "random_state": 0, "n_threads": 1}
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csc_matrix, sparse.coo_array])
def test_sparse_tables_give_what_dense_tables_give(kind, dtype):
    x = X.astype(dtype)
    expected = BatchMLPRegressor(**SMALL, uncertainty="laplace").fit(
        x, Y, X_val=x[:20], y_val=Y[:20]
    )
    model = BatchMLPRegressor(**SMALL, uncertainty="laplace")
    model.fit(kind(x), Y, X_val=kind(x[:20]), y_val=Y[:20])
    assert model.network_.dtype == dtype
    np.testing.assert_array_equal(model.predict(kind(x)), expected.predict(x))
    assert model.score(kind(x), Y) == expected.score(x, Y)
    for bound, expected_bound in zip(
        model.predict_interval(kind(x)), expected.predict_interval(x), strict=True
    ):
        np.testing.assert_array_equal(bound, expected_bound)


def test_partial_fit_takes_them():
    model = BatchMLPRegressor(**SMALL).partial_fit(sparse.csr_array(X), Y)
    expected = BatchMLPRegressor(**SMALL).partial_fit(X, Y)
    np.testing.assert_array_equal(model.predict(X), expected.predict(X))


def test_large_ones_are_refused_before_they_are_converted(monkeypatch):
    large = sparse.csr_array((200_000, 3_000))
    with pytest.raises(
        ValueError, match=r"^X must take at most 1 GiB .* takes 4\.47 GiB"
    ) as raised:
        BatchMLPRegressor(**SMALL).fit(large, np.zeros(200_000))
    assert "OneHotEncoder(sparse_output=False)" in str(raised.value)
    model = BatchMLPRegressor(**SMALL).fit(X, Y)
    monkeypatch.setattr(dense_inputs, "MAX_DENSE_BYTES", X.nbytes)
    model.predict(sparse.csr_array(X))
    monkeypatch.setattr(dense_inputs, "MAX_DENSE_BYTES", X.nbytes - 1)
    for refused in (model.predict, model.predict_interval):
        with pytest.raises(ValueError, match="^X must take at most"):
            refused(sparse.csr_array(X))
    with pytest.raises(ValueError, match="^X_val must take at most"):
        model.fit(X, Y, X_val=sparse.csr_array(X), y_val=Y)
    model.fit(X, Y)  # dense tables have no limit


def test_an_encoder_as_it_comes():
    table = pd.DataFrame({"size": X[:, 0], "colour": RNG.choice(list("abcdefgh"), 80)})
    columns = make_column_transformer(
        (StandardScaler(), ["size"]), (OneHotEncoder(), ["colour"]), sparse_threshold=1.0
    )
    pipeline = make_pipeline(columns, BatchMLPRegressor(**SMALL)).fit(table, Y)
    assert sparse.issparse(pipeline[:-1].transform(table))
    assert pipeline.predict(table).shape == (80,)
