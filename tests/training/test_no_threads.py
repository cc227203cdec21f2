"""A system that has no more threads to give: what can be done with fewer is done with fewer."""

from __future__ import annotations

import threading

import pytest

from batchprop import train, train_many
from tests.engines.fused.teams import force
from tests.problems import problem
from tests.same_results import assert_same

CASE = problem(n_samples=90)
COMMON = {"alpha": 0.0, "solver": "gd", "max_epochs": 9, "hidden_size": 4}


@pytest.fixture(params=[0, 1, 2])
def few(request, monkeypatch):
    """Let so many threads start, and no more."""
    start, begun = threading.Thread.start, []

    def started(thread):
        if len(begun) == request.param:
            raise RuntimeError("can't start new thread")
        begun.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", started)
    return begun


@pytest.mark.parametrize("count", [2, 5, 8])
def test_many_networks(few, count):
    before = threading.active_count()
    results = train_many(CASE.X, CASE.T, [{"seed": k} for k in range(count)], n_threads=4, **COMMON)
    assert threading.active_count() <= before
    for k, result in enumerate(results):
        assert_same(result, train(CASE.X, CASE.T, seed=k, n_threads=1, **COMMON))


def test_many_starts(few):
    result = train(CASE.X, CASE.T, n_init=5, n_threads=3, **COMMON)
    for k, one in enumerate(result.starts):
        assert_same(one, train(CASE.X, CASE.T, seed=k, n_threads=1, **COMMON))


def test_one_network(few, monkeypatch):
    force(monkeypatch, chunk_samples=16)
    result = train(CASE.X, CASE.T, n_threads=4, **COMMON)
    assert_same(result, train(CASE.X, CASE.T, n_threads=1, **COMMON))


def test_the_penalty_is_searched_for(few):
    options = COMMON | {"alpha": "auto"}
    result = train(CASE.X, CASE.T, n_threads=3, **{"alpha": 0.0} | options)
    assert_same(result, train(CASE.X, CASE.T, n_threads=1, **{"alpha": 0.0} | options))


def test_uncertainty(few):
    options = COMMON | {"uncertainty": "laplace", "n_init": 3, "combine": "mean"}
    many, one = (train(CASE.X, CASE.T, n_threads=k, **options).predictive for k in (4, 1))
    pairs = zip(many.predict(CASE.X, True), one.predict(CASE.X, True), strict=True)
    assert all((first == second).all() for first, second in pairs)


def test_what_a_callback_raises_is_passed_on(few):
    error, before = LookupError("the callback's own"), threading.active_count()

    def callback(progress):
        if progress.start == 2:
            raise error

    with pytest.raises(LookupError) as raised:
        train(CASE.X, CASE.T, n_init=5, n_threads=3, callback=callback, **COMMON)
    assert raised.value is error
    assert threading.active_count() <= before


@pytest.mark.parametrize("few", [0], indirect=True)
def test_scipy_has_to_have_one(few):
    with pytest.raises(RuntimeError) as raised:
        train(CASE.X, CASE.T, **COMMON | {"solver": "scipy"})
    assert str(raised.value) == (
        "solver='scipy' must have a thread of its own; got none from the system, which has no more "
        "to give. End other threads or processes, or use solver='lbfgs'."
    )
    assert raised.value.__suppress_context__
