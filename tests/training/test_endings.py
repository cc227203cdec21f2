"""Runs that are ended from outside: by the callback, the clock, Ctrl-C, an exception."""

from __future__ import annotations

import json
import threading
import time

import numpy as np
import pytest

from batchprop import ENGINES, loss_and_gradient, train
from batchprop.engines import naive, vectorized
from tests.interrupted import interrupted
from tests.platforms import needs_interrupts
from tests.problems import problem

OFF = {"tol": None, "gradient_tol": None}
EVERY_ENGINE = pytest.mark.parametrize("engine", ENGINES)


def trained(case, **options):
    options = {"solver": "gd", "max_epochs": 40, "learning_rate": 0.02} | OFF | options
    return train(case.X, case.T, network=case.network, **{"alpha": 0.0} | options)


def assert_whole(result, case, engine):
    """The curve, the counts and the networks of a run that was ended early fit together."""
    assert result.loss_curve.shape == (result.n_epochs + 1,)
    assert np.isfinite(result.loss_curve).all()
    assert result.best_epoch == int(np.argmin(result.loss_curve))
    assert result.loss == result.loss_curve.min()
    for network, loss in (
        (result.network, result.loss),
        (result.last_network, result.loss_curve[-1]),
    ):
        again, _ = loss_and_gradient(network, case.X, case.T, engine=engine)
        assert again == pytest.approx(loss, rel=1e-12)
    whole = trained(case, engine=engine).loss_curve
    np.testing.assert_array_equal(result.loss_curve, whole[: result.n_epochs + 1])


def raising(error, at):
    """Return a callback that raises at one epoch."""

    def callback(progress):
        if progress.epoch == at:
            raise error

    return callback


@EVERY_ENGINE
@pytest.mark.parametrize("every", [1, 3, 7])
def test_when_the_callback_is_called(engine, every):
    case = problem(n_samples=12)
    told = []
    result = trained(case, engine=engine, max_epochs=20, callback=told.append, callback_every=every)
    assert [progress.epoch for progress in told] == sorted({*range(0, 21, every), 20})
    for progress in told:
        assert progress.loss == result.loss_curve[progress.epoch]
        assert progress.best_loss == result.loss_curve[: progress.epoch + 1].min()
        assert np.isnan(progress.validation_loss)
        assert progress.gradient_norm > 0
    seconds = [progress.seconds for progress in told]
    assert seconds == sorted(seconds)
    assert 0 < seconds[0] < seconds[-1] < result.seconds


def test_the_callback_is_told_of_the_validation_data():
    case, told = problem(n_samples=12), []
    result = trained(case, X_val=case.X[:, :5], T_val=case.T[:, :5], callback=told.append)
    losses = [progress.validation_loss for progress in told]
    np.testing.assert_array_equal(losses, result.validation_loss_curve)
    assert told[-1].best_loss == min(losses)


def test_the_callback_changes_nothing():
    case = problem()
    told = trained(case, callback=lambda progress: None, callback_every=4)
    np.testing.assert_array_equal(trained(case).last_network.theta, told.last_network.theta)


@EVERY_ENGINE
@pytest.mark.parametrize("at", [0, 1, 6])
@pytest.mark.parametrize("answer", [True, 1, "stop", np.True_])
def test_the_callback_stops_the_run(engine, at, answer):
    case = problem(n_samples=12)
    result = trained(
        case, engine=engine, callback=lambda progress: answer if progress.epoch == at else None
    )
    assert (result.n_epochs, result.stop_reason, result.converged) == (at, "callback", False)
    assert_whole(result, case, engine)


@EVERY_ENGINE
@pytest.mark.parametrize("at", [0, 5, 40])
def test_ctrl_c_in_a_callback(engine, at):
    case = problem(n_samples=12)
    result = trained(case, engine=engine, callback=raising(KeyboardInterrupt, at))
    assert (result.n_epochs, result.stop_reason, result.converged) == (at, "interrupted", False)
    assert_whole(result, case, engine)


@pytest.mark.parametrize("calls", [0, 1, 9])
@pytest.mark.parametrize("stretches", [1, 4])
def test_ctrl_c_inside_the_naive_engine(monkeypatch, calls, stretches):
    case, sums, made = problem(n_samples=12), naive.sum_over_samples, []

    def interrupted(*arguments):
        if len(made) == calls:
            monkeypatch.undo()
            raise KeyboardInterrupt
        made.append(arguments)
        return sums(*arguments)

    monkeypatch.setattr(naive, "sum_over_samples", interrupted)
    result = trained(case, engine="naive", callback=lambda progress: None, callback_every=stretches)
    assert result.stop_reason == "interrupted"
    if calls == 0:  # nothing was evaluated yet: the start is what there is
        assert result.n_epochs == 0
        np.testing.assert_array_equal(result.loss_curve, [np.nan])
        np.testing.assert_array_equal(result.network.theta, case.network.theta)
    else:
        assert result.n_epochs == calls - 1
        assert_whole(result, case, "naive")


