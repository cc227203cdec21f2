"""Each number of a result and of a callback's progress, computed once more from the networks."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop import Network, loss_and_gradient, train
from batchprop.solvers.settings import SOLVERS
from tests.problems import problem

CASE = problem(e=2, m=4, s=2, n_samples=30, weighted=True)
HELD_OUT = problem(e=2, m=4, s=2, n_samples=20)
ALPHA = (0.3, 0.1)
PLAIN = {"network": CASE.network, "scale": False, "max_epochs": 6, "tol": None,
         "gradient_tol": None, "alpha": ALPHA, "sample_weight": CASE.weight}  # fmt: skip
EACH = pytest.mark.parametrize(
    ("solver", "engine"),
    [(solver, engine) for solver in SOLVERS for engine in ("fused", "vectorized")],
)


def ran(solver, engine="fused", **options):
    """Return the result, what the callback was told, and the network after each epoch."""
    told = []
    options = PLAIN | {"solver": solver, "engine": engine} | options
    result = train(CASE.X, CASE.T, **{"alpha": 0.0} | options, callback=told.append)
    after = [
        train(CASE.X, CASE.T, **({"alpha": 0.0} | options | {"max_epochs": n})).last_network
        for n in range(result.n_epochs + 1)
    ]
    return result, told, after


def loss_of(network, case=CASE):
    return loss_and_gradient(network, case.X, case.T, sample_weight=case.weight)[0]


def penalised(network):
    """Return J and ∂J/∂θ."""
    rest = {"sample_weight": CASE.weight, "alpha": ALPHA}
    J, gradient = loss_and_gradient(network, CASE.X, CASE.T, **rest)
    return J, gradient.theta


@EACH
def test_what_is_told_after_each_epoch(solver, engine):
    result, told, after = ran(solver, engine)
    assert [one.epoch for one in told] == list(range(7))
    losses = [loss_of(network) for network in after]
    np.testing.assert_allclose(result.loss_curve, losses, rtol=1e-11)
    assert [one.loss for one in told] == list(result.loss_curve)
    assert {one.start for one in told} == {0}
    assert all(np.isnan(one.validation_loss) for one in told)
    seconds = [one.seconds for one in told]
    assert sorted(seconds) == seconds
    assert 0 < seconds[0] <= seconds[-1] <= result.seconds
    evaluations = [one.evaluations for one in told]
    assert evaluations[0] >= 1
    assert all(np.diff(evaluations) >= (0 if solver == "scipy" else 1))  # which goes ahead
    assert evaluations[-1] == result.n_evaluations


@EACH
def test_the_gradient_is_that_of_what_is_minimised(solver, engine):
    result, told, after = ran(solver, engine)
    norms = [np.linalg.norm(penalised(network)[1]) for network in after]
    norms[-1] = norms[-2]  # after the last step it stays as it was
    np.testing.assert_allclose([one.gradient_norm for one in told], norms, rtol=1e-7)
    assert result.gradient_norm == told[-1].gradient_norm


@EACH
def test_the_best_is_of_what_is_minimised(solver, engine):
    result, told, after = ran(solver, engine)
    scores = [penalised(network)[0] for network in after]
    best = int(np.argmin(scores))
    assert result.best_epoch == best
    assert result.selection_score == pytest.approx(scores[best], rel=1e-11)
    np.testing.assert_array_equal(result.network.theta, after[best].theta)
    np.testing.assert_array_equal(result.last_network.theta, after[-1].theta)
    assert result.loss == result.loss_curve[best]
    at_best = [int(np.argmin(scores[: k + 1])) for k in range(len(scores))]
    assert [one.best_loss for one in told] == [result.loss_curve[k] for k in at_best]


@EACH
def test_with_validation_data(solver, engine):
    more = {"X_val": HELD_OUT.X, "T_val": HELD_OUT.T}
    result, told, after = ran(solver, engine, **more)
    losses = [loss_of(network, HELD_OUT) for network in after]
    np.testing.assert_allclose(result.validation_loss_curve, losses, rtol=1e-11)
    assert [one.validation_loss for one in told] == list(result.validation_loss_curve)
    best = int(np.argmin(losses))
    assert (result.best_epoch, result.validation_loss) == (best, result.validation_loss_curve[best])
    assert result.selection_score == result.validation_loss
    assert result.loss == result.loss_curve[best]
    lowest = np.minimum.accumulate(result.validation_loss_curve)
    assert [one.best_loss for one in told] == list(lowest)


@pytest.mark.parametrize("solver", SOLVERS)
def test_the_length_of_a_step(solver):
    """The one that led there, or of solvers that have made the next one by now, that."""
    result, told, after = ran(solver)
    lengths = [np.linalg.norm(b.theta - a.theta) for a, b in zip(after, after[1:], strict=False)]
    ahead = [one.step for one in told[:-1]]
    behind = [one.step for one in told[1:]]
    assert np.allclose(ahead, lengths, rtol=1e-9) or np.allclose(behind, lengths, rtol=1e-9)
    assert told[-1].step == pytest.approx(lengths[-1], rel=1e-9)


@pytest.mark.parametrize("solver", SOLVERS)
def test_what_a_result_says_of_itself(solver):
    result, told, _ = ran(solver)
    assert (result.n_epochs, result.stop_reason, result.converged) == (6, "max_epochs", False)
    assert result.solver == result.checkpoint.arguments["solver"] == solver
    assert result.alpha == ALPHA
    assert (result.alpha_report, result.starts) == (None, ())
    assert result.loss_curve.shape == (7,)
    assert result.validation_loss_curve.shape == (0,)
    assert np.isnan(result.validation_loss)


@pytest.mark.parametrize("scale", [True, False])
def test_losses_of_scaled_training_are_of_the_network_on_raw_units(scale):
    T = 50.0 + 20.0 * CASE.T
    result = train(
        CASE.X, T, hidden_size=4, solver="lbfgs", max_epochs=9, tol=None, scale=scale,
        X_val=HELD_OUT.X, T_val=50.0 + 20.0 * HELD_OUT.T, alpha=0.0,
    )  # fmt: skip
    loss, _ = loss_and_gradient(result.network, CASE.X, T)
    assert result.loss == pytest.approx(loss, rel=1e-9)
    loss, _ = loss_and_gradient(result.network, HELD_OUT.X, 50.0 + 20.0 * HELD_OUT.T)
    assert result.validation_loss == pytest.approx(loss, rel=1e-9)
    loss, _ = loss_and_gradient(result.last_network, CASE.X, T)
    assert result.loss_curve[-1] == pytest.approx(loss, rel=1e-9)


def test_gradients_of_scaled_training_are_of_standardised_data():
    X, T = 3.0 + 5.0 * CASE.X, 50.0 + 20.0 * CASE.T
    options = {"hidden_size": 4, "solver": "lbfgs", "max_epochs": 3, "tol": None, "seed": 2}
    scaled = train(X, T, **{"alpha": 0.0} | options)

    def standard(A):
        return (A - A.mean(axis=1, keepdims=True)) / A.std(axis=1, keepdims=True)

    plain = train(standard(X), standard(T), scale=False, **{"alpha": 0.0} | options)
    assert scaled.gradient_norm == pytest.approx(plain.gradient_norm, rel=1e-8)
    assert scaled.selection_score == pytest.approx(plain.selection_score, rel=1e-10)
    assert isinstance(scaled.network, Network)
