"""Rubbish in any place of any public call: it is taken, or refused in the house's form."""

from __future__ import annotations

import decimal
import fractions
import functools
import inspect
import pathlib
import warnings

import numpy as np
import pytest

from batchprop import Network, check_gradient, gauss_newton, loss_and_gradient, train, train_many
from batchprop.sklearn import BatchMLPRegressor
from tests.bad_input import FORM

RNG = np.random.default_rng(0)
X, T = RNG.normal(size=(2, 12)), RNG.normal(size=(1, 12))
NET = Network.initialize(2, 3, 1)
ENGINE = {"engine": "vectorized"}
FAST = ENGINE | {"hidden_size": 3, "max_epochs": 2, "solver": "gd"}


class Odd:
    """An object that raises wherever it is asked."""

    def __eq__(self, other):
        raise RuntimeError("not to be compared")

    __hash__ = None

    def __bool__(self):
        raise RuntimeError("neither true nor false")

    def __repr__(self):
        raise RuntimeError("no text")


RUBBISH = {
    "None": None, "True": True, "NumPy's False": np.False_, "0": 0, "-1": -1, "1": 1,
    "2**31": 2**31, "2**63": 2**63, "2**64": 2**64, "10**400": 10**400, "-10**400": -(10**400),
    "10**5000": 10**5000, "0.5": 0.5, "-0.0": -0.0, "1e308": 1e308, "nan": np.nan, "inf": np.inf,
    "complex": 1j, "fraction": fractions.Fraction(1, 3), "decimal": decimal.Decimal("0.1"),
    "timedelta": np.timedelta64(3), "datetime": np.datetime64("2020-01-01"), "": "", "auto": "auto",
    "AUTO": "AUTO", "a long string": "x" * 5000, "NUL": "a\0b", "bytes": b"lm", "tuple": (),
    "pair": (1, 2), "list": [1, [2, 3]], "strings": ["a"], "dict": {"a": 1}, "set": {1},
    "range": range(3), "array": np.ones(3), "empty array": np.empty((0, 3)),
    "0-d array": np.array(3), "objects": np.array([None, 1], dtype=object), "masked": np.ma.masked,
    "network": NET, "class": Network, "function": len, "odd": Odd(), "generator": (k for k in "ab"),
    "slice": slice(3), "Ellipsis": ..., "float32": np.float32(0.5),
    "path": pathlib.Path("no/where"), "dtype": np.dtype("f4"), "memory": memoryview(b"ab"),
}  # fmt: skip


def estimator(**options):
    fits = {name: options.pop(name) for name in list(options) if name in FIT}
    own = {"engine": "vectorized", "hidden_size": 3, "max_iter": 2, "solver": "gd"} | options
    BatchMLPRegressor(**{"alpha": 0.0} | own).fit(**{"X": X.T, "y": T[0]} | fits)


def arguments(function):
    return [name for name in inspect.signature(function).parameters if name != "self"]


FIT = arguments(BatchMLPRegressor.fit)
# what is tested by others, and would write files or take what it is given
LEFT_OUT = {"checkpoint", "resume"}
CALLS = {
    "train": (functools.partial(train, **FAST), arguments(train), {"X": X, "T": T}),
    "train_many": (
        functools.partial(train_many, **FAST), [*arguments(train_many)[:4], *arguments(train)[2:]],
        {"X": X, "T": T, "configurations": [{}]},
    ),
    "loss_and_gradient": (
        functools.partial(loss_and_gradient, **ENGINE), arguments(loss_and_gradient),
        {"network": NET, "X": X, "T": T},
    ),
    "gauss_newton": (
        functools.partial(gauss_newton, **ENGINE), arguments(gauss_newton),
        {"network": NET, "X": X, "T": T},
    ),
    "check_gradient": (
        functools.partial(check_gradient, **ENGINE | {"n_probes": 1}), arguments(check_gradient),
        {"network": NET, "X": X, "T": T},
    ),
    "initialize": (
        Network.initialize, arguments(Network.initialize),
        {"n_inputs": 2, "n_hidden": 3, "n_outputs": 1},
    ),
    "Network": (
        Network, arguments(Network),
        {"W_h": NET.W_h, "b_h": NET.b_h, "W_y": NET.W_y, "b_y": NET.b_y},
    ),
    "from_theta": (
        Network.from_theta, arguments(Network.from_theta), {"theta": NET.theta, "shape": (2, 3, 1)},
    ),
    "predict": (functools.partial(NET.predict, **ENGINE), arguments(Network.predict), {"X": X}),
    "astype": (NET.astype, arguments(Network.astype), {}),
}  # fmt: skip
NO_FORM = {"train_many"}  # a configuration that is wrong has a sentence of its own


@pytest.mark.parametrize(
    ("call", "name"),
    [
        pytest.param(call, name, id=f"{call}: {name}")
        for call, (_, names, _) in CALLS.items()
        for name in names
        if name not in LEFT_OUT
    ],
)
def test_rubbish_is_taken_or_refused_in_form(call, name):
    function, _, base = CALLS[call]
    if name == "common":
        return
    for label, value in RUBBISH.items():
        if name in ("callback", "engine") and callable(value):  # what a function raises is its own
            continue
        text = ""
        more = {"X_val": X, "T_val": T} if name == "patience" else {}
        more |= {"target_loss": 1e9} if name in ("max_epochs", "max_seconds") else {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                function(**base | more | {name: value})
            except (TypeError, ValueError) as error:
                text = str(error)
            except BaseException as error:
                raise AssertionError(f"{label}: {type(error).__name__}") from error
        in_form = not text or FORM.match(text) or (call in NO_FORM and " must " in text)
        assert in_form, f"{label}: {text[:300]}"
        assert len(text) < 600, f"{label}: {text[:300]}"


@pytest.mark.parametrize(
    "name",
    [name for name in BatchMLPRegressor(alpha=0.0).get_params() if name != "random_state"]
    + ["callback", "callback_every"],
)
def test_rubbish_in_the_estimator(name):
    more = {"solver_options": {"target_loss": 1e9}} if name == "max_iter" else {}
    for label, value in RUBBISH.items():
        if name == "callback" and callable(value):
            continue
        text = ""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                estimator(**more | {name: value})
            except (TypeError, ValueError) as error:
                text = str(error)
            except BaseException as error:
                raise AssertionError(f"{label}: {type(error).__name__}") from error
        assert not text or FORM.match(text), f"{label}: {text[:300]}"
