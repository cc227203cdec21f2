"""``n_init="auto"``: five starts, averaged, where a chosen penalty tells of noise; else one."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest

from batchprop import train
from batchprop.sklearn import BatchMLPRegressor
from batchprop.training import combination, search_monitor
from tests.same_results import assert_same

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 80))
T = np.sin(X[:1]) + 0.3 * RNG.normal(size=(1, 80))
COMMON = {"hidden_size": 6, "max_epochs": 60}


def fitted(T=T, **options):
    return train(X, T, **COMMON | {"n_init": "auto"} | options)


@pytest.mark.parametrize("method", ["auto", "evidence", "cv"])
def test_noise_makes_it_the_mean_of_five(method):
    result = fitted(alpha=method)
    assert result.alpha[0] > 1e-3
    assert (result.combine, len(result.starts)) == ("mean", 5)
    assert_same(result, fitted(alpha=method, n_init=5, combine="mean"))


def test_what_becomes_of_them_can_be_asked_for():
    best = fitted(combine="best")
    assert (best.combine, len(best.starts)) == ("best", 5)
    assert_same(best, fitted(n_init=5))
    assert_same(fitted(combine="mean"), fitted())


def test_without_noise_it_is_one_start():
    x = np.linspace(-4.0, 4.0, 120)[np.newaxis]
    result = train(x, np.sinc(x), hidden_size=12, n_init="auto")
    assert max(result.alpha) < 1e-4
    assert (result.combine, result.starts) == ("best", ())


@pytest.mark.parametrize(
    "options",
    [{"alpha": 0.0}, {"alpha": 1.0}, {"solver": "gd"}, {"max_epochs": 0},
     {"combine": "mean", "alpha": 0.1}],
)  # fmt: skip
def test_where_no_penalty_was_chosen_it_is_one_start(options):
    result = fitted(**options)
    assert (result.combine, result.starts) == ("best", ())
    assert_same(result, fitted(**options, n_init=1))


def test_a_run_from_a_network_or_with_a_file_is_a_single_one(tmp_path):
    network = fitted(alpha=0.0).network
    assert fitted(hidden_size=None, network=network).starts == ()
    assert fitted(checkpoint=tmp_path / "run.npz").starts == ()


def test_a_large_network_is_a_single_one(monkeypatch):
    monkeypatch.setattr(combination, "MAX_PARAMETERS", 24)
    assert fitted().starts == ()  # 2-6-1 has 25
    monkeypatch.setattr(combination, "MAX_PARAMETERS", 25)
    assert len(fitted().starts) == 5


@pytest.mark.parametrize("n_threads", [1, 3])
def test_any_number_of_threads_comes_to_the_same(n_threads):
    assert_same(fitted(n_threads=n_threads), fitted())


def test_a_callback_that_ended_the_search_leaves_one_start(monkeypatch):
    monkeypatch.setattr(search_monitor, "_SECONDS", 0.0)
    result = fitted(callback=lambda progress: progress.search is not None)
    assert (result.stop_reason, result.starts) == ("callback", ())


def test_the_progress_line_names_the_networks(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    fitted(progress=True)
    assert "network 5/5" in stream.getvalue()
    fitted(progress=True, alpha=0.0)
    assert "network 1/1" not in stream.getvalue()


@pytest.mark.parametrize("n_init", ["Auto", "mean", None, 1.5])
def test_what_it_is_not(n_init):
    with pytest.raises(TypeError, match='^n_init must be an integer of at least 1, or "auto"'):
        fitted(n_init=n_init)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_it_is_the_default_of_the_estimator():
    options = {"hidden_size": 6, "max_iter": 60, "random_state": 0}
    model = BatchMLPRegressor(**options).fit(X.T, T[0])
    assert model.network_.shape.n_hidden == model.coefs_[0].shape[1] == 30
    assert model.start_losses_.size == 5
    assert model.best_loss_ <= model.loss_
    explicit = BatchMLPRegressor(**options, n_init=5, combine="mean").fit(X.T, T[0])
    np.testing.assert_array_equal(model.predict(X.T), explicit.predict(X.T))
    for more in ({"alpha": 0.1}, {"solver": "adam"}, {"warm_start": True}, {"n_init": 1}):
        single = BatchMLPRegressor(**options | more).fit(X.T, T[0])
        assert single.network_.shape.n_hidden == 6
