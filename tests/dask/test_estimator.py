"""The estimator for collections: conventions of scikit-learn, and of other libraries' for Dask."""

from __future__ import annotations

import pickle

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import r2_score

from batchprop import Blocks
from batchprop.dask import DaskBatchMLPRegressor
from batchprop.sklearn import BatchMLPRegressor

N = 400
RNG = np.random.default_rng(0)
X = RNG.uniform(-1.0, 1.0, (N, 3))
Y = np.stack([X[:, 0] * X[:, 1], X[:, 2] ** 2], axis=1) + 0.01 * RNG.standard_normal((N, 2))
WEIGHT = RNG.integers(0, 3, N).astype(float)
FRAME = pd.DataFrame(X, columns=["a", "b", "c"], index=RNG.permutation(N))
SMALL = {"hidden_size": 5, "alpha": 0.01, "random_state": 0, "tol": 0.05, "n_iter_no_change": 2}


def cut(table, rows=90):
    return da.from_array(table, chunks=(rows, -1)[: table.ndim])


@pytest.fixture
def model(client):
    return DaskBatchMLPRegressor(**SMALL, client=client)


@pytest.mark.parametrize("flat", [False, True])
def test_the_network_is_that_of_one_process(model, flat):
    y = Y[:, 0] if flat else Y
    here = BatchMLPRegressor(**SMALL).fit(X, y)
    there = model.fit(cut(X), cut(y, 35))
    assert there.network_.theta.tobytes() == here.network_.theta.tobytes()
    assert there.loss_curve_.tobytes() == here.loss_curve_.tobytes()
    for name in ("loss_", "n_iter_", "alpha_", "solver_", "stop_reason_", "n_features_in_"):
        assert getattr(there, name) == getattr(here, name)
    predictions = there.predict(cut(X))
    assert predictions.chunks == cut(y).chunks
    assert np.array_equal(predictions.compute(), here.predict(X))
    assert np.array_equal(there.predict(X), here.predict(X))
    assert there.score(cut(X), cut(y)) == pytest.approx(here.score(X, y), rel=1e-12)
    assert there.score(cut(X), cut(y), cut(WEIGHT)) == pytest.approx(
        r2_score(y, here.predict(X), sample_weight=WEIGHT), rel=1e-12
    )


def test_weights_and_validation_data(model):
    data_val = {"X_val": X[:100], "y_val": Y[:100], "sample_weight_val": WEIGHT[:100] + 1.0}
    here = BatchMLPRegressor(**SMALL).fit(X, Y, WEIGHT, **data_val)
    there = model.fit(cut(X), cut(Y), cut(WEIGHT), **data_val)
    assert there.network_.theta.tobytes() == here.network_.theta.tobytes()
    assert there.best_validation_score_ == here.best_validation_score_


def test_frames_keep_their_index_and_their_names(model):
    table = dd.from_pandas(FRAME.assign(y=Y[:, 0]), npartitions=4, sort=False)
    model.fit(table[["a", "b", "c"]], table["y"])
    assert list(model.feature_names_in_) == ["a", "b", "c"]
    predictions = model.predict(table[["a", "b", "c"]])
    assert predictions.npartitions == 4
    computed = predictions.compute()
    assert isinstance(computed, pd.Series)
    assert computed.index.equals(FRAME.index)
    assert np.array_equal(computed.to_numpy(), model.to_local().predict(FRAME))
    with pytest.raises(ValueError, match="X must have the columns of fit, a, b, c; got b, a, c"):
        model.predict(table[["b", "a", "c"]])
    table = dd.from_pandas(FRAME, npartitions=3, sort=False)
    both = model.fit(table, cut(Y)).predict(table).compute()
    assert both.shape == (N, 2)
    assert both.index.equals(FRAME.index)


def test_blocks_have_targets_of_their_own(model):
    blocks = Blocks([(X[:150].T, Y[:150].T), (X[150:].T, Y[150:].T)])
    there = model.fit(blocks)
    here = BatchMLPRegressor(**SMALL).fit(X, Y)
    assert there.network_.theta.tobytes() == here.network_.theta.tobytes()
    assert there.score(blocks) == pytest.approx(here.score(X, Y), rel=1e-12)


def test_the_local_estimator_is_fitted_and_needs_no_cluster(model):
    local = model.fit(cut(X), cut(Y)).to_local()
    assert type(local) is BatchMLPRegressor
    again = pickle.loads(pickle.dumps(local))
    assert np.array_equal(again.predict(X), model.predict(X))
    assert again.hidden_size == 5
    assert again.coefs_[0].shape == (3, 5)
    assert again.n_iter_ == model.n_iter_


def test_the_client_is_no_parameter_and_in_no_pickle(model, client):
    assert "client" not in model.get_params()
    assert "client" not in repr(model)
    copied = clone(model)
    assert copied.client is None
    assert copied.get_params() == model.get_params()
    fitted = model.fit(cut(X), cut(Y))
    again = pickle.loads(pickle.dumps(fitted))
    assert again.client is None
    assert fitted.client is client
    assert again.score(cut(X), cut(Y)) == fitted.score(cut(X), cut(Y))  # the current client


def test_a_failed_fit_leaves_the_estimator_as_it_was(model):
    with pytest.raises(NotFittedError):
        model.predict(cut(X))
    model.fit(cut(X), cut(Y))
    attributes = dict(vars(model))
    with pytest.raises(ValueError, match=r"y must be finite; got nan at y\[200, 1\]"):
        model.fit(cut(X), cut(np.where(Y == Y[200, 1], np.nan, Y)))
    with pytest.raises(ValueError, match=r"got nan at y\[200\]"):
        model.fit(cut(X), cut(np.where(Y[:, 0] == Y[200, 0], np.nan, Y[:, 0])))
    with pytest.raises(TypeError, match="y must come with X; got None"):
        model.fit(cut(X))
    with pytest.raises(ValueError, match="alpha must be a number"):
        model.set_params(alpha="cv").fit(cut(X), cut(Y))
    model.set_params(alpha=0.01)
    assert vars(model) == attributes
    with pytest.raises(ValueError, match="y must have 2 columns, as in fit; got 1"):
        model.score(cut(X), cut(Y[:, 0]))


def test_a_fit_that_did_not_converge_warns_at_the_users_line(model):
    model.set_params(max_iter=1)
    with pytest.warns(ConvergenceWarning, match="max_iter") as record:
        model.fit(cut(X), cut(Y))
    assert [warning.filename for warning in record] == [__file__]
