"""The search of ``alpha="cv"`` shows signs of life, and a callback can end it."""

from __future__ import annotations

import io
import math
import sys
import threading

import numpy as np
import pytest

from batchprop import train, train_many
from batchprop.sklearn import BatchMLPRegressor
from batchprop.training import search_monitor

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 40))
T = np.sin(X[:1]) + X[1:2] * X[:1] + 0.5 * RNG.normal(size=(1, 40))
SEARCH = {"hidden_size": 5, "alpha": "cv", "n_threads": 1}


@pytest.fixture(autouse=True)
def _each_look(monkeypatch):
    monkeypatch.setattr(search_monitor, "_SECONDS", 0.0)


def test_the_callback_hears_of_the_search_and_then_of_the_fit():
    seen = []
    result = train(X, T, **SEARCH, callback=seen.append)
    first = next(k for k, progress in enumerate(seen) if progress.search is None)
    of_search, of_fit = seen[:first], seen[first:]
    assert [progress.epoch for progress in of_fit] == list(range(result.n_epochs + 1))
    assert all(progress.search is None for progress in of_fit)
    done = [progress.search.n_done for progress in of_search]
    assert done == sorted(done)
    assert done[0] == 0
    assert of_search[0].search.n_fits == 20  # four penalties, five folds
    assert done[-1] < of_search[-1].search.n_fits == 5 * len(result.alpha_report.alphas)
    assert {progress.search.alpha for progress in of_search} == set(result.alpha_report.alphas)
    for progress in of_search:
        assert progress.epoch == 0
        assert math.isnan(progress.loss)
        assert math.isnan(progress.best_loss)
    seconds = [progress.seconds for progress in seen]
    assert seconds == sorted(seconds)


def test_looking_on_changes_nothing():
    result, watched = train(X, T, **SEARCH), train(X, T, **SEARCH, callback=lambda progress: False)
    assert result.alpha_report == watched.alpha_report
    np.testing.assert_array_equal(result.network.theta, watched.network.theta)


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("n_init", [1, 3])
@pytest.mark.parametrize("after", [0, 7])
def test_a_true_answer_ends_the_search_and_the_run(n_threads, n_init, after):
    calls = []

    def enough(progress):
        calls.append(progress)
        return progress.search is not None and progress.search.n_done >= after

    options = SEARCH | {"n_threads": n_threads, "n_init": n_init, "callback": enough}
    result = train(X, T, **options)
    assert result.stop_reason == "callback"
    assert {one.stop_reason for one in result.starts or (result,)} == {"callback"}
    assert result.n_epochs == 0
    assert not result.converged
    heard = [progress for progress in calls if progress.search is not None]
    assert heard[-1].search.n_done >= after
    assert not any(one.search.n_done > after + 4 for one in heard)
    assert np.isfinite(result.network.theta).all()


def test_in_train_many_it_ends_its_own_network_alone():
    stop = {"callback": lambda progress: progress.search is not None}
    ended, other = train_many(X, T, [stop, {}], **SEARCH)
    assert (ended.stop_reason, ended.n_epochs) == ("callback", 0)
    assert other.alpha_report == train(X, T, **SEARCH).alpha_report
    assert other.n_epochs > 0


@pytest.mark.parametrize("n_threads", [1, 2])
def test_what_the_callback_raises_is_passed_on(n_threads):
    def broken(progress):
        raise LookupError("its own")

    with pytest.raises(LookupError, match="its own"):
        train(X, T, **SEARCH | {"n_threads": n_threads}, callback=broken)
    names = [thread.name for thread in threading.enumerate()]
    assert not [name for name in names if name.startswith("batchprop-network")]


def test_the_estimator():
    seen = []
    model = BatchMLPRegressor(hidden_size=5, alpha="cv", random_state=0)
    model.fit(X.T, T[0], callback=lambda progress: seen.append(progress) or len(seen) > 3)
    assert model.stop_reason_ == "callback"
    assert seen[3].search is not None


@pytest.mark.parametrize("terminal", [True, False])
def test_the_progress_line(monkeypatch, terminal):
    class Stream(io.StringIO):
        def isatty(self):
            return terminal

    stream = Stream()
    monkeypatch.setattr(sys, "stderr", stream)
    train(X, T, **SEARCH, progress=True, max_epochs=3)
    first = stream.getvalue().replace("\r\x1b[K", "\n").strip().split("\n")[0]
    assert first.startswith("alpha 1.0e-01  fit 1 of 20  ")
    assert first.endswith(" s")
    assert "3/3" in stream.getvalue()
