"""Runs that leave the finite numbers: where they stop, what they keep, the one warning."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from batchprop import ENGINES, Network, loss_and_gradient, train
from batchprop.solvers.settings import FIRST_ORDER
from tests.problems import problem

OFF = {"alpha": 0.0, "solver": "gd", "tol": None, "gradient_tol": None, "scale": False}
EVERY_ENGINE = pytest.mark.parametrize("engine", ENGINES)


def warned(X, T, **options):
    """Train, and return the result and the text of the one warning."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = train(X, T, **OFF | options)
    assert [warning.category for warning in caught] == [RuntimeWarning], [
        str(warning.message) for warning in caught
    ]
    assert caught[0].filename == __file__
    assert result.stop_reason == "non_finite"
    assert not result.converged
    for network in (result.network, result.last_network):
        assert np.isfinite(network.theta).all()
    return result, str(caught[0].message)


def assert_at_its_start(result, start):
    assert (result.n_epochs, result.best_epoch) == (0, 0)
    assert result.loss_curve.shape == (1,)
    assert not np.isfinite(result.loss_curve[0])
    assert not np.isfinite(result.loss)
    np.testing.assert_array_equal(result.network.theta, start)


@EVERY_ENGINE
@pytest.mark.parametrize("solver", ["gd", "momentum", "nesterov"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_learning_rate_that_is_too_large(engine, solver, dtype):
    case = problem(n_samples=12, dtype=dtype, activation="relu")
    result, text = warned(
        case.X, case.T, network=case.network, engine=engine, solver=solver, learning_rate=30.0
    )
    assert f"at epoch {result.n_epochs + 1}" in text
    assert "learning_rate=30, too large" in text
    assert "Try 3." in text
    assert result.loss_curve.shape == (result.n_epochs + 1,)
    assert np.isfinite(result.loss_curve).all()
    assert result.loss == result.loss_curve.min()
    last, _ = loss_and_gradient(result.last_network, case.X, case.T, engine=engine)
    assert last == pytest.approx(result.loss_curve[-1], rel=1e-4)
    best, _ = loss_and_gradient(result.network, case.X, case.T, engine=engine)
    assert best == pytest.approx(result.loss, rel=1e-5)


@pytest.mark.parametrize("solver", FIRST_ORDER)
def test_a_step_beyond_all_numbers(solver):
    case = problem()
    result, text = warned(
        case.X, case.T, network=case.network, solver=solver, learning_rate=1e308, max_epochs=50
    )
    assert "learning_rate=1e+308" in text
    assert np.isfinite(result.loss_curve).all()


@EVERY_ENGINE
def test_infinite_parameters_that_the_loss_hides(engine):
    # samples at ±1e150: a finite gradient takes w to −inf, where tanh is ∓1 and all else finite
    network = Network([[0.0]], [0.0], [[1.0]], [0.0])
    X, T = np.array([[1e150, -1e150]]), np.array([[-1.0, 1.0]])
    loss, gradient = loss_and_gradient(network, X, T, engine=engine)
    assert (loss, np.linalg.norm(gradient.theta)) == (1.0, 2e150)
    result, text = warned(X, T, network=network, engine=engine, learning_rate=1e200)
    assert "at epoch 1" in text
    np.testing.assert_array_equal(result.loss_curve, [1.0])
    np.testing.assert_array_equal(result.last_network.theta, network.theta)
    np.testing.assert_array_equal(result.network.theta, network.theta)


@EVERY_ENGINE
@pytest.mark.parametrize(
    ("scaled", "named"),
    [
        ("X", "row 1 of X (column 1 of a table with samples as rows) reaches 1e+30"),
        ("T", "row 0 of T (column 0"),
    ],
)
def test_data_of_a_size_that_overflows_at_once(engine, scaled, named):
    case = problem(e=3, s=2, n_samples=10, dtype="float32", activation="relu")
    data = {"X": case.X.copy(), "T": case.T.copy()}
    data[scaled][1 if scaled == "X" else 0, 4] = -1e30
    result, text = warned(**data, network=case.network.astype("float32"), engine=engine)
    assert named in text
    assert "Standardise" in text
    if engine == "vectorized":  # the others sum in float64 what overflows float32
        assert "at the start" in text
        assert_at_its_start(result, case.network.theta)
    assert result.n_epochs <= 1
    assert result.loss_curve.shape == (result.n_epochs + 1,)


def test_a_column_is_named_where_a_rate_is_not_to_blame():
    rng = np.random.default_rng(0)
    X = np.vstack([rng.normal(size=(2, 50)), rng.uniform(1e5, 2e5, (1, 50))])
    _, text = warned(X, X[:1], hidden_size=5, activation="identity")
    assert "row 2 of X" in text
    assert "learning_rate" not in text


@EVERY_ENGINE
def test_validation_data_that_overflow(engine):
    case = problem(e=3, n_samples=10, dtype="float64", activation="relu")
    X_val = case.X.copy()
    X_val[2, 0] = 1e200
    result, text = warned(
        case.X, case.T, network=case.network, engine=engine, X_val=X_val, T_val=case.T
    )
    assert "row 2 of X_val" in text
    assert (result.n_epochs, result.validation_loss_curve.size) == (0, 1)
    assert np.isinf(result.validation_loss)
    assert np.isfinite(result.loss)


def test_validation_data_and_a_rate_that_is_too_large():
    case = problem(activation="relu")
    result, text = warned(
        case.X, case.T, network=case.network, learning_rate=50.0,
        X_val=case.X[:, ::2], T_val=case.T[:, ::2],
    )  # fmt: skip
    assert "learning_rate=50" in text
    assert result.validation_loss == result.validation_loss_curve.min()
    assert result.loss_curve.shape == result.validation_loss_curve.shape


def test_parameters_of_a_size_that_overflows():
    case = problem(activation="relu")
    huge = Network.from_theta(case.network.theta * 1e120, case.network.shape, "relu")
    result, text = warned(case.X, case.T, network=huge)
    assert "size of the network's parameters" in text
    assert_at_its_start(result, huge.theta)


def test_warnings_as_errors_stop_the_call():
    case = problem(activation="relu")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RuntimeWarning, match="NaN or infinite"):
            train(case.X, case.T, network=case.network, solver="gd", learning_rate=1e30)


@EVERY_ENGINE
@pytest.mark.parametrize("name", ["X", "T", "X_val", "T_val"])
def test_values_beyond_the_dtype_are_refused(engine, name):
    case = problem(n_samples=8)
    data = {"X": case.X, "T": case.T, "X_val": case.X, "T_val": case.T}
    data[name] = data[name] * 1e40
    with pytest.raises(ValueError, match=rf"^{name} must stay within .*float32 network"):
        train(**{"alpha": 0.0} | data, engine=engine, dtype="float32")
    with pytest.raises(ValueError, match=rf"^{name} must stay within"):
        train(**{"alpha": 0.0} | data, network=case.network.astype("float32"), engine=engine)
