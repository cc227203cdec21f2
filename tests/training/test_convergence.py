"""A run that came to rest is called converged at a bottom, not on a saddle or a plateau."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from batchprop import ENGINES, Network, train, train_many
from batchprop.solvers.settings import FIRST_ORDER, SOLVERS
from batchprop.solvers.stopping import CONVERGED

RNG = np.random.default_rng(0)
X = RNG.uniform(-2, 2, (3, 200))
T = np.sin(2 * X[:1]) + X[1:2] * X[2:]
OPTIONS = {"alpha": 0.0, "n_threads": 1, "max_epochs": 300}


def trained(X=X, T=T, **options):
    """Train; return the result and what was said of where it came to rest."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = train(X, T, **OPTIONS | options)
    for one in caught:
        assert one.filename == __file__
        assert one.category is UserWarning
    texts = [str(one.message) for one in caught if str(one.message).startswith("Stopped by")]
    assert len(texts) <= 1
    # what is said and what the result says belong together
    assert bool(texts) == (result.stop_reason in CONVERGED and not result.converged)
    return result, "".join(texts)


def tiny(scale, activation="tanh", s=1):
    start = Network.initialize(3, 6, s, activation=activation)
    return Network.from_theta(start.theta * scale, start.shape, activation)


@pytest.mark.parametrize("scaled", [True, False])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("scale", [0.0, 1e-12, 1e-9, 1e-6, 1e-4])
def test_a_start_at_the_saddle_is_left_or_told(scale, solver, scaled):
    mean = {"gradient_tol": 1e-10}
    result, text = trained(network=tiny(scale), solver=solver, scale=scaled, **mean)
    explained = 1 - result.loss / T.var()
    if result.converged:
        assert explained > 0.5
    elif result.stop_reason in CONVERGED:
        assert explained < 0.9
        assert "Start from larger weights" in text or "of the variance of T left" in text


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("unit", [1e-100, 1.0, 1e100])
def test_units_do_not_matter(engine, unit):
    result, text = trained(T=unit * T, network=tiny(0.0), engine=engine, solver="lbfgs")
    assert not result.converged
    assert "the mean of T" in text


def test_dead_units():
    start = Network.initialize(3, 6, 1, activation="relu")
    start.b_h[:] = -100.0
    result, text = trained(network=start, solver="lbfgs")
    assert "the mean of T" in text
    assert not result.converged


@pytest.mark.parametrize("alpha", [0.1, 1e6])
def test_a_penalty_may_make_zero_the_minimum(alpha):
    result, text = trained(hidden_size=6, alpha=alpha, solver="lbfgs", max_epochs=5000)
    assert result.converged
    assert not text
    assert (abs(1 - result.loss / T.var()) < 1e-3) == (alpha > 1)
    result, text = trained(network=tiny(0.0), alpha=alpha, solver="lbfgs")
    assert "the mean of T" in text


@pytest.mark.parametrize("solver", FIRST_ORDER)
@pytest.mark.parametrize("s", [1, 2])
def test_a_plateau_of_small_steps(solver, s):
    targets = np.vstack([T, X[:1]])[:s]
    result, text = trained(
        T=targets, hidden_size=6, solver=solver, learning_rate=1e-9, scale=s == 1
    )
    assert (result.stop_reason, result.converged) == ("stagnation", False)
    assert f"solver={solver!r} with learning_rate=1e-09" in text
    left = float(text.split(" of the variance")[0].split("with ")[1])
    assert left == pytest.approx(result.loss_curve[-1] / targets.var(axis=1).sum(), rel=0.06)
    again, text = trained(T=targets, hidden_size=6, solver="lbfgs", max_epochs=20_000)  # the remedy
    assert again.loss < 0.01 * targets.var(axis=1).sum()
    assert not text


@pytest.mark.parametrize("solver", ["gd", "momentum"])
def test_the_bottom_of_noisy_data_is_one(solver):
    """Of a linear network on noise, most of whose variance no network can explain."""
    noisy = X[:1] + 3 * RNG.normal(size=T.shape)
    result, text = trained(
        T=noisy, hidden_size=2, activation="identity", solver=solver, max_epochs=20_000, tol=1e-9
    )
    assert (result.stop_reason, text) == ("stagnation", "")
    A = np.vstack([X, np.ones(200)])
    least = noisy - noisy @ np.linalg.pinv(A) @ A
    assert result.loss == pytest.approx(np.mean(least**2), rel=1e-6)
    assert result.loss > 0.5 * noisy.var()
    assert result.converged


def test_nothing_to_predict_and_nothing_to_predict_from():
    for data in ({"T": np.full_like(T, 2.0)}, {"X": np.ones_like(X)}):
        _, text = trained(**data, hidden_size=4)
        assert not text


def test_a_target_that_is_reached_is_reached():
    result, text = trained(network=tiny(0.0), target_loss=10.0, max_epochs=10)
    assert (result.stop_reason, result.converged, text) == ("target_loss", True, "")


def test_one_warning_for_each_network():
    with pytest.warns(UserWarning, match="the mean of T") as caught:
        results = train_many(
            X, T, [{"network": tiny(0.0)}, {"hidden_size": 4}, {"network": tiny(0.0)}],
            solver="lbfgs", max_epochs=20, alpha=0.0,
        )  # fmt: skip
    assert len(caught) == 2
    assert [one.filename for one in caught] == [__file__] * 2
    assert [result.converged for result in results] == [False, False, False]
    assert results[1].stop_reason == "max_epochs"


def test_one_constant_input_among_others_excuses_nothing():
    result, text = trained(X=np.vstack([X[:2], X[:1] ** 0]), network=tiny(0.0), solver="lbfgs")
    assert "the mean of T" in text
    assert not result.converged


@pytest.mark.parametrize("scale", [1e-6, 1e-4])
def test_a_start_near_the_saddle_is_told_of_whatever_the_penalty(scale):
    _, text = trained(network=tiny(scale), alpha=1e6, solver="lbfgs", max_epochs=5000)
    assert "the mean of T" in text


def test_where_little_is_left_small_steps_are_no_plateau():
    fitted = train(X, T, hidden_size=12, solver="lbfgs", max_epochs=60, n_threads=1, alpha=0.0)
    assert fitted.loss < 0.05 * T.var()
    result, text = trained(network=fitted.network, solver="gd", learning_rate=1e-9)
    assert (result.stop_reason, result.converged, text) == ("stagnation", True, "")
    assert result.gradient_norm > 1e-5 * result.loss
