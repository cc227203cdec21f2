"""Sizes beyond all memory are refused at once; limits beyond all numbers are none."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop import Network, train, train_many
from batchprop.parameters import Shape
from batchprop.validation import memory_demand
from batchprop.validation.error_text import written
from tests.bad_input import FORM

X = np.random.default_rng(0).normal(size=(3, 20))
T = X[:1] * X[1:2]
HUGE = [2**40, 2**63, 2**64 + 1, 10**400, 10**5000]
SMALL = {"alpha": 0.0, "hidden_size": 2, "solver": "lbfgs", "max_epochs": 2, "engine": "vectorized"}
REFUSED = ("hidden_size", "n_init", "history_size")
NO_LIMIT = (
    "max_epochs", "n_epochs_no_change", "max_evaluations", "callback_every", "n_threads",
)  # fmt: skip


def refused(call):
    with pytest.raises(ValueError, match="must leave room in memory; got") as raised:
        call()
    assert FORM.match(str(raised.value)), str(raised.value)
    assert len(str(raised.value)) < 300
    assert "GiB" in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize("size", HUGE, ids=lambda size: f"{size.bit_length()} bits")
@pytest.mark.parametrize("name", REFUSED)
def test_sizes_that_cannot_fit(name, size):
    assert refused(lambda: train(X, T, **SMALL | {name: size})).startswith(name)
    if name != "n_init":
        assert refused(lambda: train_many(X, T, [SMALL | {name: size}], alpha=0.0)).startswith(name)


@pytest.mark.parametrize("size", HUGE, ids=lambda size: f"{size.bit_length()} bits")
@pytest.mark.parametrize("k", range(3))
def test_networks_that_cannot_fit(k, size):
    sizes = [2, 2, 2]
    sizes[k] = size
    text = refused(lambda: Network.initialize(*sizes))
    assert text.startswith(("n_inputs", "n_hidden", "n_outputs")[k])


@pytest.mark.parametrize("size", HUGE, ids=lambda size: f"{size.bit_length()} bits")
@pytest.mark.parametrize("name", NO_LIMIT)
def test_limits_that_are_none(name, size, tmp_path):
    result = train(
        X,
        T,
        **SMALL | {"callback": lambda progress: progress.epoch == 2, name: size},
    )
    expected = "max_epochs" if name != "max_epochs" else "callback"
    assert (result.n_epochs, result.stop_reason) == (2, expected)
    path = tmp_path / "run.npz"
    train(X, T, **SMALL | {name: size, "max_epochs": 1, "checkpoint": path})
    assert train(X, T, resume=path, max_epochs=1).n_epochs == 2
    patient = train(X, T, X_val=X, T_val=T, **SMALL | {"patience": size})
    assert patient.n_epochs == 2


def test_what_fits_is_what_is_left(monkeypatch):
    monkeypatch.setattr(memory_demand, "NEGLIGIBLE", 0)
    shape = Shape(3, 4, 2)  # 26 parameters
    monkeypatch.setattr(memory_demand, "available_memory", lambda: 8 * 4 * 26)
    memory_demand.network(shape)
    monkeypatch.setattr(memory_demand, "available_memory", lambda: 8 * 4 * 26 - 1)
    refused(lambda: memory_demand.network(shape))
    monkeypatch.setattr(memory_demand, "available_memory", lambda: float("inf"))
    memory_demand.network(shape)
    refused(lambda: memory_demand.network(Shape(3, 2**60, 2)))


def test_pairs_fit_where_two_vectors_of_each_do(monkeypatch):
    monkeypatch.setattr(memory_demand, "NEGLIGIBLE", 0)
    needed = 5 * 2 * 8 * 26
    monkeypatch.setattr(memory_demand, "available_memory", lambda: needed)
    memory_demand.pairs(5, Shape(3, 4, 2))
    monkeypatch.setattr(memory_demand, "available_memory", lambda: needed - 1)
    refused(lambda: memory_demand.pairs(5, Shape(3, 4, 2)))


def test_less_than_nothing_left_is_nothing(monkeypatch):
    monkeypatch.setattr(memory_demand, "available_memory", lambda: -(2.0**40))
    assert "0.0 GiB are left" in refused(lambda: memory_demand.starts(2, 2**40))
    refused(lambda: memory_demand.starts(2, 2**1000))


@pytest.mark.parametrize("size", [-(10**400), 10**400])
def test_the_sign_of_a_number_is_told_however_large_it_is(size):
    assert written(size) == f"about {'-' if size < 0 else ''}10**400"
    assert written(size // 10**399) == str(size // 10**399)
