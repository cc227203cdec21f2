"""Nothing of an evaluation outlives it: neither its memory nor the user's data."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

from batchprop import gauss_newton, loss_and_gradient, train
from batchprop.engines.fused.gauss_newton.gauss_newton_objective import GaussNewtonObjective
from batchprop.engines.fused.objective import Objective
from batchprop.engines.samples import Samples
from tests.problems import problem


def objective(kind, case):
    network = case.network
    dtype = np.float64 if kind is GaussNewtonObjective else network.dtype
    return kind(Samples(case.X, case.T, None), network.shape, network.activation, dtype)


@pytest.mark.parametrize("kind", [Objective, GaussNewtonObjective])
def test_an_objective_is_let_go(kind):
    closed = objective(kind, problem())
    closed.close()
    reference = weakref.ref(closed)
    del closed
    gc.collect()
    assert reference() is None


@pytest.mark.parametrize(
    "call",
    [
        lambda case: train(case.X, case.T, max_epochs=2, alpha=0.0),
        lambda case: loss_and_gradient(case.network, case.X, case.T),
        lambda case: gauss_newton(case.network, case.X, case.T),
    ],
    ids=["train", "loss_and_gradient", "gauss_newton"],
)
def test_the_users_data_are_let_go(call):
    case = problem()
    result = call(case)
    seen = [weakref.ref(array) for array in (case.X, case.T)]
    del case
    gc.collect()
    assert [ref() for ref in seen] == [None, None]
    assert result is not None
