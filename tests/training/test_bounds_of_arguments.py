"""The bounds of every number that the public calls take: the last that is taken, the first not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from batchprop import Network, check_gradient, gauss_newton, loss_and_gradient, train
from batchprop.engines.fused.gauss_newton.gauss_newton_blocking import n_bytes
from batchprop.sklearn import BatchMLPRegressor
from batchprop.validation import memory_demand
from batchprop.validation.error_text import described
from tests.problems import problem

CASE = problem(e=1, m=2, s=1, n_samples=6)
TINY, BELOW_0 = 5e-324, -5e-324
BELOW_1 = float(np.nextafter(1.0, 0.0))

# argument: the numbers at its bounds that are taken, and those that are not
BOUNDS = {
    "hidden_size": ((1,), (0, -1)),
    "learning_rate": ((TINY, 1e300, None), (0.0, BELOW_0, math.inf, math.nan)),
    "momentum": ((0.0, BELOW_1), (BELOW_0, 1.0)),
    "beta_1": ((0.0, BELOW_1), (BELOW_0, 1.0)),
    "beta_2": ((0.0, BELOW_1), (BELOW_0, 1.0)),
    "epsilon": ((TINY, 1e300), (0.0, BELOW_0, math.inf)),
    "history_size": ((1, None), (0, -1)),
    "max_evaluations": ((1, 10**30, None), (0, -1)),
    "damping": ((TINY, 1e300), (0.0, BELOW_0, math.inf)),
    "max_damping": ((TINY, 1e300), (0.0, BELOW_0, math.inf)),
    "step_tol": ((0.0, TINY, None), (BELOW_0, math.inf)),
    "alpha": ((0.0, 1e300, (0.0, 0.0)), (BELOW_0, math.inf, (0.0, BELOW_0), (BELOW_0, 0.0))),
    "n_init": ((1, 2), (0, -1)),
    "max_epochs": ((0, None), (-1,)),
    "target_loss": ((-1e300, 0.0, None), (math.nan, math.inf)),
    "gradient_tol": ((0.0, TINY, None), (BELOW_0, math.inf)),
    "tol": ((0.0, TINY, None), (BELOW_0, math.inf)),
    "n_epochs_no_change": ((1, 10**30), (0, -1)),
    "max_seconds": ((TINY, 1e300, None), (0.0, BELOW_0, math.inf)),
    "callback_every": ((1, 10**30), (0, -1)),
    "seed": ((0, 2**63, None), (-1,)),
    "n_threads": ((1, None), (0, -1)),
    "checkpoint_seconds": ((0.0, 1e300), (BELOW_0, math.inf)),
}
OF_SOLVER = {
    "learning_rate": "gd",
    "momentum": "momentum",
    "beta_1": "adam",
    "beta_2": "adam",
    "epsilon": "adam",
    "damping": "lm",
    "max_damping": "lm",
    "step_tol": "lm",
}


def training(name, value):
    given = {"max_epochs": 1, "hidden_size": 2, "solver": OF_SOLVER.get(name, "lbfgs")}
    return train(CASE.X, CASE.T, **({"alpha": 0.0} | given | {name: value}))


@pytest.mark.filterwarnings("ignore:Loss or gradient")
@pytest.mark.parametrize("name", BOUNDS)
@pytest.mark.filterwarnings("ignore:Stopped by 'max_seconds' before the first step")
@pytest.mark.filterwarnings("ignore:Stopped by 'max_e")
def test_an_argument_of_train(name):
    taken, refused = BOUNDS[name]
    for value in refused:
        with pytest.raises(ValueError, match=rf"^{name} must .*; got .*\. .*"):
            training(name, value)
    for value in taken:
        if not (name == "max_epochs" and value is None):
            assert np.isfinite(training(name, value).network.theta).all()


def test_patience():
    held_out = {"X_val": CASE.X, "T_val": CASE.T, "hidden_size": 2, "max_epochs": 1}
    train(CASE.X, CASE.T, patience=1, **{"alpha": 0.0} | held_out)
    for value in (0, -1):
        with pytest.raises(ValueError, match=r"^patience must be an integer of at least 1"):
            train(CASE.X, CASE.T, patience=value, **{"alpha": 0.0} | held_out)


@pytest.mark.parametrize(
    ("name", "taken", "refused"),
    [
        ("alpha", 0.0, BELOW_0),
        ("n_threads", 1, 0),
        ("sample_weight", np.eye(6)[0], -np.eye(6)[0]),
        ("sample_weight", np.full(6, TINY), np.zeros(6)),
        ("sample_weight", np.array([1.0, 0, 0, 0, 0, 0]), np.array([1.0, 0, BELOW_0, 0, 0, 0])),
    ],
)
def test_an_argument_of_single_evaluations(name, taken, refused):
    for call in (loss_and_gradient, check_gradient):
        call(*CASE[:3], **{name: taken})
        with pytest.raises(ValueError, match=rf"^{name} must "):
            call(*CASE[:3], **{name: refused})


def test_arguments_of_the_gradient_check():
    check_gradient(*CASE[:3], n_probes=1, seed=0)
    for name, value in (("n_probes", 0), ("seed", -1)):
        with pytest.raises(ValueError, match=rf"^{name} must be an integer of at least"):
            check_gradient(*CASE[:3], **{name: value})


@pytest.mark.parametrize("place", range(3))
def test_sizes_of_a_network(place):
    sizes = [1, 1, 1]
    Network.initialize(*sizes)
    sizes[place] = 0
    with pytest.raises(ValueError, match="must be an integer of at least 1; got 0"):
        Network.initialize(*sizes)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("name", "taken", "refused"),
    [
        ("max_iter", (1, "auto"), (0, -1)),
        ("tol", (0.0, TINY), (BELOW_0, math.inf)),
        ("n_iter_no_change", (1,), (0,)),
        ("validation_fraction", (0.2, 0.5), (0.0, 1.0, -0.1)),
        ("verbose", (0, False), (-1,)),
        ("n_init", (1,), (0,)),
        ("max_seconds", (1e-9, None), (0.0,)),
    ],
)
def test_a_parameter_of_the_estimator(name, taken, refused):
    usual = {"hidden_size": 2, "solver": "lbfgs", "max_iter": 1, "random_state": 0}
    usual |= {"early_stopping": name == "validation_fraction"}
    for value in taken:
        BatchMLPRegressor(**({"alpha": 0.0} | usual | {name: value})).fit(CASE.X.T, CASE.T[0])
    for value in refused:
        with pytest.raises(ValueError, match=rf"^{name} must "):
            BatchMLPRegressor(**({"alpha": 0.0} | usual | {name: value})).fit(CASE.X.T, CASE.T[0])


@pytest.mark.parametrize("name", ["X", "T"])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_largest_number_of_float32(name, sign):
    """Data in float64 may be as large as that, and no larger, where the network is float32."""
    largest = float(np.finfo("f4").max)
    network = Network.initialize(1, 2, 1, dtype="float32")
    data = {"X": CASE.X.copy(), "T": CASE.T.copy()}
    data[name][0, 3] = sign * largest
    loss_and_gradient(network, **data)
    data[name][0, 3] = sign * largest * 1.0001
    with pytest.raises(ValueError, match=rf"^{name} must stay within ±3.4e\+38"):
        loss_and_gradient(network, **data)
    loss_and_gradient(network.astype("float64"), **data)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [(0, 0), (1, 2), (2, 499_999), (0, 1_000_000), (2, 1_199_999)])
def test_the_first_place_that_is_not_finite_is_named(place, value):
    X = np.zeros((3, 1_200_000), "f4")
    X[place] = value
    X[2, 1_199_999] = np.nan if place != (2, 1_199_999) else value
    with pytest.raises(ValueError, match=rf"got {value} at X\[{place[0]}, {place[1]}\]"):
        loss_and_gradient(Network.initialize(3, 1, 1), X, X[:1])


@pytest.mark.parametrize(
    "value",
    [[np.array([[1], [2]])], "a\nb", "x" * 10_000, list(range(10_000)), np.eye(99)],
    ids=type,
)
def test_whatever_is_given_is_told_on_one_short_line(value):
    text = described(value)
    assert "\n" not in text
    assert len(text) < 200
    assert type(value).__name__ in text or "an array of shape (99, 99)" in text


def test_the_memory_of_levenberg_marquardt(monkeypatch):
    """As many bytes as are left are enough; one less is not, and lbfgs needs none of them."""
    needed = n_bytes(CASE.network.shape, 6)
    options = {"hidden_size": 2, "max_epochs": 1}
    monkeypatch.setattr(memory_demand, "NEGLIGIBLE", 0)  # ask for this little, too
    monkeypatch.setattr("batchprop.training.option_checks.available_memory", lambda: float(needed))
    train(CASE.X, CASE.T, solver="lm", **{"alpha": 0.0} | options)
    monkeypatch.setattr("batchprop.training.option_checks.available_memory", lambda: needed - 1.0)
    with pytest.raises(ValueError, match=r"^solver='lm' must have room for JᵀJ; got 7 parameters"):
        train(CASE.X, CASE.T, solver="lm", **{"alpha": 0.0} | options)
    train(CASE.X, CASE.T, solver="lbfgs", **{"alpha": 0.0} | options)


def test_gauss_newton_takes_what_float64_holds():
    """It is computed in float64, whatever the network's dtype."""
    network = Network.initialize(1, 2, 1, dtype="float32")
    large = 1e39 * CASE.X
    with pytest.raises(ValueError, match="^X must stay within"):
        loss_and_gradient(network, large, CASE.T)
    assert np.isfinite(gauss_newton(network, large, CASE.T).loss)
    assert gauss_newton(network, CASE.X, large).loss > 1e70


def test_a_network_has_its_own_parameters():
    theta = np.arange(7.0)
    network = Network.from_theta(theta, (1, 2, 1))
    theta[:] = -1.0
    np.testing.assert_array_equal(network.theta, np.arange(7.0))
    blocks = [np.ones((2, 1)), np.ones(2), np.ones((1, 2)), np.ones(1)]
    network = Network(*blocks)
    for block in blocks:
        block[:] = -1.0
    np.testing.assert_array_equal(network.theta, np.ones(7))
    network.copy().theta[:] = 5.0
    network.astype("float64").theta[:] = 5.0
    np.testing.assert_array_equal(network.theta, np.ones(7))