def test_ctrl_c_between_training_and_validation_loss(monkeypatch):
    case, loss, made = problem(n_samples=12), vectorized.ArrayObjective.loss, []

    def interrupted(self, theta):
        made.append(theta)
        if len(made) == 12:  # vectorized training also goes through loss(): the sixth validation
            raise KeyboardInterrupt
        return loss(self, theta)

    monkeypatch.setattr(vectorized.ArrayObjective, "loss", interrupted)
    data = {"X_val": case.X, "T_val": case.T}
    result = trained(case, engine="vectorized", **data)
    monkeypatch.undo()
    assert (result.n_epochs, result.stop_reason) == (4, "interrupted")
    for curve in (result.loss_curve, result.validation_loss_curve):
        whole = trained(case, engine="vectorized", **data).loss_curve
        np.testing.assert_allclose(curve, whole[:5], rtol=1e-13)


def test_ctrl_c_while_data_are_prepared(monkeypatch):
    case = problem()

    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(vectorized, "ArrayObjective", interrupted)
    result = trained(case, engine="vectorized")
    assert (result.n_epochs, result.stop_reason) == (0, "interrupted")
    np.testing.assert_array_equal(result.network.theta, case.network.theta)


SIGNALLED = """
import json, signal, threading
import numpy as np
import batchprop

signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job starts without one
X = np.random.default_rng(0).normal(size=(3, 4000))
result = batchprop.train(
    X, np.sin(X[:1]), hidden_size=20, engine={engine!r}, n_threads={n_threads}, max_epochs=None,
    solver="gd", gradient_tol=None,
    tol=None, callback=lambda progress: print("running", flush=True), callback_every=10**12,
)
loss, _ = batchprop.loss_and_gradient(result.network, X, np.sin(X[:1]), engine={engine!r})
print(json.dumps({{
    "reason": result.stop_reason, "epochs": result.n_epochs, "curve": result.loss_curve.size,
    "loss": [result.loss, loss, float(result.loss_curve.min())],
    "threads": threading.active_count(),
}}))
"""


@pytest.mark.parametrize(
    ("engine", "n_threads"), [("fused", 1), ("fused", 3), ("vectorized", None), ("naive", None)]
)
@needs_interrupts
def test_a_real_signal(engine, n_threads):
    code = SIGNALLED.format(engine=engine, n_threads=n_threads)
    ended = interrupted(code, 0.3)  # into the stretch of compiled epochs
    told = json.loads(ended.out)
    assert (told["reason"], told["threads"]) == ("interrupted", 1)
    assert told["curve"] == told["epochs"] + 1
    best, again, lowest = told["loss"]
    assert best == lowest == pytest.approx(again, rel=1e-12)


@EVERY_ENGINE
def test_the_clock(engine):
    case = problem()
    result = trained(case, engine=engine, max_epochs=None, max_seconds=0.15)
    assert (result.stop_reason, result.converged) == ("max_seconds", False)
    assert result.seconds >= 0.15
    assert result.loss_curve.shape == (result.n_epochs + 1,)
    assert np.isfinite(result.loss_curve).all()


@pytest.mark.filterwarnings("ignore:Stopped by 'max_seconds' before the first step")
def test_the_clock_counts_the_callback_and_rare_calls_do_not_stop_it():
    case = problem()
    slow = trained(
        case, max_epochs=None, max_seconds=0.1, callback=lambda progress: time.sleep(0.2)
    )
    assert (slow.n_epochs, slow.stop_reason) == (0, "max_seconds")
    rare = trained(
        case, max_epochs=None, max_seconds=0.1, callback=lambda progress: None,
        callback_every=10**9,
    )  # fmt: skip
    assert rare.stop_reason == "max_seconds"


@pytest.mark.filterwarnings("ignore:Stopped by 'max_seconds' before the first step")
def test_one_evaluation_is_made_however_short_the_time():
    result = trained(problem(), max_seconds=1e-9)
    assert (result.n_epochs, result.stop_reason) == (0, "max_seconds")
    assert np.isfinite(result.loss)


@pytest.mark.filterwarnings("ignore:Stopped by 'max_seconds' before the first step")
def test_a_rule_that_ends_the_run_goes_before_the_callback_and_the_clock():
    result = trained(problem(), max_epochs=3, max_seconds=1e-9, callback=lambda p: p.epoch == 3)
    assert (result.n_epochs, result.stop_reason) == (0, "max_seconds")
    result = trained(problem(), max_epochs=3, callback=lambda progress: progress.epoch == 3)
    assert (result.n_epochs, result.stop_reason) == (3, "max_epochs")


@EVERY_ENGINE
@pytest.mark.parametrize("at", [0, 5])
def test_what_a_callback_raises_is_passed_on(engine, at):
    case = problem(e=8, m=40, n_samples=3000 if engine == "fused" else 12)
    before = threading.active_count()
    error = LookupError("the callback's own")
    with pytest.raises(LookupError) as raised:
        trained(case, engine=engine, n_threads=4, callback=raising(error, at))
    assert raised.value is error
    assert threading.active_count() == before


def test_a_callback_may_train_a_network_itself():
    case, inner = problem(), []
    result = trained(
        case, max_epochs=3,
        callback=lambda progress: inner.append(trained(case, max_epochs=progress.epoch).loss),
    )  # fmt: skip
    np.testing.assert_array_equal(inner, np.minimum.accumulate(result.loss_curve))


def test_an_answer_that_is_neither_true_nor_false():
    expected = "^the callback's answer must be true or false; got an array of shape"
    with pytest.raises(TypeError, match=expected):
        trained(problem(), callback=lambda progress: np.ones(2))
