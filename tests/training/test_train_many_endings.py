"""Many networks that are ended from outside: callbacks, exceptions, the clock, Ctrl-C."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter

import numpy as np
import pytest

from batchprop import loss_and_gradient, train, train_many
from batchprop.engines.fused.objective import Objective
from tests.interrupted import interrupted
from tests.platforms import needs_interrupts
from tests.problems import problem
from tests.same_results import assert_same

CASE = problem(n_samples=90)
COMMON = {"alpha": 0.0, "solver": "gd", "max_epochs": 9, "hidden_size": 4}
ENDLESS = {"max_epochs": None, "tol": None, "gradient_tol": None}
THREADS = pytest.mark.parametrize("n_threads", [1, 3])


def many(count, n_threads=None, **options):
    seeds = [{"seed": k} for k in range(count)]
    return train_many(CASE.X, CASE.T, seeds, n_threads=n_threads, **COMMON | options)


@THREADS
def test_the_callback_is_told_of_each_network(n_threads):
    told = []
    results = many(5, n_threads, callback=told.append, callback_every=4)
    for k, result in enumerate(results):
        own = [progress for progress in told if progress.start == k]
        assert [progress.epoch for progress in own] == [0, 4, 8, 9]
        assert [progress.loss for progress in own] == list(result.loss_curve[[0, 4, 8, 9]])
        assert_same(result, train(CASE.X, CASE.T, seed=k, **COMMON))


def test_a_callback_of_its_own():
    told = {0: [], 1: []}
    own = [{"callback": told[k].append, "callback_every": 9} for k in told]
    train_many(CASE.X, CASE.T, own, n_threads=2, **COMMON)
    for k, given in told.items():
        assert [(progress.start, progress.epoch) for progress in given] == [(k, 0), (k, 9)]


def test_with_one_thread_callbacks_are_called_by_the_callers():
    callers = set()
    many(3, 1, callback=lambda progress: callers.add(threading.current_thread()))
    assert callers == {threading.current_thread()}


@THREADS
def test_a_true_answer_ends_its_own_network_alone(n_threads):
    results = many(5, n_threads, callback=lambda p: p.start == 2 and p.epoch == 4)
    for k, result in enumerate(results):
        expected = (4, "callback") if k == 2 else (9, "max_epochs")
        assert (result.n_epochs, result.stop_reason) == expected


@THREADS
@pytest.mark.parametrize("at", [0, 3])
def test_what_a_callback_raises_ends_all_and_is_passed_on(n_threads, at):
    error, begun = LookupError("the callback's own"), Counter()

    def callback(progress):
        begun[progress.start] += 1
        if progress.start == 1 and progress.epoch == at:
            raise error

    before, began = threading.active_count(), time.perf_counter()
    with pytest.raises(LookupError) as raised:
        many(
            50,
            n_threads,
            callback=callback,
            **ENDLESS | ({"max_epochs": 9} if n_threads == 1 else {}),
        )
    assert raised.value is error
    assert threading.active_count() == before
    assert len(begun) < 10  # those that had not begun never did
    assert time.perf_counter() - began < 20


def test_what_a_later_one_raises_does_not_wait_for_the_first():
    def callback(progress):
        if progress.start == 1:
            raise LookupError("the callback's own")

    with pytest.raises(LookupError):  # the first would go on for ever
        many(2, 2, callback=callback, callback_every=10**9, **ENDLESS)


@THREADS
def test_ctrl_c_in_a_callback_ends_all(n_threads):
    def callback(progress):
        if progress.start == 1 and progress.epoch == 3:
            raise KeyboardInterrupt

    results = many(6, n_threads, callback=callback, max_epochs=10**5, tol=None)
    assert results[1].stop_reason == "interrupted"
    assert results[1].n_epochs == 3
    assert [result.stop_reason for result in results[3:]] == ["interrupted"] * 3
    for result in results:
        assert np.isfinite(result.loss_curve).all()
        assert result.loss == result.loss_curve.min()
        again, _ = loss_and_gradient(result.network, CASE.X, CASE.T)
        assert again == pytest.approx(result.loss, rel=1e-12)


@THREADS
@pytest.mark.filterwarnings("ignore:Stopped by 'max_seconds' before the first step")
def test_the_clock_is_for_all_together(n_threads):
    results = many(5, n_threads, max_seconds=0.3, **ENDLESS)
    assert {result.stop_reason for result in results} == {"max_seconds"}
    assert all(np.isfinite(result.loss) for result in results)
    if n_threads == 1:  # the first takes the time of all
        assert [result.n_epochs for result in results[1:]] == [0] * 4


@pytest.mark.filterwarnings("ignore:Stopped by 'max_e")
def test_a_clock_of_its_own():
    own = [{"max_seconds": 0.2, "max_epochs": None}, {}]
    short, whole = train_many(CASE.X, CASE.T, own, solver="gd", tol=None, hidden_size=4)
    assert (short.stop_reason, whole.stop_reason) == ("max_seconds", "max_epochs")


@pytest.mark.parametrize(("n_threads", "count"), [(1, 3), (2, 4), (2, 5), (3, 8), (5, 3), (7, 2)])
def test_never_more_threads_than_allowed(monkeypatch, n_threads, count):
    running, most, lock, made = [0], [0], threading.Lock(), Objective.__init__

    def counted(self, *arguments):
        made(self, *arguments)
        with lock:
            running[0] += 1 + self.task.n_workers
            most[0] = max(most[0], running[0])

    def closed(self):
        with lock:
            running[0] -= 1 + self.task.n_workers
        self._workspace._team.stop()

    monkeypatch.setattr(Objective, "__init__", counted)
    monkeypatch.setattr(Objective, "close", closed)
    case = problem(e=8, m=40, n_samples=4000)
    own = [{"seed": k} for k in range(count)]
    train_many(case.X, case.T, own, solver="gd", hidden_size=60, max_epochs=30, n_threads=n_threads)
    assert running == [0]
    assert most[0] <= n_threads


def test_as_many_at_a_time_as_there_are_threads():
    together = threading.Barrier(3)

    def callback(progress):
        if progress.epoch == 0:
            together.wait(60)  # for the others; broken if they do not come

    assert len(many(6, 3, callback=callback)) == 6


SIGNALLED = """
import json, signal, threading
import numpy as np
import batchprop

signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job starts without one
X = np.random.default_rng(0).normal(size=(3, 4000))
T = np.sin(X[:1])
results = batchprop.train_many(
    X, T, [{{"seed": k}} for k in range(6)], hidden_size=20, solver="gd", engine={engine!r},
    n_threads={n_threads}, max_epochs=None, tol=None, gradient_tol=None,
    callback=lambda progress: print("running\\n", end="", flush=True), callback_every=10**12,
)
print(json.dumps([
    [one.stop_reason, one.loss, batchprop.loss_and_gradient(one.network, X, T)[0], one.n_epochs]
    for one in results
] + [threading.active_count()]))
"""


@pytest.mark.parametrize(
    ("engine", "n_threads"), [("fused", 1), ("fused", 2), ("fused", 4), ("vectorized", None)]
)
@needs_interrupts
def test_a_real_signal(engine, n_threads):
    code = SIGNALLED.format(engine=engine, n_threads=n_threads)
    ended = interrupted(code, 0.3)  # into the stretch of compiled epochs
    *results, threads = json.loads(ended.out.splitlines()[-1])
    assert threads == 1
    assert len(results) == 6
    for reason, loss, again, _ in results:
        assert reason == "interrupted"
        assert loss == pytest.approx(again, rel=1e-12)
    assert max(n_epochs for *_, n_epochs in results) > 0
    assert results[-1][-1] == 0  # its turn had not come: one evaluation
