"""Every argument of the public calls has its effect: none is dropped, none is taken for another."""

from __future__ import annotations

import inspect
from types import SimpleNamespace

import numpy as np
import pytest

from batchprop import Network, check_gradient, engines, gauss_newton, loss_and_gradient, train
from batchprop.sklearn import BatchMLPRegressor
from batchprop.sklearn.arguments import OPTIONS
from tests.problems import problem

CASE = problem(e=2, m=5, s=1, n_samples=40)
WEIGHT = np.linspace(0.1, 2.0, 40)
VALIDATION = {"X_val": CASE.X[:, ::2] + 0.1, "T_val": CASE.T[:, ::2]}
PLAIN = {"hidden_size": 5, "solver": "lbfgs", "max_epochs": 12, "tol": None, "gradient_tol": None}

# argument, a value that changes where a run comes to, and with which others it counts
CHANGES = [
    ("hidden_size", 4, {}),
    ("network", CASE.network, {}),
    ("activation", "softsign", {}),
    ("solver", "adam", {}),
    ("learning_rate", 0.01, {"solver": "gd"}),
    ("learning_rate", 0.01, {"solver": "momentum"}),
    ("learning_rate", 0.01, {"solver": "adam"}),
    ("momentum", 0.5, {"solver": "momentum"}),
    ("momentum", 0.5, {"solver": "nesterov"}),
    ("beta_1", 0.5, {"solver": "adam"}),
    ("beta_2", 0.9, {"solver": "adam"}),
    ("epsilon", 1e-2, {"solver": "adam"}),
    ("history_size", 2, {}),
    ("max_evaluations", 9, {}),
    ("max_evaluations", 9, {"solver": "scipy"}),
    ("damping", 10.0, {"solver": "lm"}),
    ("max_damping", 1e-6, {"solver": "lm"}),
    ("step_tol", 0.5, {"solver": "lm"}),
    ("method", "CG", {"solver": "scipy"}),
    ("method_options", {"maxcor": 2}, {"solver": "scipy"}),
    ("scale", False, {}),
    ("alpha", 0.5, {}),
    ("alpha", (0.5, 0.0), {}),
    ("alpha", (0.0, 0.5), {}),
    ("max_epochs", 11, {}),
    ("target_loss", 0.9, {}),
    ("gradient_tol", 0.4, {}),
    ("tol", 0.3, {"n_epochs_no_change": 2}),
    ("n_epochs_no_change", 1, {"tol": 0.05}),
    ("X_val", VALIDATION["X_val"] + 1, {**VALIDATION, "patience": 1}),
    ("T_val", VALIDATION["T_val"] + 1, {**VALIDATION, "patience": 1}),
    ("sample_weight_val", np.geomspace(1e-3, 1.0, 20), {**VALIDATION, "patience": 1}),
    ("combine", "mean", {"n_init": 3}),
    ("patience", 1, {**VALIDATION, "solver": "lm", "max_epochs": 60}),
    ("seed", 1, {}),
    ("dtype", "float32", {}),
    ("sample_weight", WEIGHT, {}),
]
# which look on, leave the outcome as it is, or have tests of their own
ELSEWHERE = {
    "engine", "n_init", "max_seconds", "callback", "callback_every", "progress", "n_threads",
    "resume", "checkpoint", "checkpoint_seconds", "uncertainty",
}  # fmt: skip


def reached(**options):
    """Return what a run has come to, as bytes."""
    options = PLAIN | options
    if "network" in options:
        del options["hidden_size"]
    result = train(CASE.X, CASE.T, **{"alpha": 0.0} | options)
    theta = np.concatenate([result.network.theta, result.last_network.theta])
    return theta.astype(float).tobytes() + result.n_epochs.to_bytes(8)


def test_every_argument_is_looked_at():
    names = set(inspect.signature(train).parameters) - {"X", "T", "inputs", "targets"}
    assert names == {name for name, _, _ in CHANGES} | ELSEWHERE


@pytest.mark.parametrize(("name", "value", "others"), CHANGES, ids=lambda x: str(x)[:20])
@pytest.mark.filterwarnings("ignore:Stopped by 'max_e")
def test_an_argument_of_train(name, value, others):
    assert reached(**others) == reached(**others)
    assert reached(**(others | {name: value})) != reached(**others)


def test_pairs_of_penalties_are_told_apart():
    outcomes = [reached(alpha=alpha) for alpha in (0.5, (0.5, 0.0), (0.0, 0.5), (0.5, 0.5))]
    assert outcomes[0] == outcomes[3]
    assert len(set(outcomes)) == 3


@pytest.mark.parametrize(
    ("name", "solver"),
    [("momentum", "gd"), ("beta_1", "momentum"), ("beta_2", "nesterov"), ("epsilon", "gd"),
     ("momentum", "adam"), ("damping", "lbfgs"), ("history_size", "lm"), ("method", "lbfgs")],
)  # fmt: skip
def test_numbers_of_other_solvers_have_none(name, solver):
    value = {"history_size": 3, "method": "CG"}.get(name, 0.5)
    assert reached(solver=solver, **{name: value}) == reached(solver=solver)


