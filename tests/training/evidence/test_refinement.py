"""The climb to a larger penalty, where networks of the size of the call ask for it."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from batchprop import Network, train
from batchprop.training import penalty_choice
from batchprop.training.evidence import refinement
from batchprop.training.evidence.refinement import Refinement
from batchprop.training.evidence.search import SMALLEST_SHARE, EvidenceSearch

RNG = np.random.default_rng(0)
X = RNG.uniform(-1.0, 1.0, (5, 300))
SIGNAL = np.sin(3 * X[:1]) + X[1:2] * X[2:3]
T = SIGNAL + 0.2 * RNG.normal(size=SIGNAL.shape)
X_NEW = RNG.uniform(-1.0, 1.0, (5, 2000))
SIGNAL_NEW = np.sin(3 * X_NEW[:1]) + X_NEW[1:2] * X_NEW[2:3]


def climbed(monkeypatch, errors, first=-1.0):
    """Climb where the samples left out have these errors; a pair is that of two proxies."""
    n_proxies = 2 if errors and isinstance(errors[0], tuple) else 1
    monkeypatch.setattr(refinement, "left_out_error", lambda proxy, network: network)
    climb = Refinement(None, [None] * n_proxies, first, 0)
    for error in errors:
        assert not climb.has_ended
        each = error if isinstance(error, tuple) else (error,)
        climb.take([SimpleNamespace(network=value) for value in each])
    return climb


@pytest.mark.parametrize(
    ("errors", "first", "ended", "best"),
    [
        ([1.0], -1.0, False, -1.0),
        ([1.0, 1.1], -1.0, True, -1.0),
        ([1.0, 1.0], -1.0, True, -1.0),
        ([1.0, 0.9], -1.0, False, -0.5),
        ([1.0, 0.9, 0.8, 0.85], -1.0, True, 0.0),
        ([1.0, math.nan], -1.0, True, -1.0),
        ([1.0, 0.9], 0.4, True, 0.9),  # 10 is the largest
        ([1.0], 0.8, True, 0.8),
        ([(4.0, 1.0), (1.0, 2.0)], -1.0, False, -0.5),  # the geometric mean falls
        ([(4.0, 1.0), (1.0, 5.0)], -1.0, True, -1.0),
    ],
)
def test_it_goes_up_as_long_as_errors_fall(monkeypatch, errors, first, ended, best):
    climb = climbed(monkeypatch, errors, first)
    assert climb.has_ended == ended
    assert climb.exponent == pytest.approx(best)


def test_before_the_first_fit_nothing_has_changed(monkeypatch):
    assert climbed(monkeypatch, []).exponent == -1.0


def search_of(**options):
    searches = []

    def kept(spec):
        searches.append(EvidenceSearch(spec))
        return searches[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(penalty_choice.METHODS, "evidence", kept)
        result = train(X, T, **{"alpha": "evidence", "max_epochs": 3} | options)
    return searches[0], result


def test_its_fits_have_the_size_of_the_call():
    search, result = search_of()
    climb = search._refinement
    assert len(climb.errors) > 1
    assert climb.has_ended
    assert result.alpha_report.chosen == result.alpha[0] == pytest.approx(10.0**climb.exponent)
    assert not result.alpha_report.cut_short
    runs = climb.next_runs()
    assert len(runs) == 2
    for run in runs:
        m = run.initial_network.shape.n_hidden
        assert m == 50
        assert run.solver == "lbfgs"
        assert run.alpha[1] == pytest.approx(50 * run.alpha[0])
        assert 1 <= run.rules.max_epochs <= refinement.MAX_EPOCHS
    first, second = (run.initial_network.theta for run in runs)
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("hidden_size", [10, 20, 21])
def test_small_networks_have_been_asked_already(hidden_size):
    search, _ = search_of(hidden_size=hidden_size)
    assert (search._refinement is None) == (hidden_size <= 20)


def test_large_networks_are_compared_at_a_bounded_size_and_price():
    search, _ = search_of(hidden_size=1000)
    run = search._refinement.next_runs()[0]
    assert run.initial_network.shape.n_hidden == refinement.MAX_UNITS
    N, (e, m, s) = run.dataset.X.shape[1], run.initial_network.shape
    assert run.rules.max_epochs * N * m * (2 * e + 3 * s + 20) <= refinement.WORK


def test_without_noise_or_samples_left_out_there_is_none():
    x = np.linspace(-4.0, 4.0, 120)[np.newaxis]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(refinement, "is_called_for", lambda *arguments: pytest.fail("called"))
        result = train(x, np.sinc(x), alpha="evidence", max_epochs=3)
    assert result.alpha == (0.0, 0.0)


@pytest.mark.parametrize(
    ("n_left_out", "exponent", "noise", "n_hidden", "expected"),
    [
        (3, -1.0, 0.2, 20, True),
        (0, -1.0, 0.2, 20, False),
        (3, -5.0, 0.2, 20, False),
        (3, -1.0, 0.05, 20, False),
        (3, -1.0, math.nan, 20, True),  # so much noise that it is not known
        (3, -1.0, 0.2, 50, False),
    ],
)
def test_when_it_is_called_for(n_left_out, exponent, noise, n_hidden, expected):
    spec = SimpleNamespace(initial_network=Network.initialize(1, 50, 1))
    point = SimpleNamespace(evidence=SimpleNamespace(variance=noise**2))
    proxy = SimpleNamespace(
        n_hidden=n_hidden, left_out=SimpleNamespace(X=np.empty((1, n_left_out)))
    )
    path = SimpleNamespace(proxy=proxy, nearest=lambda exponent: point)
    assert refinement.is_called_for(spec, [path], exponent) == expected


def test_a_part_of_a_large_table_makes_no_climb_and_alpha_is_smaller():
    """What 1000 samples take for noise, more of them let the network learn."""
    X = RNG.uniform(-1.0, 1.0, (5, 6000))
    T = np.sin(3 * X[:1]) + X[1:2] * X[2:3] + 0.2 * RNG.normal(size=(1, 6000))
    searches = []

    def kept(spec):
        searches.append(EvidenceSearch(spec))
        return searches[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(penalty_choice.METHODS, "evidence", kept)
        result = train(X, T, alpha="evidence", max_epochs=3)
    search = searches[0]
    assert search._refinement is None
    share = search._share
    assert share < 0.5
    expected = 10.0 ** search._exponent() * max(share, SMALLEST_SHARE)
    assert result.alpha[0] == pytest.approx(expected)


def test_interactions_beside_useless_columns_are_no_longer_underpenalised():
    """The best α is near 0.1; small networks asked for a tenth of it and less."""

    def error(result):
        residuals = result.network.predict(X_NEW) - SIGNAL_NEW
        return float(np.sqrt(np.mean(residuals**2)))

    chosen = train(X, T, alpha="evidence")
    assert chosen.alpha[0] > 0.03
    assert error(chosen) < 1.3 * error(train(X, T, alpha=(0.1, 5.0)))


@pytest.mark.parametrize("n_threads", [1, 3])
def test_any_number_of_threads_makes_the_same_choice(n_threads):
    _, result = search_of(n_threads=n_threads)
    assert repr(result.alpha_report) == repr(search_of()[1].alpha_report)


def test_the_price_counts_as_part_of_the_choice():
    """A callback is told of these fits, too, and can end them."""
    seen = []

    def callback(progress):
        if progress.search is not None:
            seen.append(progress.search.n_done)
            return progress.search.n_done > 0 and progress.search.alpha > 0.02 and len(seen) > 40
        return False

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("batchprop.training.search_monitor._SECONDS", 0.0)
        result = train(X, T, alpha="evidence", callback=callback, n_threads=1)
    assert result.stop_reason == "callback"
    assert result.alpha_report.cut_short
    assert "not known: the choice of the penalty was cut short" in str(result)
    assert "after evidence that was cut short" in str(result)
