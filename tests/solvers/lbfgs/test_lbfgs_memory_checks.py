"""Checks of an L-BFGS memory from a file: they accept what a run leaves, and each bound holds."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from batchprop import train
from batchprop.solvers.lbfgs.lbfgs_memory import Counts, Search
from batchprop.solvers.lbfgs.lbfgs_memory_checks import check
from batchprop.solvers.settings import SOLVERS
from batchprop.training.option_checks import solver_settings
from batchprop.training.run_options import RunOptions
from tests.problems import problem

CASE = problem(e=2, m=3, s=1, n_samples=12)
PAIRS = 8


@pytest.fixture(scope="module")
def states():
    """Return epochs -> settings and state of a run of so many, with room for 8 pairs."""

    def run(max_epochs):
        arguments = {"hidden_size": 3, "solver": "lbfgs", "history_size": PAIRS, "n_threads": 1}
        checkpoint = train(
            CASE.X, CASE.T, max_epochs=max_epochs, **{"alpha": 0.0} | arguments
        ).checkpoint
        options = RunOptions.of_checkpoint(checkpoint.arguments)
        return solver_settings("lbfgs", options, checkpoint.shape), checkpoint.state

    assert "lbfgs" in SOLVERS
    return {n: run(n) for n in (1, 5, 12)}


@pytest.mark.parametrize("epochs", [1, 5, 12])
def test_what_a_run_leaves(states, epochs):
    settings, state = states[epochs]
    assert 0 <= Counts(*state.memory.counts).n_pairs <= PAIRS
    check(settings, state, "max_epochs")


@pytest.mark.parametrize(
    ("array", "index", "value"),
    [
        ("counts", Counts._fields.index("n_pairs"), PAIRS + 1),
        ("counts", Counts._fields.index("n_pairs"), -1),
        ("counts", Counts._fields.index("newest"), PAIRS),
        ("products", (0, slice(None)), 0.0),
        ("search", Search._fields.index("start_slope"), 0.5),
        ("search", Search._fields.index("high"), -1.0),
        ("search", Search._fields.index("step_length"), np.inf),
        ("search", Search._fields.index("rounding"), 1.0),
    ],
)
def test_what_no_run_leaves(states, array, index, value):
    settings, state = copy.deepcopy(states[12])
    getattr(state.memory, array)[index] = value
    with pytest.raises(ValueError, match=rf"^state\.memory\.{array}: must "):
        check(settings, state, "max_epochs")


def test_parameters_are_finite_where_their_step_is(states):
    settings, state = copy.deepcopy(states[12])
    state.theta[3] = np.inf
    with pytest.raises(ValueError, match=r"^state\.theta: must be finite where its step is"):
        check(settings, state, "max_epochs")
