"""``partial_fit``: one iteration on a batch, from where the last call ended."""

from __future__ import annotations

import doctest
import inspect
import pickle
import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from batchprop import Network, loss_and_gradient
from batchprop.sklearn import BatchMLPRegressor
from batchprop.solvers.settings import FIRST_ORDER, RESUMABLE

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 3))
Y = np.column_stack([np.sin(2 * X[:, 0]) + X[:, 1], X[:, 1] * X[:, 2]])
SMALL = {"hidden_size": 5, "random_state": 0, "n_threads": 1}


def batch(seed, n_samples=120):
    x = np.random.default_rng(seed).normal(size=(n_samples, 3))
    return x, np.sin(x[:, 0]) + x[:, 1]


def warm_started(n_calls, x=X, y=Y, **options):
    model = BatchMLPRegressor(**SMALL | options, warm_start=True, max_iter=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for _ in range(n_calls):
            model.fit(x, y)
    return model


@pytest.mark.parametrize("alpha", ["auto", 0.1])
@pytest.mark.parametrize("solver", RESUMABLE)
def test_the_same_batch_again_is_a_warm_start_of_one_iteration(solver, alpha):
    model = BatchMLPRegressor(**SMALL, solver=solver, alpha=alpha)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # one iteration is what was asked for
        for count in range(1, 8):
            assert model.partial_fit(X, Y) is model
            assert model.n_iter_ == count
            if count == 3:
                model = pickle.loads(pickle.dumps(model))
    expected = warm_started(7, solver=solver, alpha=alpha)
    np.testing.assert_array_equal(model.network_.theta, expected.network_.theta)
    np.testing.assert_array_equal(model.loss_curve_, expected.loss_curve_)
    assert model.alpha_ == expected.alpha_


def test_a_random_generator_is_the_same_in_every_call():
    model = BatchMLPRegressor(**SMALL | {"random_state": np.random.RandomState(3)}, solver="adam")
    for _ in range(4):
        model.partial_fit(X, Y)
    assert model.n_iter_ == 4
    assert pickle.loads(pickle.dumps(model)).partial_fit(X, Y).n_iter_ == 5


@pytest.mark.parametrize("solver", FIRST_ORDER)
def test_a_stream_of_batches_is_learnt(solver):
    model = BatchMLPRegressor(**SMALL | {"hidden_size": 10}, solver=solver)
    scores = []
    for seed in range(150):
        model.partial_fit(*batch(seed))
        scores.append(model.score(*batch(10**6, 1000)))
    assert model.n_iter_ == 150
    assert model.loss_curve_.shape == (151,)
    assert scores[-1] > 0.9 > scores[0]


def test_the_gradient_is_that_of_the_batch_and_the_velocity_goes_on():
    """Two steps of momentum, computed by hand on unscaled data."""
    options = {"solver": "momentum", "scale": False, "alpha": 0.0, "learning_rate": 1e-3}
    first, second = batch(1), batch(2)
    start = BatchMLPRegressor(**SMALL, **options).fit(*first, callback=lambda _: True).network_

    def gradient(theta, x, y):
        network = Network.from_theta(theta, start.shape, start.activation)
        return loss_and_gradient(network, x.T, y[np.newaxis])[1].theta

    model, theta = BatchMLPRegressor(**SMALL, **options), start.theta.copy()
    velocity = np.zeros_like(theta)
    for x, y in (first, second):
        velocity = 0.9 * velocity - 1e-3 * gradient(theta, x, y)
        theta = theta + velocity
        model.partial_fit(x, y)
    np.testing.assert_allclose(model.network_.theta, theta, rtol=1e-12, atol=1e-15)
    x, y = second
    assert model.loss_curve_[2] == pytest.approx(((model.predict(x) - y) ** 2).mean(), rel=1e-12)


def test_all_batches_share_the_scaling_of_the_first():
    x, y = batch(0)
    model = BatchMLPRegressor(**SMALL, solver="gd").partial_fit(x, y)
    scaling = model._previous_fit.checkpoint.scaling
    model.partial_fit(100 * x + 7, 3 * y)
    np.testing.assert_array_equal(model._previous_fit.checkpoint.scaling.x_mean, scaling.x_mean)


@pytest.mark.parametrize("solver", ["lbfgs", "lm", "scipy"])
def test_full_batch_solvers_begin_a_run_from_the_network_of_the_last_batch(solver):
    model = BatchMLPRegressor(**SMALL, solver=solver, alpha="evidence").partial_fit(*batch(0))
    penalty, network = model.alpha_, model.network_
    x, y = batch(1)
    model.partial_fit(x, y)
    assert model.n_iter_ == 1
    assert model.alpha_ == penalty  # chosen once
    expected = ((network.predict(x.T)[0] - y) ** 2).mean()
    assert model.loss_curve_[0] == pytest.approx(expected, rel=1e-9)


@pytest.mark.filterwarnings("ignore:Stopped by max_iter")
def test_it_goes_on_after_fit_and_fit_begins_anew():
    x, y = batch(0)
    model = BatchMLPRegressor(**SMALL, solver="adam", max_iter=50).fit(x, y)
    fitted, count = model.loss_, model.n_iter_
    model.partial_fit(x, y)
    assert model.loss_curve_[0] == pytest.approx(fitted, rel=1e-9)
    assert model.fit(x, y).n_iter_ == count


def test_another_dtype_is_converted():
    model = BatchMLPRegressor(**SMALL, solver="adam").partial_fit(*batch(0))
    x, y = batch(1)
    model.partial_fit(x.astype("f4"), y)
    assert model.n_iter_ == 2
    assert model.network_.dtype == "float64"


def test_sample_weights_may_come_and_go():
    model = BatchMLPRegressor(**SMALL, solver="adam").partial_fit(*batch(0))
    x, y = batch(1)
    weight = np.r_[np.ones(60), np.zeros(60)]
    other = pickle.loads(pickle.dumps(model)).partial_fit(x[:60], y[:60])
    model.partial_fit(x, y, sample_weight=weight)
    np.testing.assert_allclose(model.predict(x), other.predict(x), rtol=1e-9)
    assert model.partial_fit(*batch(2)).n_iter_ == 3


def test_after_values_that_are_not_finite_it_begins_at_the_network():
    model = BatchMLPRegressor(**SMALL, solver="gd", activation="relu").partial_fit(*batch(0))
    x, y = batch(1)
    with pytest.warns(RuntimeWarning, match="y"):
        model.partial_fit(x, 1e200 * y)
    assert model.stop_reason_ == "non_finite"
    assert np.isfinite(model.predict(x)).all()
    model.partial_fit(x, y)
    assert model.stop_reason_ == "max_epochs"
    assert np.isfinite(model.loss_)


def test_what_does_not_fit_the_batches_before():
    model = BatchMLPRegressor(**SMALL).partial_fit(X, Y)
    theta = model.network_.theta.copy()
    with pytest.raises(ValueError, match="X has 2 features, but BatchMLPRegressor is expecting 3"):
        model.partial_fit(X[:, :2], Y)
    with pytest.raises(
        ValueError, match="^y must have 2 outputs, as many as in earlier calls; got 1"
    ):
        model.partial_fit(X, Y[:, 0])
    np.testing.assert_array_equal(model.network_.theta, theta)
    assert model.partial_fit(X, Y).n_iter_ == 2


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"early_stopping": True}, "without early_stopping"),
        ({"uncertainty": "laplace"}, "without uncertainty"),
        ({"combine": "mean", "n_init": 2}, "combine='best'"),
    ],
)
def test_where_it_is_not_available(options, reason):
    model = BatchMLPRegressor(**options)
    assert not hasattr(model, "partial_fit")
    with pytest.raises(AttributeError) as raised:
        _ = model.partial_fit
    assert reason in str(raised.value.__cause__)
    assert hasattr(model.set_params(**dict.fromkeys(options, None)), "partial_fit")


def test_the_example():
    text = inspect.getdoc(BatchMLPRegressor.partial_fit)
    example = doctest.DocTestParser().get_doctest(text, {}, "partial_fit", None, None)
    assert doctest.DocTestRunner(verbose=False).run(example).failed == 0
    assert example.examples
