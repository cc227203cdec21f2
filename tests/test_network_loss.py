"""The loss that a run reports is the loss of the network that it returns."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from batchprop import ENGINES, Network, loss_and_gradient, segments, train
from batchprop.network_loss import network_loss, output_losses
from batchprop.solvers.settings import SOLVERS
from tests.problems import problem

OFFSETS = [0.0, 1e2, 1e4, 1e6, 1e8, 1e10, 1e13]


def data(offset, dtype="float64", n_samples=60, seed=0):
    """Return inputs and two targets with an offset; the second target is much smaller."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(-1, 1, (2, n_samples))
    T = np.vstack([np.sin(3 * X[0]) + X[1], 1e-3 * X[0] * X[1]])
    return (X + offset).astype(dtype), (T - offset).astype(dtype)


def quietly(*args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # means that take up digits are told of elsewhere
        return train(*args, **{"alpha": 0.0} | options)


def squared_error(network, X, T, weight=None, engine="fused"):
    """Return L in float64, of what the network predicts."""
    R = network.predict(X, engine=engine).astype(np.float64) - T
    return float(np.average((R * R).sum(axis=0), weights=weight))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("offset", OFFSETS)
def test_the_loss_is_that_of_the_network(offset, solver, dtype):
    X, T = data(offset, dtype)
    X_val, T_val = data(offset, dtype, 20, seed=1)
    options = {"hidden_size": 5, "solver": solver, "max_epochs": 60}
    rel = 1e-4 if dtype == "float32" else 1e-9
    result = quietly(X, T, **options)
    assert result.loss == pytest.approx(squared_error(result.network, X, T), rel=rel)
    assert result.loss == pytest.approx(loss_and_gradient(result.network, X, T)[0], rel=rel)
    result = quietly(X, T, X_val=X_val, T_val=T_val, **options)
    held_out = squared_error(result.network, X_val, T_val)
    assert result.loss == pytest.approx(squared_error(result.network, X, T), rel=rel)
    assert result.validation_loss == result.selection_score == pytest.approx(held_out, rel=rel)


@pytest.mark.parametrize("offset", OFFSETS)
def test_a_float32_network_of_float64_targets(offset):
    """Targets are not rounded to the network's dtype before they are compared."""
    X, T = data(offset)
    result = quietly(X, T, hidden_size=5, dtype="float32", max_epochs=60)
    own = squared_error(result.network, X, T)
    assert result.loss == pytest.approx(own, rel=1e-6)
    assert loss_and_gradient(result.network, X, T)[0] == pytest.approx(own, rel=1e-6)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("solver", ["lm", "lbfgs", "adam"])
def test_every_engine_reports_it_with_weights(engine, solver):
    X, T = data(1e4, "float32", 30)
    weight = np.random.default_rng(2).integers(0, 3, 30).astype(float)
    result = quietly(
        X, T, hidden_size=4, solver=solver, engine=engine, max_epochs=15, sample_weight=weight
    )
    own = squared_error(result.network, X, T, weight, engine)
    assert result.loss == pytest.approx(own, rel=1e-4)


@pytest.mark.parametrize("exponent", [-500, -1, 3, 400])
def test_a_power_of_two_as_the_unit_changes_no_digit(exponent):
    X, T = data(3.0)
    one = quietly(X, T, hidden_size=5, max_epochs=60)
    other = quietly(X, np.ldexp(T, exponent), hidden_size=5, max_epochs=60)
    assert other.loss == np.ldexp(one.loss, 2 * exponent)


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_target_counts_as_reached_when_the_network_has_it(solver):
    """In float64 on standardised data the loss falls below it long before, with lm by far."""
    X, T = data(100.0, "float32", 200)
    lowest = quietly(X, T, hidden_size=5, solver=solver, max_epochs=300).loss
    for target in (1.5 * lowest, 0.2 * lowest, 1e-4 * lowest):
        told = []
        result = quietly(
            X, T, hidden_size=5, solver=solver, max_epochs=600, target_loss=target,
            callback=told.append,
        )  # fmt: skip
        reached = result.stop_reason == "target_loss"
        assert reached == (result.loss <= target)
        assert [one.epoch for one in told] == list(range(result.n_epochs + 1))
        assert result.loss_curve.size == result.n_epochs + 1
        assert np.isfinite(result.loss_curve).all()
        assert result.n_evaluations >= result.n_epochs + 1


def test_a_target_that_only_the_solver_reaches_does_not_end_the_run():
    x = np.arange(-1, 1.005, 0.01, dtype="f4")[None]
    T = np.vstack([100 * np.sin(x), 0.01 * np.cos(x)])
    result = train(x, T, hidden_size=5, solver="lm", target_loss=1e-10, alpha=0.0)
    assert result.loss_curve.min() <= 1e-10 < result.loss
    assert result.stop_reason != "target_loss"


def test_resuming_after_a_target_was_missed_gives_the_same_bits():
    x = np.arange(-1, 1.005, 0.01, dtype="f4")[None]
    T = np.vstack([100 * np.sin(x), 0.01 * np.cos(x)])
    options = {"hidden_size": 5, "solver": "lm", "target_loss": 1e-9, "tol": None}
    whole = train(x, T, max_epochs=60, **{"alpha": 0.0} | options)
    half = train(x, T, max_epochs=45, **{"alpha": 0.0} | options)
    rest = train(x, T, max_epochs=15, target_loss=1e-9, resume=half)
    np.testing.assert_array_equal(rest.network.theta, whole.network.theta)
    np.testing.assert_array_equal(rest.loss_curve, whole.loss_curve)
    assert (rest.loss, rest.stop_reason) == (whole.loss, whole.stop_reason)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("solver", ["lm", "lbfgs", "gd"])
def test_validation_counts_targets_that_were_constant_in_training(engine, solver):
    """A flat sensor that drifts later: no network can know, and the loss must tell."""
    X, T = data(0.0, n_samples=40)
    T[1] = 7.0
    X_val, T_val = data(0.0, n_samples=20, seed=1)
    T_val[1] = 7.0 + np.linspace(0, 0.5, 20)
    options = {"hidden_size": 4, "engine": engine, "solver": solver, "max_epochs": 8}
    result = quietly(X, T, X_val=X_val, T_val=T_val, **options)
    held_out = squared_error(result.network, X_val, T_val)
    assert result.validation_loss == result.selection_score == pytest.approx(held_out, rel=1e-9)
    curve = result.validation_loss_curve
    assert curve[result.best_epoch] == curve.min() == pytest.approx(held_out, rel=1e-9)
    assert curve.min() > np.mean((T_val[1] - 7.0) ** 2)
    assert result.loss == pytest.approx(squared_error(result.network, X, T), rel=1e-9)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("value", [0.0, 0.1, -1e9])
def test_constant_targets_alone_need_no_training(solver, value):
    X, _ = data(0.0)
    result = quietly(X, np.full((2, 60), value), hidden_size=5, solver=solver)
    assert result.n_epochs <= 1
    assert (result.loss, result.converged) == (0.0, True)
    np.testing.assert_array_equal(result.network.predict(X), value)


@pytest.mark.parametrize("solver", ["lm", "lbfgs", "adam"])
def test_a_constant_target_takes_nothing_from_the_others(solver):
    X, T = data(0.0)
    options = {"hidden_size": 5, "solver": solver, "max_epochs": 30, "alpha": 0.01}
    T[1] = 3.0
    beside = quietly(X, T, **options)
    assert not beside.network.W_y[1].any()
    assert (beside.network.b_y[1], beside.loss_curve[-1]) == (3.0, beside.loss_curve[-1])
    fitted = beside.network
    alone = Network(fitted.W_h, fitted.b_h, fitted.W_y[:1], fitted.b_y[:1])
    assert squared_error(alone, X, T[:1]) == pytest.approx(beside.loss, rel=1e-12)


@pytest.mark.parametrize(
    ("offset", "dtype", "steps"),
    [
        (1e12, "f8", (0.4, 0.3, 0.5)),
        (-1e13, "f8", (0.4, 0.3, 0.5)),
        (9192631770.0, "f8", (1e-3, 0.0, 2e-3)),
        (1e6, "f4", (0.25, 0.0, 0.5)),
    ],
)
def test_small_steps_on_a_large_offset_are_fitted(offset, dtype, steps):
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (2, 120))
    signal = np.array(steps)[(X[0] > -0.3).astype(int) + (X[0] > 0.4)]
    T = (offset + signal).astype(dtype)[None]
    result = quietly(X.astype(dtype), T, hidden_size=6, max_epochs=500)
    variance = float(np.var(T.astype("f8") - offset))
    assert result.loss_curve.min() < 1e-12 * variance  # of standardised data, as without an offset
    own = squared_error(result.network, X.astype(dtype), T)
    assert result.loss == pytest.approx(own, rel=1e-9)
    if dtype == "f8":
        assert result.loss < 1e-3 * variance  # rounding of the network on raw units
    stamps = offset + np.arange(120)[None] * np.spacing(np.array(offset, dtype))
    learnt = quietly(stamps.astype(dtype), X[:1].astype(dtype), hidden_size=3, max_epochs=3)
    assert learnt.network.W_h.any()


