"""NUMBA_DISABLE_JIT: what needs no compiler works, all else says so before it begins."""

from __future__ import annotations

import pytest
from numba.core import config

from batchprop.engines import ENGINES, load
from tests.engines.fused.processes import run

PROGRAM = """
import numpy as np
import batchprop
from batchprop.sklearn import BatchMLPRegressor

X = np.random.default_rng(0).normal(size=(3, 20))
network = batchprop.Network.initialize(3, 4, 2)
calls = {
    "predict": lambda engine: network.predict(X, engine=engine),
    "loss_and_gradient": lambda e: batchprop.loss_and_gradient(network, X, X[:2], engine=e),
    "gauss_newton": lambda engine: batchprop.gauss_newton(network, X, X[:2], engine=engine),
    "check_gradient": lambda e: batchprop.check_gradient(network, X, X[:2], engine=e),
    "train": lambda engine: batchprop.train(X, X[:2], hidden_size=3, engine=engine, max_epochs=2),
    "train_many": lambda engine: batchprop.train_many(
        X, X[:2], [{}], hidden_size=3, engine=engine, max_epochs=2
    ),
    "fit": lambda engine: BatchMLPRegressor(hidden_size=3).fit(X.T, X[0]),
}
for name, call in calls.items():
    for engine in batchprop.ENGINES:
        try:
            call(engine)
        except RuntimeError as error:
            print(name, engine, error, sep="|")
        else:
            print(name, engine, "done", sep="|")
"""
FUSED = (
    "engine='fused' must run compiled code; got NUMBA_DISABLE_JIT=1. "
    "Unset it before Python starts, or pass engine='vectorized'."
)
TRAINING = (
    "training must run compiled code; got NUMBA_DISABLE_JIT=1. "
    "Unset it before Python starts; solvers are compiled for every engine."
)


@pytest.fixture(scope="module")
def answers():
    """What each call came to, by its name and engine."""
    lines = [line.split("|") for line in run(PROGRAM, NUMBA_DISABLE_JIT=1).splitlines()]
    return {(name, engine): answer for name, engine, answer in lines}


@pytest.mark.parametrize("call", ["predict", "loss_and_gradient", "gauss_newton", "check_gradient"])
def test_the_definition_needs_no_compiler(call, answers):
    assert answers[call, "fused"] == FUSED
    for engine in ("vectorized", "naive"):  # the remedy can be followed
        assert answers[call, engine] == "done"


@pytest.mark.parametrize("call", ["train", "train_many", "fit"])
def test_training_needs_it(call, answers):
    assert {answers[call, engine] for engine in ENGINES} == {TRAINING}


def test_zero_is_as_if_it_were_not_set(monkeypatch):
    monkeypatch.setattr(config, "DISABLE_JIT", 1)
    with pytest.raises(RuntimeError, match="NUMBA_DISABLE_JIT=1"):
        load("fused")
    monkeypatch.setattr(config, "DISABLE_JIT", 0)
    assert load("fused").predict
