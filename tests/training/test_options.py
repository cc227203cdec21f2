"""The options of train: one copy of their defaults, and a network that they must not contradict."""

from __future__ import annotations

import dataclasses
import inspect
from types import SimpleNamespace

import pytest

from batchprop import Network, train, train_many
from batchprop.training.options import TrainOptions
from batchprop.training.run_options import RunOptions
from tests.problems import problem

CASE = problem(e=2, m=4, s=1, n_samples=30)
DEFAULTS = {
    "hidden_size": None, "network": None, "activation": None, "solver": "auto", "engine": "fused",
    "learning_rate": None, "momentum": 0.9, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8,
    "history_size": None, "max_evaluations": None, "damping": 1e-3, "max_damping": 1e10,
    "step_tol": 1e-15, "method": "L-BFGS-B", "method_options": None, "scale": True, "alpha": "auto",
    "n_init": 1, "combine": "best", "uncertainty": None, "max_epochs": "auto", "target_loss": None,
    "gradient_tol": 1e-10, "tol": 1e-5, "n_epochs_no_change": "auto", "X_val": None,
    "T_val": None, "sample_weight_val": None, "patience": None,
    "max_seconds": None, "callback": None, "callback_every": 1, "progress": None, "seed": 0,
    "dtype": None, "n_threads": None, "sample_weight": None, "resume": None, "checkpoint": None,
    "checkpoint_seconds": 60.0,
}  # fmt: skip


def test_the_signature_of_train_names_all_options_in_this_order():
    parameters = inspect.signature(train).parameters
    defaults = {name: parameter.default for name, parameter in parameters.items()}
    assert list(defaults) == ["X", "T", "inputs", "targets", *DEFAULTS]
    assert {name: defaults[name] for name in DEFAULTS} == DEFAULTS


def test_options_have_the_same_defaults():
    options = TrainOptions()
    assert {field.name for field in dataclasses.fields(options)} == DEFAULTS.keys()
    assert {name: getattr(options, name) for name in DEFAULTS} == DEFAULTS


def test_options_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        TrainOptions().solver = "gd"


def test_train_passes_each_option_on(monkeypatch):
    passed = []

    def trained(builder, options, stacklevel, shows_long_calls):
        passed.append(options)
        return SimpleNamespace(stop_reason="stagnation", n_epochs=1)

    # the name "train" of the package is the function
    monkeypatch.setitem(train.__globals__, "trained", trained)
    values = {name: object() for name in DEFAULTS}
    train([[1.0]], [[2.0]], **values)
    assert {name: getattr(passed[0], name) for name in DEFAULTS} == values


def test_options_of_a_checkpoint_need_all_names():
    arguments = train(CASE.X, CASE.T, hidden_size=4, max_epochs=0).checkpoint.arguments
    assert arguments.keys() == {field.name for field in dataclasses.fields(RunOptions)}
    assert RunOptions.of_checkpoint(arguments | {"more": 1}).hidden_size == 4
    for name in arguments:
        with pytest.raises(KeyError, match=name):
            RunOptions.of_checkpoint({key: arguments[key] for key in arguments if key != name})


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"hidden_size": 50}, "hidden_size=50"),  # what None stands for without a network
        ({"hidden_size": 19}, "hidden_size=19"),
        ({"activation": "tanh"}, "activation='tanh'"),  # the same
        ({"activation": "elu"}, "activation='elu'"),
        ({"hidden_size": 20, "activation": "tanh"}, "hidden_size=20, activation='tanh'"),
        ({"hidden_size": 50, "activation": "relu"}, "hidden_size=50, activation='relu'"),
    ],
)
def test_a_network_that_options_contradict_is_refused(options, named):
    network = Network.initialize(2, 20, 1, activation="relu", seed=0)
    message = f"^network must agree with hidden_size and activation; got Network.* beside {named}"
    with pytest.raises(ValueError, match=message):
        train(CASE.X, CASE.T, network=network, max_epochs=0, **options)
    with pytest.raises(ValueError, match=message):
        train_many(CASE.X, CASE.T, [{"network": network} | options], max_epochs=0)


@pytest.mark.parametrize("options", [{}, {"hidden_size": 20}, {"activation": "relu"}])
def test_a_network_that_options_agree_with_is_taken(options):
    network = Network.initialize(2, 20, 1, activation="relu", seed=0)
    result = train(CASE.X, CASE.T, network=network, max_epochs=0, **options)
    assert result.network.shape == network.shape
    assert result.network.activation == "relu"
