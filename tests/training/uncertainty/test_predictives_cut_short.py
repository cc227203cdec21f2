"""Limits, callbacks and Ctrl-C before and during the folds: the result is never lost."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from batchprop import train, train_many
from batchprop.training import search_monitor
from batchprop.training.uncertainty import predictives

RNG = np.random.default_rng(0)
X = RNG.uniform(-2.0, 2.0, (1, 60))
T = np.sin(X) + 0.1 * RNG.normal(size=(1, 60))
PLAIN = {"hidden_size": 6, "alpha": 0.1, "solver": "lbfgs", "uncertainty": "laplace"}
ENDLESS = {"solver": "gd", "tol": None, "gradient_tol": None, "max_epochs": None}


def test_ctrl_c_before_the_folds(monkeypatch):
    made = []

    def interrupted(*args):
        made.append(args)
        raise KeyboardInterrupt

    monkeypatch.setattr(predictives, "folds_of", interrupted)
    with pytest.warns(UserWarning, match="the run was interrupted before it could be calibrated"):
        results = train_many(X, T, [{}, {"hidden_size": 3}], **PLAIN)
    assert len(made) == 1
    assert [result.predictive.calibration.source for result in results] == ["none"] * 2


def test_a_limit_leaves_laplace_as_it_is():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")  # on a busy machine it may end before the first step
        result = train(X, T, **PLAIN | ENDLESS, max_seconds=0.5)
    ours = [str(w.message) for w in caught if str(w.message).startswith("uncertainty")]
    assert len(ours) == 1
    assert "max_seconds ended the run before it could be calibrated. Resume" in ours[0]
    assert result.stop_reason == "max_seconds"
    predictive = result.predictive
    assert predictive.calibration.source == "none"
    v = predictive.posterior.uncertainty(X).v
    expected = predictive.noise_std * np.sqrt(1.0 + v)
    np.testing.assert_allclose(predictive.predict(X, return_std=True)[1], expected, rtol=1e-9)


def test_a_callback_hears_of_the_calibration_and_can_end_it(monkeypatch):
    monkeypatch.setattr(search_monitor, "_SECONDS", 0.0)
    heard = []

    def enough(progress):
        heard.append(progress.search)
        return progress.search is not None and progress.search.n_done >= 2

    with pytest.warns(UserWarning, match=r"uncertainty is calibrated by [23] of 5 folds"):
        result = train(X, T, **PLAIN, callback=enough, n_threads=1)
    assert result.stop_reason != "callback"
    searches = [search for search in heard if search is not None]
    assert {search.stage for search in searches} == {"calibration"}
    assert {search.n_fits for search in searches} == {5}
    assert result.predictive.calibration.source == "folds"
    assert 20 < result.predictive.calibration.weight.size < 40


def test_a_callback_that_ends_the_run_ends_all():
    with pytest.warns(UserWarning, match="the callback ended the run before"):
        result = train(X, T, **PLAIN, callback=lambda progress: progress.epoch == 3)
    assert result.stop_reason == "callback"
    assert result.predictive.calibration.source == "none"


@pytest.mark.parametrize("late", [False, True])
def test_ctrl_c_during_the_folds(monkeypatch, late):
    run_all = predictives.run_all

    def interrupted(specs, monitors, n_threads):
        if late:
            run_all(specs, monitors, n_threads)
            raise KeyboardInterrupt
        monitors[0].cancel()  # what ``run_all`` does at Ctrl-C
        return run_all(specs, monitors, n_threads)

    monkeypatch.setattr(predictives, "run_all", interrupted)
    with pytest.warns(UserWarning, match="uncertainty is"):
        result = train(X, T, **PLAIN | {"tol": None, "gradient_tol": None, "max_epochs": 30})
    assert result.stop_reason == "max_epochs"
    assert result.predictive.calibration.source == "none"


def test_ctrl_c_during_the_matrices(monkeypatch):
    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(predictives, "posterior_of", interrupted)
    with pytest.warns(UserWarning, match="uncertainty could not be computed: interrupted"):
        result = train(X, T, **PLAIN)
    assert result.predictive is None
    assert np.isfinite(result.loss)
