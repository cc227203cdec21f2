"""The estimator: scikit-learn's own checks, its tools, and what it says about a fit."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import mean_squared_error
from sklearn.utils.estimator_checks import parametrize_with_checks

from batchprop import ENGINES, Network, train
from batchprop.sklearn import BatchMLPRegressor
from batchprop.version import DOCS
from tests.project import ROOT, SRC
from tests.test_documented import documented_parameters, section

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 3))
Y = np.column_stack([np.sin(2 * X[:, 0]) + X[:, 1], X[:, 1] * X[:, 2]])
# these fits end by max_iter, which the estimator says
pytestmark = pytest.mark.filterwarnings("ignore:Stopped by max_iter")
SMALL = {"alpha": 0.0, "hidden_size": 8, "max_iter": 60, "tol": 0, "random_state": 0}


@parametrize_with_checks(
    [
        BatchMLPRegressor(),
        BatchMLPRegressor(solver="gd"),
        BatchMLPRegressor(activation="relu", engine="vectorized", solver="nesterov", max_iter=100),
        BatchMLPRegressor(n_threads=2, random_state=1, alpha=0.0),
        BatchMLPRegressor(early_stopping=True),
        BatchMLPRegressor(n_init=2, combine="mean", max_iter=100, alpha=0.0),
    ]
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:Constant")  # y, in what is left of four different samples
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("y", [Y[:, 0], Y[:, :1], Y], ids=["flat", "a column", "two outputs"])
def test_it_is_train_with_rows_as_samples(engine, dtype, y):
    x = X.astype(dtype)
    options = SMALL | {"engine": engine, "max_iter": 7}
    model = BatchMLPRegressor(**{"alpha": 0.0} | options).fit(x, y)
    T = y.reshape(len(y), -1).T
    result = train(x.T, T, hidden_size=8, engine=engine, max_epochs=7, tol=None, seed=0, alpha=0.0)
    assert model.solver_ == result.solver
    np.testing.assert_array_equal(model.network_.theta, result.network.theta)
    np.testing.assert_array_equal(model.loss_curve_, result.loss_curve)
    assert (model.n_iter_, model.stop_reason_) == (7, "max_epochs")
    assert (model.n_features_in_, model.n_outputs_) == (3, len(T))
    assert (model.n_layers_, model.out_activation_) == (3, "identity")
    assert model.validation_loss_curve_ is None
    assert model.best_validation_score_ is None
    predicted = model.predict(x)
    assert predicted.shape == y.shape
    assert predicted.dtype == model.network_.dtype == dtype
    assert model.loss_ == model.best_loss_
    mean = mean_squared_error(y, predicted)  # over outputs too, where L is their sum
    assert model.loss_ == pytest.approx(len(T) * mean, rel=1e-4 if dtype == "float32" else 1e-10)
    assert model.score(x, y) <= 1


def test_weights_in_scikit_learns_form():
    model = BatchMLPRegressor(**SMALL).fit(X, Y)
    assert [part.shape for part in model.coefs_] == [(3, 8), (8, 2)]
    assert [part.shape for part in model.intercepts_] == [(8,), (2,)]
    hidden = np.tanh(X @ model.coefs_[0] + model.intercepts_[0])
    np.testing.assert_allclose(
        hidden @ model.coefs_[1] + model.intercepts_[1], model.predict(X), rtol=1e-9
    )
    for part in (*model.coefs_, *model.intercepts_):
        assert np.shares_memory(part, model.network_.theta)
        with pytest.raises(ValueError, match="read-only"):
            part[...] = 0
    model.network_.W_h[0, 0] = 1.0  # the network itself stays open


def test_every_argument_is_documented_and_no_other():
    assert documented_parameters(BatchMLPRegressor.__doc__) == set(
        BatchMLPRegressor(alpha=0.0).get_params()
    )
    for method in (
        BatchMLPRegressor.fit,
        BatchMLPRegressor.predict,
        BatchMLPRegressor.partial_fit,
        BatchMLPRegressor.predict_interval,
    ):
        expected = set(inspect.signature(method).parameters) - {"self"}
        assert documented_parameters(method.__doc__) == expected


def test_every_fitted_attribute_is_documented():
    model = BatchMLPRegressor(**SMALL).fit(X, Y)
    text = " ".join(section(BatchMLPRegressor.__doc__, "Attributes"))
    properties = {"coefs_", "intercepts_"}
    for name in properties | {name for name in vars(model) if name.endswith("_")}:
        assert hasattr(model, name)
        assert name in text


def test_nothing_is_there_before_fit():
    model = BatchMLPRegressor(alpha=0.0)
    with pytest.raises(NotFittedError):
        model.predict(X)
    for name in ("coefs_", "intercepts_", "loss_", "network_", "n_iter_"):
        assert not hasattr(model, name)
    with pytest.raises(TypeError, match="positional"):
        BatchMLPRegressor(50, alpha=0.0)


def test_sample_weights_count_samples():
    weight = np.r_[np.full(20, 2.0), np.zeros(40), np.ones(60)]
    counted = np.r_[0:20, 0:20, 60:120]
    weighted = BatchMLPRegressor(**SMALL).fit(X, Y, sample_weight=weight)
    repeated = BatchMLPRegressor(**SMALL).fit(X[counted], Y[counted])
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-6, atol=1e-9)


def test_the_random_state():
    def start(random_state):
        model = BatchMLPRegressor(
            **SMALL | {"random_state": random_state, "max_iter": 1, "scale": False}
        )
        return model.fit(X, Y).loss_curve_[0]

    assert start(3) == start(np.int64(3)) != start(4)
    one, other = np.random.RandomState(3), np.random.RandomState(3)
    assert start(one) == start(other) != start(other)
    assert start(None) != start(None)
    network = Network.initialize(3, 8, 2, seed=3)
    assert start(3) == pytest.approx(((network.predict(X.T) - Y.T) ** 2).sum() / len(X), rel=1e-12)


def noisy(n_samples, seed):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2, 2, (n_samples, 1))
    return x, np.sin(x[:, 0]) + 0.5 * rng.normal(size=n_samples)


def test_validation_data_of_the_users():
    x, y = noisy(15, 0)
    x_val, y_val = noisy(40, 1)
    model = BatchMLPRegressor(
        hidden_size=30, n_iter_no_change=30, max_iter=3000, random_state=0, alpha=0.0
    )
    model.fit(x, y, X_val=x_val, y_val=y_val)
    curve = model.validation_loss_curve_
    assert model.stop_reason_ == "patience"
    assert curve.shape == model.loss_curve_.shape == (model.n_iter_ + 1,)
    assert model.best_validation_score_ == pytest.approx(model.score(x_val, y_val), rel=1e-9)
    assert model.n_iter_ == int(np.argmin(curve)) + 30
    assert mean_squared_error(y_val, model.predict(x_val)) == pytest.approx(curve.min(), rel=1e-12)
    assert model.loss_ == model.loss_curve_[np.argmin(curve)] > model.best_loss_
    assert model.best_loss_ == model.loss_curve_.min()


@pytest.mark.parametrize("weight", [None, np.ones(200)])
def test_early_stopping_sets_samples_aside(weight):
    x, y = noisy(200, 0)
    options = {
        "hidden_size": 30, "early_stopping": True, "n_iter_no_change": 20, "random_state": 5,
        "solver": "adam",
    }  # fmt: skip
    model = BatchMLPRegressor(validation_fraction=0.25, **{"alpha": 0.0} | options).fit(
        x, y, weight
    )
    assert model.stop_reason_ == "patience"
    again = BatchMLPRegressor(validation_fraction=0.25, **{"alpha": 0.0} | options).fit(x, y)
    np.testing.assert_allclose(
        again.validation_loss_curve_, model.validation_loss_curve_, rtol=1e-10
    )
    given = BatchMLPRegressor(**{"alpha": 0.0} | options).fit(x, y, X_val=x[:9], y_val=y[:9])
    predicted = given.predict(x[:9])
    best = given.validation_loss_curve_.min()
    assert mean_squared_error(y[:9], predicted) == pytest.approx(best, rel=1e-12)


def test_a_warm_start_from_another_fit_begins_at_its_network():
    model = BatchMLPRegressor(warm_start=True, **SMALL).fit(X, Y)
    reached = model.loss_
    again = model.fit(X[:, ::-1][:, ::-1], Y + 1e-9).loss_curve_  # other samples
    assert again[0] == pytest.approx(reached, rel=1e-3)
    assert again.size == model.n_iter_ + 1 <= 61
    assert model.set_params(hidden_size=9).fit(X, Y).network_.shape == (3, 9, 2)
    fresh = BatchMLPRegressor(**SMALL | {"hidden_size": 9}).fit(X, Y)
    assert model.loss_curve_[0] == fresh.loss_curve_[0]
    model.set_params(activation="relu").fit(X, Y)
    assert model.network_.activation == "relu"
    model.fit(X.astype("float32"), Y[:, 0])
    assert (model.network_.dtype, model.n_outputs_) == ("float32", 1)


BAD = {
    "hidden_size": (8.0, TypeError),
    "activation": ("sigmoid", ValueError),
    "solver": ("lbgfs", ValueError),
    "alpha": (-1.0, ValueError),
    "scale": (1, TypeError),
    "n_init": (0, ValueError),
    "combine": ("average", ValueError),
    "solver_options": (["momentum"], TypeError),
    "learning_rate": (0.0, ValueError),
    "max_iter": (-1, ValueError),
    "tol": (-1.0, ValueError),
    "n_iter_no_change": ("never", TypeError),
    "early_stopping": ("yes", TypeError),
    "max_seconds": (0, ValueError),
    "warm_start": (1, TypeError),
    "engine": ("numba", ValueError),
    "n_threads": (0, ValueError),
    "verbose": ("yes", TypeError),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_parameters_are_named_as_they_were_given(name):
    value, error = BAD[name]
    model = BatchMLPRegressor(**{"alpha": 0.0, name: value})
    assert model.get_params()[name] == value  # stored as it is: checked by fit
    with pytest.raises(error, match=f"^{name} must "):
        model.fit(X, Y)
    assert not hasattr(model, "network_")


def test_bad_validation_data():
    model = BatchMLPRegressor(**SMALL)
    with pytest.raises(ValueError, match="X_val and y_val must be given together"):
        model.fit(X, Y, X_val=X)
    with pytest.raises(ValueError, match="y_val must have as many outputs as y; got 1 instead"):
        model.fit(X, Y, X_val=X, y_val=Y[:, 0])
    with pytest.raises(ValueError, match="^X_val must have as many columns as X; got 2 instead"):
        model.fit(X, Y, X_val=X[:, :2], y_val=Y)
    with pytest.raises(ValueError, match=r"^validation_fraction must .*below|less than 1"):
        BatchMLPRegressor(early_stopping=True, validation_fraction=1.0, alpha=0.0).fit(X, Y)
    with pytest.raises(ValueError, match="sample_weight must be non-negative"):
        model.fit(X, Y, sample_weight=-np.ones(120))


def test_it_says_when_it_needs_more_time():
    with pytest.warns(ConvergenceWarning, match="after n_iter_=5 .*Raise max_iter") as told:
        BatchMLPRegressor(max_iter=5, alpha=0.0).fit(X, Y)
    assert told[0].filename == __file__
    with pytest.warns(ConvergenceWarning, match="n_iter_=5 "):
        BatchMLPRegressor(max_iter=5, tol=0, early_stopping=True, alpha=0.0).fit(X, Y)


def test_it_says_when_it_was_interrupted(monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("batchprop.engines.vectorized.ArrayObjective", interrupted)
    model = BatchMLPRegressor(engine="vectorized", solver="lbfgs", alpha=0.0)
    with pytest.raises(
        KeyboardInterrupt, match="before its first iteration; the estimator is unch"
    ):
        model.fit(X, Y)
    assert not hasattr(model, "network_")


def test_raw_columns_are_named_in_the_warning():
    raw = X * [1.0, 1e6, 1.0]
    with pytest.warns(RuntimeWarning, match="column 1 of X reaches"):
        BatchMLPRegressor(solver="gd", activation="identity", random_state=0, scale=False).fit(
            raw, Y
        )


def test_without_scikit_learn_it_says_what_to_install():
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "import batchprop, numpy as np\n"
        "batchprop.Network.initialize(1, 2, 1)\n"
        "try:\n    import batchprop.sklearn\n"
        "except ImportError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=SRC,
        env=os.environ,
    )  # fmt: skip
    assert "needs scikit-learn 1.6 or newer" in done.stdout
    assert 'pip install "batchprop[sklearn]"' in done.stdout


def test_the_diagram_links_to_the_page_of_the_estimator():
    html = BatchMLPRegressor()._repr_html_()
    assert f'href="{DOCS}sklearn.html"' in html
    assert (ROOT / "docs" / "sklearn.md").exists()


def test_fitting_is_quiet(capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "Stopped by max_iter")
        BatchMLPRegressor(**SMALL).fit(X, Y).predict(X)
    assert capfd.readouterr() == ("", "")
    for verbose in (True, 1, np.int64(2)):
        BatchMLPRegressor(**SMALL, verbose=verbose).fit(X, Y)
        assert "60/60" in capfd.readouterr().err
