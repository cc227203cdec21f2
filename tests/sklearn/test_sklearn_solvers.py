"""The estimator's solvers: which one ran and how it ended, warm starts, callbacks, penalties."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.neural_network import MLPRegressor

from batchprop import train
from batchprop.sklearn import BatchMLPRegressor
from batchprop.solvers.settings import LIMITS, RESUMABLE, SOLVERS

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 3))
Y = np.column_stack([np.sin(2 * X[:, 0]) + X[:, 1], X[:, 1] * X[:, 2]])
# these fits end by limits, which the estimator says
pytestmark = pytest.mark.filterwarnings("ignore:Stopped by max_")
SMALL = {"alpha": 0.0, "hidden_size": 8, "tol": 0, "random_state": 0}


@pytest.mark.parametrize("solver", ["auto", *SOLVERS])
def test_what_is_known_of_a_fit(solver):
    model = BatchMLPRegressor(solver=solver, max_iter=9, n_init=2, **SMALL).fit(X, Y)
    result = train(
        X.T, Y.T, hidden_size=8, tol=None, solver=solver, max_epochs=9, n_init=2, alpha=0.0
    )  # the same, as the seed is 0
    assert model.solver_ == result.solver != "auto"
    assert (model.n_iter_, model.stop_reason_, model.converged_) == (9, "max_epochs", False)
    assert (model.best_iter_, model.n_evaluations_) == (result.best_epoch, result.n_evaluations)
    assert model.n_evaluations_ >= 10
    assert model.gradient_norm_ == result.gradient_norm > 0
    np.testing.assert_array_equal(model.start_losses_, [one.loss for one in result.starts])
    assert model.loss_ == model.start_losses_.min()


@pytest.mark.parametrize("solver", RESUMABLE)
def test_a_warm_start_is_the_run_continued(solver):
    options = SMALL | {"solver": solver}
    whole = BatchMLPRegressor(max_iter=30, **{"alpha": 0.0} | options).fit(X, Y)
    model = BatchMLPRegressor(max_iter=18, warm_start=True, **{"alpha": 0.0} | options).fit(X, Y)
    assert model.n_iter_ == 18
    model = pickle.loads(pickle.dumps(model)).set_params(max_iter=12, n_threads=2)
    model.fit(X.copy(), Y.copy(order="F"))
    assert model.n_iter_ == 30
    np.testing.assert_array_equal(model.loss_curve_, whole.loss_curve_)
    np.testing.assert_array_equal(model.network_.theta, whole.network_.theta)


@pytest.mark.parametrize(
    ("change", "goes_on"),
    [
        ({"max_iter": 7, "max_seconds": 60.0, "verbose": 0}, True),
        ({"alpha": 0.1}, False),
        ({"n_iter_no_change": 20}, False),
        ({"solver": "adam"}, False),
        ({"random_state": 1}, False),
        ({"solver_options": {"history_size": 5}}, False),
    ],
)
def test_other_parameters_begin_a_run_of_their_own(change, goes_on):
    model = BatchMLPRegressor(solver="lbfgs", max_iter=5, warm_start=True, **SMALL).fit(X, Y)
    reached = model.loss_
    model.set_params(**change).fit(X, Y)
    assert (model.n_iter_ > model.max_iter) == goes_on
    assert model.loss_curve_[5 if goes_on else 0] == pytest.approx(reached, rel=1e-9)


def test_changed_options_weights_or_rows_begin_a_run_of_their_own():
    options = {"history_size": 5}
    model = BatchMLPRegressor(
        solver="lbfgs",
        max_iter=5,
        warm_start=True,
        solver_options=options,
        **SMALL,
    )
    for weight in (None, np.ones(120), np.linspace(1, 2, 120)):
        assert model.fit(X, Y, weight).n_iter_ == 5
    assert model.fit(X, Y, weight).n_iter_ == 10
    options["history_size"] = 6  # in the dict that the estimator holds
    assert model.fit(X, Y, weight).n_iter_ == 5
    assert model.fit(X[::-1], Y, weight).n_iter_ == 5
    assert model.fit(X[::-1], Y, weight).n_iter_ == 10
    assert model.set_params(warm_start=False).fit(X[::-1], Y, weight).n_iter_ == 5
    assert model.set_params(warm_start=True).fit(X[::-1], Y, weight).n_iter_ == 5


def test_early_stopping_can_be_continued():
    options = SMALL | {"early_stopping": True, "n_iter_no_change": 500, "solver": "adam"}
    whole = BatchMLPRegressor(max_iter=40, **{"alpha": 0.0} | options)
    parts = BatchMLPRegressor(max_iter=20, warm_start=True, **{"alpha": 0.0} | options)
    with pytest.warns(match="Raise max_iter"):
        whole.fit(X, Y), parts.fit(X, Y).fit(X, Y)
    np.testing.assert_array_equal(parts.validation_loss_curve_, whole.validation_loss_curve_)
    assert parts.n_iter_ == 40


@pytest.mark.parametrize("solver", ["lbfgs", "lm", "adam"])
def test_auto_takes_the_solvers_own_numbers(solver):
    x, y = X[:, :1], np.random.default_rng(1).normal(size=120)  # noise: the minimum comes early
    model = BatchMLPRegressor(hidden_size=20, solver=solver, random_state=0, alpha=0.0)
    model.fit(x, y, X_val=x + 0.1, y_val=y[::-1])
    assert model.stop_reason_ == "patience"
    assert model.n_iter_ - model.best_iter_ == LIMITS[solver].n_epochs_no_change


def test_options_of_single_solvers_reach_them():
    def epochs(solver, **options):
        model = BatchMLPRegressor(solver=solver, solver_options=options, max_iter=40, **SMALL)
        return model.fit(X, Y)

    assert epochs("lbfgs", target_loss=0.5).stop_reason_ == "target_loss"
    assert epochs("lbfgs", max_evaluations=7).stop_reason_ == "max_evaluations"
    assert epochs("lm", gradient_tol=1.0).stop_reason_ == "gradient_norm"
    assert epochs("momentum", momentum=0.0).loss_ == pytest.approx(
        BatchMLPRegressor(
            solver="gd", max_iter=40, learning_rate=0.25 / 16, **SMALL
        ).fit(X, Y).loss_, rel=1e-12,
    )  # fmt: skip
    with pytest.raises(
        ValueError, match="key of solver_options must be one of .* Did you mean 'mo"
    ):
        epochs("gd", momentun=0.5)
    with pytest.raises(ValueError, match=r"^damping must "):
        epochs("lm", damping=-1.0)


@pytest.mark.parametrize("solver", SOLVERS)
def test_callbacks(solver):
    told = []
    model = BatchMLPRegressor(solver=solver, max_iter=8, **SMALL)
    model.fit(X, Y, callback=told.append, callback_every=3)
    assert [progress.epoch for progress in told] == [0, 3, 6, 8]
    assert told[-1].loss == model.loss_curve_[-1]
    model.fit(X, Y, callback=lambda progress: progress.epoch == 2)
    assert (model.n_iter_, model.stop_reason_) == (2, "callback")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("alpha", [0.01, 1.0])
def test_alpha_is_scikit_learns(alpha):
    """Where our penalised loss is lowest, scikit-learn finds nothing lower, and the same value."""
    x = (X - X.mean(axis=0)) / X.std(axis=0)
    y = (Y[:, 0] - Y[:, 0].mean()) / Y[:, 0].std()
    ours = BatchMLPRegressor(hidden_size=4, alpha=alpha, random_state=0, scale=False).fit(x, y)
    theirs = MLPRegressor(
        hidden_layer_sizes=(4,), activation="tanh", solver="lbfgs", alpha=alpha, max_iter=1,
        warm_start=True, random_state=0,
    ).fit(x, y)  # fmt: skip
    theirs.coefs_ = [part.copy() for part in ours.coefs_]
    theirs.intercepts_ = [part.copy() for part in ours.intercepts_]
    theirs.set_params(max_iter=100).fit(x, y)
    squares = sum(float((part**2).sum()) for part in ours.coefs_)
    assert 2 * theirs.loss_ == pytest.approx(ours.loss_ + alpha / 120 * squares, rel=1e-6)
    for mine, its in zip(ours.coefs_, theirs.coefs_, strict=True):
        np.testing.assert_allclose(its, mine, atol=0.02 * np.abs(mine).max())