def test_samples_of_weight_0_may_overflow():
    case = problem(dtype="float64")
    X, T, weight = case.X.copy(), case.T.copy(), np.ones(case.X.shape[1])
    X[:, 3], T[:, 3], weight[3] = 1e300, 1e300, 0.0
    with np.errstate(over="raise"):
        loss = network_loss(case.network, X, T, weight)
    kept = np.flatnonzero(weight)
    assert loss == pytest.approx(squared_error(case.network, X[:, kept], T[:, kept]), rel=1e-12)


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_the_same_bits_for_any_number_of_threads_and_any_memory_order(n_threads):
    case = problem(e=6, m=40, s=2, n_samples=30_000)
    expected = network_loss(case.network, case.X, case.T, n_threads=1)
    assert network_loss(case.network, np.asfortranarray(case.X), case.T, n_threads=n_threads) == (
        expected
    )
    assert expected == pytest.approx(squared_error(case.network, case.X, case.T), rel=1e-12)


@pytest.mark.parametrize("elements", [1, 40, 10_000])
def test_a_network_of_any_size_is_looked_at_in_parts(elements, monkeypatch):
    """One sample at a time where the network alone is larger than a part."""
    monkeypatch.setattr("batchprop.network_loss._ELEMENTS", elements)
    case = problem(e=2, m=3, s=1, n_samples=12)
    found = network_loss(case.network, case.X, case.T)
    assert found == pytest.approx(squared_error(case.network, case.X, case.T), rel=1e-12)


@pytest.mark.parametrize("n_samples", [64, 65, 200, 300])
def test_the_losses_of_several_segments(n_samples, monkeypatch):
    monkeypatch.setattr(segments, "SEGMENT_SAMPLES", 64)
    net, X, T, weight = problem(n_samples=n_samples, weighted=True)
    residuals = net.predict(X) - T
    expected = (weight * residuals**2).sum(axis=1) / weight.sum()
    np.testing.assert_allclose(output_losses(net, X, T, weight), expected, rtol=1e-13)
    unweighted = (residuals**2).mean(axis=1)
    np.testing.assert_allclose(output_losses(net, X, T), unweighted, rtol=1e-13)