# a parameter of the estimator, a value, and the same for train
ESTIMATOR = [
    ({"hidden_size": 4}, {"hidden_size": 4}),
    ({"activation": "elu"}, {"activation": "elu"}),
    ({"solver": "lm"}, {"solver": "lm"}),
    ({"alpha": (0.5, 0.1)}, {"alpha": (0.5, 0.1)}),
    ({"scale": False}, {"scale": False}),
    ({"n_init": 3}, {"n_init": 3}),
    ({"n_init": 3, "combine": "mean"}, {"n_init": 3, "combine": "mean"}),
    ({"solver": "gd", "learning_rate": 0.02}, {"solver": "gd", "learning_rate": 0.02}),
    ({"max_iter": 7}, {"max_epochs": 7}),
    ({"tol": 0.3, "n_iter_no_change": 2}, {"tol": 0.3, "n_epochs_no_change": 2}),
    ({"random_state": 5}, {"seed": 5}),
    ({"engine": "vectorized"}, {"engine": "vectorized"}),
    *(
        ({"solver": solver, "solver_options": {name: value}}, {"solver": solver, name: value})
        for name, solver, value in (
            ("momentum", "momentum", 0.5), ("beta_1", "adam", 0.5), ("beta_2", "adam", 0.9),
            ("epsilon", "adam", 1e-2), ("history_size", "lbfgs", 2),
            ("max_evaluations", "lbfgs", 9), ("damping", "lm", 10.0),
            ("max_damping", "lm", 1e-6), ("step_tol", "lm", 0.5), ("method", "scipy", "CG"),
            ("method_options", "scipy", {"maxcor": 2}), ("target_loss", "lbfgs", 0.9),
            ("gradient_tol", "lbfgs", 0.4),
        )
    ),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("parameters", "arguments"), ESTIMATOR, ids=str)
@pytest.mark.filterwarnings("ignore:Stopped by 'max_e")
def test_a_parameter_of_the_estimator(parameters, arguments):
    usual = {"hidden_size": 5, "solver": "lbfgs", "max_iter": 12, "tol": 0.0, "random_state": 0}
    model = BatchMLPRegressor(**({"alpha": 0.0} | usual | parameters)).fit(CASE.X.T, CASE.T[0])
    usual = {"hidden_size": 5, "solver": "lbfgs", "max_epochs": 12, "tol": None, "seed": 0}
    result = train(CASE.X, CASE.T, **({"alpha": 0.0} | usual | arguments))
    np.testing.assert_array_equal(model.network_.theta, result.network.theta)
    assert model.n_iter_ == result.n_epochs
    plain = train(CASE.X, CASE.T, **{"alpha": 0.0} | usual)
    same = np.array_equal(result.network.theta, plain.network.theta)
    kept = {"engine", "n_init"} & arguments.keys()  # the first start may be the best
    assert not same or result.n_epochs != plain.n_epochs or kept
    assert model.start_losses_.size == parameters.get("n_init", 1)


def test_all_options_of_the_estimator_are_looked_at():
    looked_at = [set(one["solver_options"]) for one, _ in ESTIMATOR if "solver_options" in one]
    assert set().union(*looked_at) == set(OPTIONS)


@pytest.mark.parametrize("engine", ["fused", "vectorized", "naive"])
def test_arguments_of_single_evaluations(engine):
    loss, gradient = loss_and_gradient(*CASE[:3], engine=engine)
    for change in ({"sample_weight": WEIGHT}, {"alpha": 2.0}, {"alpha": (2.0, 0.0)}):
        other, its = loss_and_gradient(*CASE[:3], engine=engine, **change)
        assert other != loss
        assert not np.array_equal(its.theta, gradient.theta)
    full = gauss_newton(*CASE[:3], engine=engine)
    weighted = gauss_newton(*CASE[:3], engine=engine, sample_weight=WEIGHT)
    assert full.loss != weighted.loss
    assert not np.allclose(full.JTJ, weighted.JTJ)


def test_which_engine_computes():
    """The engines differ in the last bits: sums in another order."""
    found = {
        engine: loss_and_gradient(*CASE[:3], engine=engine)[1].theta.tobytes()
        for engine in ("fused", "vectorized", "naive")
    }
    assert len(set(found.values())) > 1
    with pytest.MonkeyPatch.context() as patch:
        named = SimpleNamespace(predict=lambda *arguments: "naive")
        patch.setitem(engines.LOADERS, "naive", lambda: named)
        assert CASE.network.predict(CASE.X, engine="naive") == "naive"
        assert CASE.network.predict(CASE.X, engine="vectorized").shape == (1, 40)


def test_arguments_of_the_gradient_check():
    def of(**options):
        return check_gradient(*CASE[:3], engine="vectorized", **options)

    plain = of()
    assert plain.alpha == (0.0, 0.0)
    assert of(alpha=(0.5, 0.25)).alpha == (0.5, 0.25)
    for change in ({"sample_weight": WEIGHT}, {"alpha": 0.5}, {"n_probes": 3}):
        assert of(**change).passed
        assert of(**change) != plain
    assert of(n_probes=3, seed=1) != of(n_probes=3)
    assert "3 directions" in str(of(n_probes=3))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_arguments_of_a_drawn_network(dtype):
    network = Network.initialize(3, 4, 2, activation="elu", seed=7, dtype=dtype)
    assert (network.shape, network.activation, network.dtype) == ((3, 4, 2), "elu", dtype)
    again = Network.initialize(3, 4, 2, activation="elu", seed=7, dtype=dtype)
    other = Network.initialize(3, 4, 2, activation="elu", seed=8, dtype=dtype)
    np.testing.assert_array_equal(again.theta, network.theta)
    assert not np.array_equal(other.theta, network.theta)


@pytest.mark.parametrize("engine", ["fused", "vectorized", "naive"])
def test_inputs_are_rounded_to_the_dtype_of_a_network_before_it_predicts(engine):
    network = Network.initialize(2, 5, 1, dtype="float32")
    X = CASE.X[:, :9]
    rounded = network.predict(X.astype("f4"), engine=engine)
    np.testing.assert_array_equal(network.predict(X, engine=engine), rounded)
