"""Bad sizes, names and numbers: of networks, of training, of the gradient check."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop import Network, check_gradient, engines, train, validation
from tests.bad_input import Bad, NoEngine, assert_told

X = np.random.default_rng(0).normal(size=(3, 7))
T = np.random.default_rng(1).normal(size=(2, 7))
W_H, B_H, W_Y, B_Y = np.ones((5, 3)), np.ones(5), np.ones((2, 5)), np.ones(2)


@pytest.fixture(autouse=True)
def _nothing_may_be_computed(monkeypatch):
    monkeypatch.setattr(engines, "load", lambda name: NoEngine)


def blocks(W_h=W_H, b_h=B_H, W_y=W_Y, b_y=B_Y, **options):
    return Network(W_h, b_h, W_y, b_y, **options)


def start(n_inputs=3, n_hidden=5, n_outputs=2, **options):
    return Network.initialize(n_inputs, n_hidden, n_outputs, **options)


def flat(theta=np.ones(32), shape=(3, 5, 2), **options):  # noqa: B008
    return Network.from_theta(theta, shape, **options)


def training(**options):
    return train(X, T, **{"alpha": 0.0} | options)


def checking(**options):
    return check_gradient(start(), X, T, **options)


FORMS = "W_h (m, e), b_h (m,), W_y (s, m), b_y (s,)"
BLOCKS = {
    "flat W_h": Bad({"W_h": B_H}, ValueError, "shape (m, e)", "(5,)", FORMS),
    "W_h transposed": Bad({"W_h": W_H.T}, ValueError, "shape (3,)", "(5,)", FORMS),
    "a column of biases": Bad({"b_h": B_H[:, None]}, ValueError, "shape (m,)", "(5, 1)", FORMS),
    "too many biases": Bad({"b_h": np.ones(6)}, ValueError, "shape (5,)", "(6,)", FORMS),
    "W_y transposed": Bad({"W_y": W_Y.T}, ValueError, "shape (5, 5)", "(5, 2)", FORMS),
    "b_y too long": Bad({"b_y": B_H}, ValueError, "shape (2,)", "(5,)", FORMS),
    "a bias that is a number": Bad({"b_y": 1.0}, ValueError, "shape (s,)", "shape ()", FORMS),
    "no units": Bad({"W_h": W_H[:0]}, ValueError, "not be empty", "(0, 3)", FORMS),
    "NaN": Bad({"W_h": W_H * np.nan}, ValueError, "finite", "nan at W_h[0, 0]", "Correct"),
    "inf": Bad({"b_y": B_Y * np.inf}, ValueError, "finite", "inf at b_y[0]", "Correct"),
    "strings": Bad({"b_h": ["a"] * 5}, TypeError, "real numbers", "dtype <U1", "Encode categories"),
    "complex": Bad({"W_y": W_Y * 1j}, TypeError, "real numbers", "complex", "W_y.real"),
    "ragged": Bad({"W_h": [[1, 2], [3]]}, ValueError, "rectangular", "different", "equally long"),
}  # fmt: skip
ACTIVATION = "one of identity, logistic, tanh, relu, softplus, elu, softsign"
NAMES = {
    "another name": Bad({"activation": "sigmoid"}, ValueError, ACTIVATION, "'sigmoid'",
                        "Did you mean 'logistic'?"),
    "a mistyped name": Bad({"activation": "tahn"}, ValueError, ACTIVATION, "'tahn'",
                           "Did you mean 'tanh'?"),
    "capitals": Bad({"activation": "ReLU"}, ValueError, ACTIVATION, "'ReLU'",
                    "Did you mean 'relu'?"),
    "nothing like it": Bad({"activation": ""}, ValueError, ACTIVATION, "''", "Choose"),
    "a function": Bad({"activation": np.tanh}, TypeError, ACTIVATION, "ufunc", "as a string"),
    "None": Bad({"activation": None}, TypeError, ACTIVATION, "None of type NoneType", "string"),
}  # fmt: skip
SIZES = {
    "no inputs": Bad({"n_inputs": 0}, ValueError, "integer of at least 1", "0", "whole number"),
    "negative": Bad({"n_hidden": -5}, ValueError, "integer of at least 1", "-5", "whole number"),
    "a float": Bad({"n_outputs": 2.0}, TypeError, "integer of at least 1", "2.0 of type float",
                   "whole number"),
    "a bool": Bad({"n_hidden": True}, TypeError, "integer of at least 1", "True of type bool",
                  "whole number"),
    "NumPy's bool": Bad({"n_hidden": np.True_}, TypeError, "integer", "of type bool", "whole"),
    "a string": Bad({"n_hidden": "50"}, TypeError, "integer of at least 1", "'50' of type str",
                    "whole number"),
    "None": Bad({"n_inputs": None}, TypeError, "integer of at least 1", "NoneType", "whole number"),
    "a tuple": Bad({"n_hidden": (50,)}, TypeError, "integer of at least 1", "(50,) of type tuple",
                   "whole number"),
    "an array": Bad({"n_hidden": np.ones((9, 9))}, TypeError, "integer of at least 1",
                    "an array of shape (9, 9)", "whole number"),
    "a negative seed": Bad({"seed": -1}, ValueError, "integer of at least 0", "-1", "whole number"),
    "a float seed": Bad({"seed": 1.5}, TypeError, "integer of at least 0", "1.5", "whole number"),
    "a generator": Bad({"seed": np.random.default_rng()}, TypeError, "integer", "Generator",
                       "whole number"),
    "half precision": Bad({"dtype": "float16"}, ValueError, "float32 or float64", "'float16'",
                          "float64 is the safe choice"),
    "integers": Bad({"dtype": int}, ValueError, "float32 or float64", "int", "float64 is the safe"),
    "no dtype": Bad({"dtype": "floaty"}, ValueError, "float32 or float64", "'floaty'", "safe"),
    "a strange dtype": Bad({"dtype": "f4,"}, ValueError, "float32 or float64", "'f4,'", "safe"),
}  # fmt: skip
FLAT = {
    "too short": Bad({"theta": np.ones(31)}, ValueError, "shape (32,)", "(31,)", "W_h, b_h"),
    "a column": Bad({"theta": np.ones((32, 1))}, ValueError, "shape (32,)", "(32, 1)", "W_h, b_h"),
    "NaN": Bad({"theta": np.ones(32) * np.nan}, ValueError, "finite", "nan at theta[0]", "Correct"),
    "complex": Bad({"theta": np.ones(32) * 1j}, TypeError, "real numbers", "complex", "theta.real"),
}  # fmt: skip
THREE_SIZES = {
    "two": Bad({"value": (3, 5)}, TypeError, "three integers", "(3, 5) of type tuple", "(e, m, s)"),
    "one": Bad({"value": 3}, TypeError, "three integers", "3 of type int", "(e, m, s)"),
    "zero": Bad({"value": (3, 0, 2)}, ValueError, "integer of at least 1", "0", "whole number"),
    "a float": Bad({"value": (3, 1.0, 2)}, TypeError, "integer", "1.0 of type float", "whole"),
}
POSITIVE = "finite real number and greater than 0"
SHARE = "finite real number and at least 0 and less than 1"
OPTIONS = {
    "no hidden units": Bad({"hidden_size": 0}, ValueError, "integer of at least 1", "0", "whole"),
    "hidden units in a tuple": Bad({"hidden_size": (50,)}, TypeError, "integer", "(50,)", "whole"),
    "hidden units by bool": Bad({"hidden_size": True}, TypeError, "integer", "True", "whole"),
    "the default's hidden units": Bad({"network": start(), "hidden_size": 50}, ValueError,
                                     "agree with hidden_size", "hidden_size=50", "Leave those"),
    "the default's activation": Bad({"network": start(activation="relu"), "activation": "tanh"},
                                    ValueError, "agree with hidden_size", "'tanh'", "Leave those"),
    "other hidden units": Bad({"network": start(), "hidden_size": 7}, ValueError,
                              "agree with hidden_size", "hidden_size=7", "Leave those two out"),
    "another activation": Bad({"network": start(), "activation": "relu"}, ValueError,
                              "agree with hidden_size", "'relu'", "Leave those two out"),
    "another's solver": Bad({"solver": "sgd"}, ValueError, "gd, momentum, nesterov, adam", "'sgd'",
                            "Did you mean 'gd'?"),
    "a mistyped solver": Bad({"solver": "Adam"}, ValueError, "gd, momentum, nesterov, adam",
                             "'Adam'", "Did you mean 'adam'?"),
    "a mistyped activation": Bad({"activation": "soft_plus"}, ValueError, ACTIVATION,
                                 "'soft_plus'", "Did you mean 'softplus'?"),
    "rate zero": Bad({"learning_rate": 0}, ValueError, POSITIVE, "0", "in that range"),
    "rate negative": Bad({"learning_rate": -0.1}, ValueError, POSITIVE, "-0.1", "in that range"),
    "rate NaN": Bad({"learning_rate": np.nan}, ValueError, POSITIVE, "nan", "in that range"),
    "rate infinite": Bad({"learning_rate": np.inf}, ValueError, POSITIVE, "inf", "in that range"),
    "rate beyond floats": Bad({"learning_rate": 10**400}, ValueError, POSITIVE, "10**400", "in"),
    "rate a string": Bad({"learning_rate": "0.1"}, TypeError, POSITIVE, "'0.1' of type str",
                         "Pass a float"),
    "rate a bool": Bad({"learning_rate": True}, TypeError, POSITIVE, "True of type bool", "float"),
    "rate complex": Bad({"learning_rate": 1j}, TypeError, POSITIVE, "1j of type complex", "float"),
    "rate an array": Bad({"learning_rate": np.ones(2)}, TypeError, POSITIVE, "an array", "a float"),
    "rate a duration": Bad({"learning_rate": np.timedelta64(3)}, TypeError, POSITIVE, "timedelta64",
                           "a float"),
    "epochs a duration": Bad({"max_epochs": np.timedelta64(3)}, TypeError, "integer", "timedelta64",
                             "whole number"),
    "epochs an array": Bad({"max_epochs": np.ones(3)}, TypeError, "integer", "an array", "whole"),
    "stagnation an array": Bad({"n_epochs_no_change": np.ones(3)}, TypeError, "integer", "an array",
                               "whole"),
    "epochs AUTO": Bad({"max_epochs": "AUTO"}, TypeError, 'or "auto"', "'AUTO'", "mean 'auto'?"),
    "stagnation Auto": Bad({"n_epochs_no_change": "Auto"}, TypeError, 'or "auto"', "'Auto'",
                           "mean 'auto'?"),
    "patience atuo": Bad({"patience": "atuo", "X_val": X, "T_val": T}, TypeError, 'or "auto"',
                         "'atuo'", "mean 'auto'?"),
    "alpha AUTO": Bad({"alpha": "AUTO"}, TypeError, 'or "auto"', "'AUTO'", "mean 'auto'?"),
    "alpha a string": Bad({"alpha": "big"}, TypeError, 'or "auto"', "'big'", "Pass a float"),
    "solver AUTO": Bad({"solver": "AUTO"}, ValueError, "one of auto", "'AUTO'", "mean 'auto'?"),
    "dtype a network": Bad({"dtype": start()}, ValueError, "float32 or float64", "Network", "safe"),
    "dtype an array": Bad({"dtype": X}, ValueError, "float32 or float64", "array", "safe"),
    "a seed of too many bits": Bad({"seed": 2**4096}, ValueError, "less than 2**4096", "10**1233",
                                   "for example"),
    "momentum one": Bad({"momentum": 1.0}, ValueError, SHARE, "1.0", "in that range"),
    "momentum negative": Bad({"momentum": -0.1}, ValueError, SHARE, "-0.1", "in that range"),
    "beta_1": Bad({"beta_1": 1}, ValueError, SHARE, "1", "in that range"),
    "beta_2": Bad({"beta_2": 2}, ValueError, SHARE, "2", "in that range"),
    "epsilon": Bad({"epsilon": 0}, ValueError, POSITIVE, "0", "in that range"),
    "epochs negative": Bad({"max_epochs": -1}, ValueError, "at least 0", "-1", "whole number"),
    "epochs a float": Bad({"max_epochs": 1e3}, TypeError, "integer", "1000.0 of type", "whole"),
    "target NaN": Bad({"target_loss": np.nan}, ValueError, "finite real number", "nan", "in that"),
    "gradient_tol": Bad({"gradient_tol": -1}, ValueError, "at least 0", "-1", "in that range"),
    "tol": Bad({"tol": "no"}, TypeError, "at least 0", "'no' of type str", "Pass a float"),
    "stagnation": Bad({"n_epochs_no_change": 0}, ValueError, "at least 1", "0", "whole number"),
    "patience alone": Bad({"patience": 5}, ValueError, "validation data", "patience=5", "both"),
    "patience zero": Bad({"patience": 0}, ValueError, "at least 1", "0", "whole number"),
    "seconds": Bad({"max_seconds": 0}, ValueError, POSITIVE, "0", "in that range"),
    "callback": Bad({"callback": 3}, TypeError, "None or a function", "3 of type int", "function"),
    "callback_every": Bad({"callback_every": 0}, ValueError, "at least 1", "0", "whole number"),
    "progress": Bad({"progress": "yes"}, TypeError, "True or False", "'yes' of type str", "a bool"),
    "seed": Bad({"seed": 0.5}, TypeError, "integer of at least 0", "0.5 of type float", "whole"),
    "dtype": Bad({"dtype": "float128"}, ValueError, "float32 or float64", "'float128'", "safe"),
    "X_val alone": Bad({"X_val": X}, ValueError, "given together", "X_val without T_val", "both"),
    "T_val alone": Bad({"T_val": T}, ValueError, "given together", "T_val without X_val", "both"),
    "X_val transposed": Bad({"X_val": X.T, "T_val": T}, ValueError, "shape (3, N)", "(7, 3)",
                            "pass X_val.T"),
    "T_val transposed": Bad({"X_val": X, "T_val": T.T}, ValueError, "shape (2, 7)", "(7, 2)",
                            "pass T_val.T"),
    "T_val flat": Bad({"X_val": X, "T_val": T[0]}, ValueError, "shape (2, 7)", "(7,)",
                      "Pass 2 rows"),
    "NaN in X_val": Bad({"X_val": X * np.nan, "T_val": T}, ValueError, "finite",
                        "nan at X_val[0, 0]", "Remove or impute"),
}  # fmt: skip
CHECKING = {
    "no probes": Bad({"n_probes": 0}, ValueError, "integer of at least 1", "0", "whole number"),
    "probes a float": Bad({"n_probes": 9.0}, TypeError, "integer", "9.0 of type float", "whole"),
    "seed": Bad({"seed": -1}, ValueError, "integer of at least 0", "-1", "whole number"),
    "a list as engine": Bad({"engine": ["naive"]}, TypeError, "one of naive", "list", "string"),
}  # fmt: skip
TABLES = (
    (blocks, BLOCKS), (blocks, NAMES), (start, NAMES), (start, SIZES), (flat, FLAT),
    (flat, NAMES), (training, OPTIONS), (checking, CHECKING), (validation.shape, THREE_SIZES),
)  # fmt: skip


@pytest.mark.parametrize(
    ("call", "bad"),
    [
        pytest.param(call, bad, id=f"{call.__name__}: {name}")
        for call, cases in TABLES
        for name, bad in cases.items()
    ],
)
def test_values(call, bad):
    assert_told(call, bad)


@pytest.mark.parametrize(
    ("asked", "known", "meant"),
    [
        ("l-bfgs", ("gd", "lbfgs", "lm"), "lbfgs"),
        ("L_BFGS", ("gd", "lbfgs", "lm"), "lbfgs"),
        ("Levenberg Marquardt", ("gd", "lbfgs", "lm"), "lm"),
        ("numba", ("naive", "fused"), "fused"),
        ("linear", ("identity", "relu"), "identity"),
        ("sgd", ("gd", "adam"), "gd"),
        ("sgd", ("adam", "momentum"), None),
    ],
)
def test_the_nearest_name(asked, known, meant):
    with pytest.raises(ValueError, match="must be one of") as raised:
        validation.choice("solver", asked, known)
    assert (f"Did you mean {meant!r}?" in str(raised.value)) == (meant is not None)


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3), np.array(3)])
def test_whole_numbers_of_any_kind_are_counts(value):
    assert validation.count("n", value) == 3
    assert type(validation.count("n", value)) is int


@pytest.mark.parametrize("value", [2, 2.0, np.float32(2), np.int8(2)])
def test_real_numbers_of_any_kind_are_numbers(value):
    assert validation.number("x", value, above=0) == 2.0


def test_none_switches_off():
    assert validation.optional_count("n", None) is None
    assert validation.optional_number("x", None) is None
    assert validation.seed(None) is validation.n_threads(None) is None
