"""What a run returns: the best network, the curve's contract, the same start on every engine."""

from __future__ import annotations

import itertools
import threading

import numpy as np
import pytest

import batchprop
from batchprop import ENGINES, Network, loss_and_gradient, train
from batchprop.activations import ACTIVATIONS
from batchprop.solvers.settings import FIRST_ORDER, SOLVERS
from tests.problems import problem, relative_error

OFF = {"alpha": 0.0, "tol": None, "gradient_tol": None}


def table(n_samples=60, e=3, s=1, seed=0):
    """A standardised table with something to learn."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(e, n_samples))
    T = np.sin(2 * X[:1]) + X[1:2] * X[2:3] + 0.1 * rng.normal(size=(s, n_samples))
    T = T * np.linspace(1, -2, s)[:, None]
    return X, (T - T.mean(axis=1, keepdims=True)) / T.std(axis=1, keepdims=True)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("solver", SOLVERS)
def test_entry_k_of_the_curve_is_the_loss_before_step_k_plus_1(engine, solver):
    case = problem(n_samples=11)
    options = {"network": case.network, "solver": solver, "engine": engine, **OFF}
    result = train(case.X, case.T, max_epochs=4, **{"alpha": 0.0} | options)
    assert result.loss_curve.shape == (result.n_epochs + 1,) == (5,)
    assert result.validation_loss_curve.size == 0
    for epoch, listed in enumerate(result.loss_curve):
        there = train(case.X, case.T, max_epochs=epoch, **{"alpha": 0.0} | options).last_network
        loss, _ = loss_and_gradient(there, case.X, case.T, engine=engine)
        assert listed == pytest.approx(loss, rel=1e-13)
    np.testing.assert_array_equal(there.theta, result.last_network.theta)


@pytest.mark.parametrize("engine", ENGINES)
def test_no_epochs_only_evaluate(engine):
    case = problem(weighted=True)
    result = train(
        case.X, case.T, network=case.network, max_epochs=0, engine=engine,
        sample_weight=case.weight, X_val=case.X, T_val=case.T,
    )  # fmt: skip
    assert (result.n_epochs, result.best_epoch, result.stop_reason) == (0, 0, "max_epochs")
    for network in (result.network, result.last_network):
        np.testing.assert_array_equal(network.theta, case.network.theta)
    options = {"engine": engine}
    loss, _ = loss_and_gradient(case.network, case.X, case.T, sample_weight=case.weight, **options)
    unweighted, _ = loss_and_gradient(case.network, case.X, case.T, **options)
    assert result.loss == pytest.approx(loss, rel=1e-13)
    assert result.validation_loss == pytest.approx(unweighted, rel=1e-13)
    np.testing.assert_array_equal(result.loss_curve, [result.loss])
    np.testing.assert_array_equal(result.validation_loss_curve, [result.validation_loss])


@pytest.mark.parametrize("engine", ["vectorized", "fused"])
@pytest.mark.parametrize("solver", FIRST_ORDER)
def test_the_best_network_seen_is_returned_not_the_last(engine, solver):
    X, T = table()
    rate = {"gd": 0.4, "momentum": 0.45, "nesterov": 0.2, "adam": 0.4}[solver]
    result = train(
        X,
        T,
        hidden_size=8,
        solver=solver,
        engine=engine,
        learning_rate=rate,
        max_epochs=101,
        scale=False,
        **OFF,
    )
    curve = result.loss_curve
    assert (np.diff(curve) > 0).any(), "the rate is not large enough for what is tested"
    assert result.best_epoch == int(np.argmin(curve)) < result.n_epochs
    assert result.loss == curve.min() < curve[-1]
    for network, loss in ((result.network, curve.min()), (result.last_network, curve[-1])):
        assert loss_and_gradient(network, X, T)[0] == pytest.approx(loss, rel=1e-12)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kept", ["read-only", "memmap"])
def test_what_is_given_is_left_as_it_is(engine, order, kept, tmp_path):
    case = problem(e=2, m=3, n_samples=30, weighted=True)

    def guarded(name, array):
        if kept == "memmap":
            file = np.memmap(tmp_path / name, array.dtype, "w+", shape=array.shape, order=order)
            file[:] = array
            file.flush()
            return np.memmap(tmp_path / name, array.dtype, "r", shape=array.shape, order=order)
        array = np.array(array, order=order)
        array.flags.writeable = False
        return array

    given = {"X": case.X, "T": case.T, "sample_weight": case.weight}
    given |= {"X_val": case.X[:, ::2], "T_val": case.T[:, ::2]}
    held = {name: guarded(name, array) for name, array in given.items()}
    before = case.network.theta.copy()
    options = {"network": case.network, "engine": engine, "max_epochs": 5, "learning_rate": 0.05}
    plain = train(**given, **{"alpha": 0.0} | options)
    result = train(**held, **{"alpha": 0.0} | options)
    np.testing.assert_array_equal(case.network.theta, before)
    for name, array in given.items():
        np.testing.assert_array_equal(held[name], array)
    if engine != "vectorized":  # BLAS may sum another memory order in another order
        np.testing.assert_array_equal(result.loss_curve, plain.loss_curve)
    np.testing.assert_allclose(result.loss_curve, plain.loss_curve, rtol=1e-13)
    for network in (result.network, result.last_network):
        assert not np.shares_memory(network.theta, case.network.theta)
    assert not np.shares_memory(result.network.theta, result.last_network.theta)


def test_the_same_seed_gives_the_same_start_on_every_engine():
    X, T = table(20)
    starts = [
        train(
            X, T, hidden_size=5, engine=engine, seed=seed, max_epochs=0, scale=False
        ).network.theta
        for seed, engine in itertools.product((7, 8), ENGINES)
    ]
    for start in starts[1:3]:
        np.testing.assert_array_equal(start, starts[0])
    np.testing.assert_array_equal(starts[0], Network.initialize(3, 5, 1, seed=7).theta)
    assert (starts[0] != starts[3]).any()
    unseeded = [train(X, T, hidden_size=5, seed=None, max_epochs=0).network.theta for _ in range(2)]
    assert (unseeded[0] != unseeded[1]).any()


@pytest.mark.parametrize("engine", ENGINES)
def test_the_same_call_gives_the_same_bits(engine):
    X, T = table(40)
    options = {"hidden_size": 6, "engine": engine, "max_epochs": 12, "solver": "adam"}
    once, again = (train(X, T, **{"alpha": 0.0} | options) for _ in range(2))
    np.testing.assert_array_equal(once.loss_curve, again.loss_curve)
    np.testing.assert_array_equal(once.network.theta, again.network.theta)


def test_the_number_of_threads_changes_no_bit():
    X, T = table(5000)
    options = {"hidden_size": 40, "max_epochs": 30, "solver": "adam", "X_val": X, "T_val": T}
    one, three = (train(X, T, n_threads=n, **{"alpha": 0.0} | options) for n in (1, 3))
    np.testing.assert_array_equal(one.loss_curve, three.loss_curve)
    np.testing.assert_array_equal(one.validation_loss_curve, three.validation_loss_curve)
    np.testing.assert_array_equal(one.last_network.theta, three.last_network.theta)


TOLERANCE = {"float64": 1e-10, "float32": 2e-4}


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("s", [1, 2, 3])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.filterwarnings("ignore:R² is")
def test_the_engines_trajectories_agree(solver, dtype, s, weighted):
    case = problem(e=3, m=6, s=s, n_samples=33, dtype=dtype, weighted=weighted, seed=s)
    results = {
        engine: train(
            case.X, case.T, network=case.network, sample_weight=case.weight, solver=solver,
            engine=engine, max_epochs=8, X_val=case.X[:, 5:], T_val=case.T[:, 5:], **OFF,
        )
        for engine in ENGINES
    }  # fmt: skip
    naive = results.pop("naive")
    for result in results.values():
        assert result.network.dtype == result.last_network.dtype == dtype
        for curve in ("loss_curve", "validation_loss_curve"):
            pair = getattr(result, curve), getattr(naive, curve)
            assert relative_error(*pair) < TOLERANCE[dtype]
        pair = result.last_network.theta, naive.last_network.theta
        assert relative_error(*pair) < TOLERANCE[dtype]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_engines_trajectories_agree_for_every_activation(activation):
    case = problem(e=2, m=5, s=2, n_samples=20, activation=activation, seed=1)
    naive, *others = (
        train(
            case.X,
            case.T,
            network=case.network,
            engine=engine,
            max_epochs=5,
            learning_rate=0.01,
            alpha=0.0,
        )
        for engine in ENGINES
    )
    assert naive.network.activation == activation
    for result in others:
        assert relative_error(result.last_network.theta, naive.last_network.theta) < 1e-11


@pytest.mark.parametrize(
    ("given", "asked", "expected"),
    [
        ("float32", None, "float32"),
        ("float64", None, "float64"),
        ("int64", None, "float64"),
        ("float16", None, "float32"),
        ("float64", "float32", "float32"),
        ("float32", "float64", "float64"),
    ],
)
def test_the_dtype_of_the_arithmetic(given, asked, expected):
    X, T = (10 * array for array in table(20))
    result = train(X.astype(given), T, hidden_size=3, dtype=asked, max_epochs=2, alpha=0.0)
    assert result.network.dtype == result.last_network.dtype == expected
    assert result.loss_curve.dtype == "float64"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_given_network_brings_its_dtype(dtype):
    X, T = table(20)
    network = Network.initialize(3, 4, 1, activation="relu", dtype=dtype)
    assert train(X, T, network=network, max_epochs=1, alpha=0.0).network.dtype == dtype
    other = {"float32": "float64", "float64": "float32"}[dtype]
    result = train(X, T, network=network, dtype=other, max_epochs=1, alpha=0.0)
    assert (result.network.dtype, result.network.activation) == (other, "relu")
    assert network.dtype == dtype


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("hidden_size", [1, 50, 600])
def test_the_defaults_learn_a_standardised_table(solver, activation, hidden_size):
    X, T = table(80)
    epochs = 8 if solver == "lm" and hidden_size == 600 else 60  # of matrices (3001, 3001)
    curve = train(
        X,
        T,
        hidden_size=hidden_size,
        solver=solver,
        activation=activation,
        max_epochs=epochs,
        alpha=0.0,
    ).loss_curve
    assert curve[-1] < 0.97 * curve[0]
    assert curve.max() < 1.5 * curve[0]


def test_a_default_call_ends_well():
    X, T = table(200)
    result = train(X, T, alpha=0.0)
    assert result.network.shape == (3, 50, 1)
    assert result.loss < 0.5
    assert 0 < result.seconds < 60


def test_sample_weights_count_samples():
    X, T = table(30)
    weight = np.r_[np.full(10, 2.0), np.zeros(10), np.ones(10)]
    counted = np.r_[0:10, 0:10, 20:30]
    options = {"hidden_size": 5, "max_epochs": 20, "learning_rate": 0.05}
    weighted = train(X, T, sample_weight=weight, **{"alpha": 0.0} | options)
    repeated = train(X[:, counted], T[:, counted], **{"alpha": 0.0} | options)
    assert relative_error(weighted.network.theta, repeated.network.theta) < 1e-12


def test_no_thread_outlives_a_run():
    X, T = table(20_000)
    before = threading.active_count()
    train(X, T, hidden_size=40, max_epochs=3, n_threads=4, X_val=X, T_val=T, alpha=0.0)
    assert threading.active_count() == before


def test_training_happens_in_float32_without_a_float64_copy_of_the_start():
    X, T = table(20)
    doubled = train(X, T, hidden_size=4, max_epochs=0, dtype="float64", seed=3, scale=False).network
    single = train(X, T, hidden_size=4, max_epochs=0, dtype="float32", seed=3, scale=False).network
    np.testing.assert_array_equal(single.theta, doubled.theta.astype("float32"))


def test_train_is_public():
    assert batchprop.train is train
