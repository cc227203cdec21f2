"""The search for a penalty, step by step: ties, bounds, its share of the time, its report."""

from __future__ import annotations

import math
import time
from types import SimpleNamespace

import numpy as np
import pytest

from batchprop import train
from batchprop.training import chosen_penalty, cross_validation, penalty_choice
from batchprop.training.cross_validation import CrossValidation
from batchprop.training.monitor import Monitor

M = 4
RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 40))
T = np.sin(X[:1]) + 0.3 * RNG.normal(size=(1, 40))
SMALL = {"hidden_size": M, "alpha": "cv", "max_epochs": 1, "n_threads": 1}


def search(scores):
    """A search that has come to these scores."""
    made = object.__new__(CrossValidation)
    made._scores, made.candidates = dict(scores), ()
    return made


def test_of_equal_scores_the_larger_penalty_is_taken():
    assert search({-8: 1.0, -4: 0.5, -2: 0.5, -6: 0.5})._argmin() == -2
    assert search({-2: 0.5, -4: 0.5, -6: 0.5})._argmin() == -2
    assert search({-8: 0.25, -2: 0.5})._argmin() == -8


def test_what_is_not_known_is_not_the_best():
    assert search({-2: math.nan, -4: 3.0})._argmin() == -4
    assert search({-4: 3.0, -2: math.nan})._argmin() == -4
    assert search({-2: math.nan})._argmin() is None
    assert search({})._argmin() is None
    assert search({-2: math.inf, -4: math.inf})._argmin() == -2


@pytest.mark.parametrize(
    ("scores", "candidates"),
    [
        ({-2: 3.0, -4: 1.0, -6: 2.0, -8: 4.0}, (-5, -3)),
        ({-4: 1.0, -3: 2.0}, (-5,)),
        ({-4: 1.0, -3: 2.0, -5: 2.0}, ()),
        ({2: 1.0, 1: 2.0}, ()),  # α of 10 at most
        ({1: 1.0, 0: 2.0}, (2,)),
        ({-12: 1.0, -11: 2.0}, ()),  # and 1e-6 at least
        ({-11: 1.0, -10: 2.0}, (-12,)),
        ({-2: math.nan}, ()),
    ],
)
def test_the_neighbours_of_the_best_are_tried_next(scores, candidates):
    made = search(scores)
    made.propose()
    assert made.candidates == candidates


def test_the_search_ends_when_its_time_is_over(monkeypatch):
    spec = SimpleNamespace(alpha="stub")
    stub = SimpleNamespace(next_runs=lambda: [spec])
    monkeypatch.setitem(penalty_choice.METHODS, "stub", lambda spec: stub)
    for late, goes_on in ((-0.001, True), (0.0, False), (0.001, False)):
        watched = penalty_choice._Watched(spec, Monitor(100.0, 20.0, None, 1, None))
        monkeypatch.setattr(time, "perf_counter", lambda now=110.0 + late: now)
        assert watched.goes_on() == goes_on
        monkeypatch.undo()
        monkeypatch.setitem(penalty_choice.METHODS, "stub", lambda spec: stub)


def watched(monkeypatch, **options):
    """Return the specs and monitors that a search has run, and the result."""
    run, seen = penalty_choice.run_all, []

    def noted(specs, monitors, n_threads):
        seen.append((list(specs), list(monitors)))
        return run(specs, monitors, n_threads)

    monkeypatch.setattr(penalty_choice, "run_all", noted)
    return seen, train(X, T, **(SMALL | options))


def test_the_search_has_half_of_the_time(monkeypatch):
    seen, _ = watched(monkeypatch, max_seconds=100.0)
    assert {monitor.limit for _, monitors in seen for monitor in monitors} == {50.0}
    seen, _ = watched(monkeypatch)
    assert {monitor.limit for _, monitors in seen for monitor in monitors} == {math.inf}


def test_what_is_tried_first_and_how_each_is_trained(monkeypatch):
    seen, result = watched(monkeypatch, seed=3, solver="adam")
    specs = seen[0][0]
    expected = [(10.0**-k, M * 10.0**-k) for k in (1, 2, 3, 4) for _ in range(5)]
    np.testing.assert_allclose([spec.alpha for spec in specs], expected)
    for k, spec in enumerate(specs):
        assert spec.solver == spec.arguments["solver"] == "lbfgs"
        assert (spec.rules.max_epochs, spec.rules.tol, spec.rules.gradient_tol) == (
            2000,
            1e-6,
            1e-10,
        )
        assert (spec.rules.window, spec.rules.patience, spec.rules.validating) == (100, -1, False)
        weight = spec.dataset.sample_weight
        assert (weight == 0).sum() == 8
        assert set(weight) == {0.0, 1.0}
        # a start of each fold's own, the same for every penalty
        np.testing.assert_array_equal(
            spec.initial_network.theta, specs[k % 5].initial_network.theta
        )
    starts = {spec.initial_network.theta.tobytes() for spec in specs}
    assert len(starts) == 5
    assert result.solver == "adam"


def test_the_memory_of_all_fits_is_that_of_one():
    """Twenty fits of many parameters keep fewer pairs each."""
    from batchprop.solvers.lbfgs.lbfgs_memory import default_history

    table = np.random.default_rng(0).normal(size=(200, 12))
    known = []

    def noted(specs, monitors, n_threads):
        known.extend(spec.settings.history_size for spec in specs)
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(penalty_choice, "run_all", noted)
        train(table, table[:1], hidden_size=50, alpha="cv", max_epochs=0)
    size = 200 * 50 + 50 + 50 + 1
    assert set(known) == {default_history(20 * size)}
    assert known[0] < default_history(size)


def test_where_nothing_can_be_judged():
    assert chosen_penalty.FALLBACK == 0.01
    assert list(cross_validation._left_out(np.arange(1), 0)) == []
    assert len(list(cross_validation._left_out(np.arange(2), 0))) == 2


@pytest.mark.parametrize(("n", "folds"), [(4, 4), (5, 5), (4999, 5), (5000, 1), (6000, 1)])
def test_how_many_folds(n, folds):
    parts = list(cross_validation._left_out(np.arange(n), 0))
    assert len(parts) == folds
    assert parts[0].size == pytest.approx(n / min(5, n), abs=1)


def test_large_tables_are_judged_in_parts(monkeypatch):
    whole = train(X, T, **SMALL)
    monkeypatch.setattr(cross_validation, "_ELEMENTS", 21)  # three samples of seven numbers
    parts = train(X, T, **SMALL)
    np.testing.assert_allclose(parts.alpha_report.scores, whole.alpha_report.scores, rtol=1e-12)
