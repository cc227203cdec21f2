"""When a run stops: each rule at the epoch its definition says, and each rule switched off."""

from __future__ import annotations

import math

import numpy as np
import pytest

import batchprop
from tests.problems import problem

ENGINES = pytest.mark.parametrize("engine", ["vectorized", "fused"])
OFF = {"alpha": 0.0, "solver": "gd", "tol": None, "gradient_tol": None, "scale": False}


def trained(case, **options):
    return batchprop.train(case.X, case.T, network=case.network, **(OFF | options))


def gradient_norms(case, n_epochs, **options):
    """Return ‖∂L/∂θ‖ at epochs 0 … n_epochs, as a callback is told them."""
    norms = []
    trained(
        case, max_epochs=n_epochs,
        callback=lambda progress: norms.append(progress.gradient_norm), **options,
    )  # fmt: skip
    return norms


@ENGINES
def test_epochs_at_most(engine):
    result = trained(problem(), engine=engine, max_epochs=7)
    assert (result.n_epochs, result.stop_reason, result.converged) == (7, "max_epochs", False)
    assert result.loss_curve.size == 8


@ENGINES
def test_target_loss(engine):
    case = problem(m=8)
    curve = trained(case, engine=engine, max_epochs=60).loss_curve
    target = float(curve[25])
    result = trained(case, engine=engine, max_epochs=60, target_loss=target)
    first = int(np.argmax(curve <= target))
    assert (result.n_epochs, result.stop_reason, result.converged) == (first, "target_loss", True)
    assert result.loss <= target < result.loss_curve[-2]


@ENGINES
def test_a_target_that_is_reached_at_the_start(engine):
    result = trained(problem(), engine=engine, target_loss=1e9)
    assert (result.n_epochs, result.stop_reason) == (0, "target_loss")
    assert result.loss_curve.shape == (1,)


@ENGINES
def test_gradient_norm(engine):
    case = problem(m=8)
    norms = gradient_norms(case, 60, engine=engine)
    bound = norms[40]
    first = int(np.argmax(np.array(norms) <= bound))
    result = trained(case, engine=engine, max_epochs=60, gradient_tol=bound)
    assert (result.n_epochs, result.stop_reason, result.converged) == (first, "gradient_norm", True)
    _, gradient = batchprop.loss_and_gradient(result.last_network, case.X, case.T, engine=engine)
    assert np.linalg.norm(gradient.theta) == pytest.approx(bound, rel=1e-12)


@pytest.mark.parametrize("off", [None, 0])
def test_the_gradient_rule_is_switched_off(off):
    case = problem(e=1, m=1, s=1, n_samples=1)
    flat = batchprop.Network([[0.0]], [0.0], [[0.0]], case.T[0], activation="identity")
    assert trained(case._replace(network=flat), gradient_tol=1e-10).stop_reason == "gradient_norm"
    result = trained(case._replace(network=flat), gradient_tol=off, max_epochs=9)
    assert (result.n_epochs, result.stop_reason, result.loss) == (9, "max_epochs", 0.0)


def stagnation_epoch(curve, tol, window):
    """Return the first epoch at which L has not fallen by its share for ``window`` epochs."""
    reference, since = curve[0], 0
    for epoch, loss in enumerate(curve):
        if loss < reference * (1 - tol):
            reference, since = loss, epoch
        if epoch - since >= window:
            return epoch
    return None


@ENGINES
@pytest.mark.filterwarnings(
    "ignore:Stopped by 'stagnation' with"
)  # see tests/training/test_convergence.py
@pytest.mark.parametrize(("tol", "window"), [(1e-2, 5), (1e-2, 1), (3e-2, 20)])
def test_stagnation(engine, tol, window):
    case = problem(m=6, n_samples=30)
    curve = trained(case, engine=engine, max_epochs=400).loss_curve
    expected = stagnation_epoch(curve, tol, window)
    assert expected is not None
    result = trained(case, engine=engine, max_epochs=400, tol=tol, n_epochs_no_change=window)
    assert (result.n_epochs, result.stop_reason) == (expected, "stagnation")


@pytest.mark.filterwarnings("ignore:Stopped by 'stagnation' with")
@pytest.mark.parametrize("off", [None, 0])
def test_stagnation_is_switched_off(off):
    slow = {"learning_rate": 1e-12, "n_epochs_no_change": 2, "max_epochs": 50}
    assert trained(problem(), tol=1e-3, **slow).n_epochs == 2
    result = trained(problem(), tol=off, **slow)
    assert (result.n_epochs, result.stop_reason) == (50, "max_epochs")


def overfitting(dtype="float64"):
    """A small noisy table, and validation data on which the loss turns up again."""
    rng = np.random.default_rng(5)
    X = rng.uniform(-2, 2, (1, 12)).astype(dtype)
    X_val = rng.uniform(-2, 2, (1, 40)).astype(dtype)
    T, T_val = (np.sin(x) + 0.5 * rng.normal(size=x.shape).astype(dtype) for x in (X, X_val))
    return {"X": X, "T": T, "X_val": X_val, "T_val": T_val, "hidden_size": 20, "solver": "adam"}


@ENGINES
@pytest.mark.parametrize("patience", [1, 10, 60])
def test_patience(engine, patience):
    data = overfitting() | {"engine": engine, "learning_rate": 0.05, "max_epochs": 400} | OFF
    curve = batchprop.train(**{"alpha": 0.0} | data).validation_loss_curve
    records = np.flatnonzero(curve == np.minimum.accumulate(curve))
    waits = np.diff([*records, math.inf])
    best = int(records[np.argmax(waits > patience)])
    result = batchprop.train(**{"alpha": 0.0} | data, patience=patience)
    assert result.stop_reason == "patience"
    assert not result.converged
    assert (result.best_epoch, result.n_epochs) == (best, best + patience)
    assert result.validation_loss == curve[best]


@ENGINES
def test_validation_data_choose_the_network_with_patience_off(engine):
    data = overfitting() | {"engine": engine, "learning_rate": 0.05, "max_epochs": 200} | OFF
    result = batchprop.train(**{"alpha": 0.0} | data)
    best = int(np.argmin(result.validation_loss_curve))
    assert (result.n_epochs, result.best_epoch) == (200, best)
    assert best < 200
    assert result.loss == result.loss_curve[best] > result.loss_curve.min()
    assert result.validation_loss == result.validation_loss_curve.min()
    at_best, _ = batchprop.loss_and_gradient(result.network, data["X_val"], data["T_val"])
    assert at_best == pytest.approx(result.validation_loss, rel=1e-12)


def test_no_limit_of_epochs():
    result = trained(problem(), max_epochs=None, max_seconds=0.2)
    assert result.stop_reason == "max_seconds"
    assert result.n_epochs > 0


def test_huge_numbers_are_as_good_as_none():
    case, huge = problem(), 10**30
    result = trained(
        case, max_epochs=huge, tol=1e-3, n_epochs_no_change=huge, callback_every=huge,
        X_val=case.X, T_val=case.T, patience=huge, max_seconds=0.1, callback=lambda progress: False,
    )  # fmt: skip
    assert result.stop_reason == "max_seconds"
