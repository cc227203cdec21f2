"""Two trainings: what is measured by the first, and which network is saved."""

from __future__ import annotations

import numpy as np
import pytest

import batchprop
from batchprop.cli.console import Console
from batchprop.cli.errors import INTERRUPTED, NOT_RELIABLE, CommandError
from batchprop.cli.fit import LINEAR, MEAN, NETWORK, fit
from batchprop.cli.training_data import Rows

RNG = np.random.default_rng(0)
X = RNG.uniform(-1.0, 1.0, (100, 2))
ROWS = Rows(X, X[:, :1] * X[:, 1:] + 0.1 * RNG.normal(size=(100, 1)), None)
ARGUMENTS = {"hidden_size": 3, "alpha": 0.01, "seed": 0}
CONSOLE = Console("test", quiet=True)


def fitted(fraction=0.2, refit=True, **arguments):
    return fit(ROWS, ARGUMENTS | arguments, fraction=fraction, refit=refit, console=CONSOLE)


@pytest.fixture
def ended(monkeypatch):
    """Let each training be ended by a reason after some epochs, or run to its end for None."""
    real = batchprop.train

    def set_ends(*ends):
        todo = list(ends)

        def train(*tables, **options):
            reason, n_epochs = todo.pop(0)
            if reason is None:
                return real(*tables, **options)
            result = real(*tables, **(options | {"max_epochs": n_epochs}))
            object.__setattr__(result, "stop_reason", reason)
            return result

        monkeypatch.setattr(batchprop, "train", train, raising=False)

    return set_ends


def test_errors_are_those_of_the_first_network():
    outcome = fitted()
    assert (outcome.on_all_rows, outcome.n_rows) == (True, 100)
    held_out = outcome.held_out
    assert len(held_out.T) == 20
    assert (held_out.network.theta != outcome.result.network.theta).any()
    residuals = held_out.network.predict(held_out.X.T).T - held_out.T
    rmse = np.sqrt(np.mean(residuals**2))
    assert held_out.errors[NETWORK][0].rmse == pytest.approx(rmse)
    assert (held_out.errors[NETWORK][0].rmse) < held_out.errors[LINEAR][0].rmse
    assert held_out.errors[MEAN][0].r2 < 0.05


def test_without_a_second_training_the_measured_network_is_the_model():
    outcome = fitted(refit=False)
    assert (outcome.on_all_rows, outcome.n_rows) == (False, 80)
    assert outcome.held_out.network is outcome.result.network


@pytest.mark.parametrize("reason", ["interrupted", "max_seconds"])
def test_a_second_training_that_has_only_begun_is_not_saved(ended, reason):
    ended((None, 0), (reason, 1))
    outcome = fitted()
    assert (outcome.on_all_rows, outcome.n_rows) == (False, 80)
    assert outcome.interrupted == (reason == "interrupted")
    assert outcome.result.converged


def test_a_second_training_that_is_better_is_saved(ended):
    ended(("max_seconds", 1), ("max_seconds", 60))
    assert fitted().on_all_rows


def test_ctrl_c_in_the_first_training_leaves_out_the_second(ended):
    ended(("interrupted", 5))
    outcome = fitted()
    assert (outcome.on_all_rows, outcome.interrupted) == (False, True)
    assert outcome.held_out is not None


@pytest.mark.parametrize(
    ("reason", "code"), [("interrupted", INTERRUPTED), ("max_seconds", NOT_RELIABLE)]
)
def test_nothing_is_saved_of_what_took_no_step(ended, reason, code):
    ended((reason, 0), (reason, 0))
    with pytest.raises(CommandError, match="nothing was saved") as caught:
        fitted()
    assert caught.value.code == code


def test_a_limit_of_the_user_is_no_failure():
    assert fitted(max_epochs=2).limited
    assert not fitted(max_epochs="auto").limited


def test_seconds_are_shared(monkeypatch):
    limits = []
    real = batchprop.train

    def train(*tables, **options):
        limits.append(options["max_seconds"])
        return real(*tables, **options)

    monkeypatch.setattr(batchprop, "train", train, raising=False)
    fitted(max_seconds=100.0)
    assert limits[0] == 50.0
    assert 50.0 < limits[1] < 100.0
    fitted(max_seconds=100.0, refit=False)
    assert limits[2] == 100.0


def test_a_target_that_varies_in_held_out_rows_only():
    T = np.zeros((100, 1))
    T[np.random.default_rng(0).permutation(100)[:20]] = np.arange(20.0)[:, np.newaxis]
    with pytest.raises(CommandError, match="constant in the rows that are not held out"):
        fit(Rows(X, T, None), ARGUMENTS, fraction=0.2, refit=True, console=CONSOLE)
