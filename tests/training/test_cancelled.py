"""Runs that are ended within an evaluation: wherever that is, they go on as if nothing had been."""

from __future__ import annotations

import itertools
import json
import time

import numpy as np
import pytest

from batchprop import ENGINES, train
from batchprop.solvers.settings import RESUMABLE, SOLVERS
from batchprop.threads import cancellation
from batchprop.training.monitor import Monitor
from tests.engines.fused.teams import force
from tests.interrupted import interrupted
from tests.problems import problem
from tests.resumed import assert_same_run

# the clock ends runs before their first step on purpose
pytestmark = pytest.mark.filterwarnings("ignore:Stopped by 'max_seconds' before the first step")
EPOCHS = 7
OFF = {"alpha": 0.0, "tol": None, "gradient_tol": None}
EVERY_SOLVER = pytest.mark.parametrize("solver", RESUMABLE)
# a curved valley: line searches of several points, rejected and bent steps
HARD = {"fused": problem(e=2, m=4, s=2, n_samples=70, weighted=True, seed=3)}
HARD["vectorized"] = HARD["fused"]
HARD["naive"] = problem(e=1, m=2, s=1, n_samples=4, weighted=True, seed=3)


@pytest.fixture
def asking(monkeypatch):
    """Ask about each piece of work, however small, and cut the work into small pieces."""
    for name in ("FIRST_INTERVAL", "MIN_INTERVAL", "MAX_INTERVAL"):
        monkeypatch.setattr(cancellation, name, 1)
    for name in ("SECONDS", "GRACE"):
        monkeypatch.setattr(cancellation, name, 0.0)
    force(monkeypatch, chunk_samples=30, block_bytes=1)


class Ending:
    """Ends runs at the question of a number, for a reason of ours or by raising."""

    def __init__(self, monkeypatch):
        self.asked, self.at, self.error = 0, None, None
        ending = self

        def ended(monitor):
            ending.asked += 1
            if ending.asked != ending.at:
                return ""
            if ending.error is not None:
                raise ending.error
            return "max_seconds"

        monkeypatch.setattr(Monitor, "ended", ended)

    def cut(self, at, error=None):
        self.asked, self.at, self.error = 0, at, error


def some(count, most=40):
    """Return the first few numbers up to a count, and some of the others."""
    return sorted({*range(1, min(count, 10) + 1), *range(1, count + 1, max(1, count // most))})


def assert_any_cut_is_seamless(monkeypatch, case, options, error=None):
    ending = Ending(monkeypatch)
    again = {
        "sample_weight": case.weight, "X_val": case.X[:, ::-1] + 0.1, "T_val": case.T[:, ::-1],
    }  # fmt: skip
    options = OFF | {"hidden_size": case.network.shape.n_hidden, "alpha": 0.01} | options
    whole = train(case.X, case.T, max_epochs=EPOCHS, **options, **again)
    asked, ended = ending.asked, set()
    for at in some(asked):
        ending.cut(at, error)
        first = train(case.X, case.T, max_epochs=EPOCHS, **options, **again)
        ending.cut(None)
        ended.add(first.stop_reason)
        left = EPOCHS - first.n_epochs
        on = {"n_threads": options.get("n_threads")} | again
        assert_same_run(train(case.X, case.T, resume=first, max_epochs=left, **on), whole)
        if first.stop_reason != "max_epochs":
            np.testing.assert_array_equal(
                first.loss_curve[first.loss_curve == first.loss_curve],
                whole.loss_curve[: int(first.checkpoint.state.evaluations[0])],
            )
            assert first.n_evaluations <= whole.n_evaluations
    return asked, ended


@EVERY_SOLVER
@pytest.mark.parametrize(
    ("engine", "n_threads"), [("fused", 1), ("fused", 3), ("vectorized", None), ("naive", None)]
)
def test_a_run_that_is_ended_anywhere_goes_on_to_the_same_bits(
    asking, monkeypatch, solver, engine, n_threads
):
    options = {"solver": solver, "engine": engine, "n_threads": n_threads}
    asked, ended = assert_any_cut_is_seamless(monkeypatch, HARD[engine], options)
    assert asked > 2 * EPOCHS  # at least once for the training data, and for the validation data
    assert "max_seconds" in ended


@EVERY_SOLVER
@pytest.mark.parametrize("engine", ["fused", "vectorized"])
def test_so_does_one_that_ctrl_c_ended(asking, monkeypatch, solver, engine):
    options = {"solver": solver, "engine": engine, "n_threads": 1}
    _, ended = assert_any_cut_is_seamless(monkeypatch, HARD[engine], options, KeyboardInterrupt)
    assert "interrupted" in ended


def test_every_part_of_an_iteration_of_lm_asks(asking, monkeypatch):
    """What is asked grows with the rows of JᵀJ and of its factor."""
    ending = Ending(monkeypatch)
    asked = {}
    for m in (8, 16, 32):
        case = problem(e=2, m=m, s=1, n_samples=20)
        ending.cut(None)
        train(case.X, case.T, hidden_size=m, solver="lm", max_epochs=1, n_threads=1, alpha=0.0)
        asked[m] = ending.asked
    # each row of each of several loops over P = 4 m + 1 parameters
    assert asked[16] - asked[8] > 5 * 32
    assert asked[32] - asked[16] > 5 * 64


@pytest.mark.parametrize("n_threads", [1, 2])
def test_so_does_one_of_many_parameters(monkeypatch, n_threads):
    """Here loops are cut, too, that are too short for it in a small network."""
    for name in ("FIRST_INTERVAL", "MIN_INTERVAL", "MAX_INTERVAL"):
        monkeypatch.setattr(cancellation, name, 1 << 23)
    force(monkeypatch)
    ending, (X, T) = Ending(monkeypatch), table(3, 600)
    options = {"solver": "lm", "hidden_size": 420, "n_threads": n_threads} | OFF
    whole = train(X, T, max_epochs=1, **options)
    asked = ending.asked
    assert asked > 100
    for at in (1, 4, asked // 8, asked // 3, asked // 2, 4 * asked // 5):
        ending.cut(at)
        first = train(X, T, max_epochs=1, **options)
        assert (first.n_epochs, first.stop_reason) == (0, "max_seconds")
        ending.cut(None)
        left = 1 - first.n_epochs
        assert_same_run(train(X, T, resume=first, max_epochs=left, n_threads=n_threads), whole)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_was_evaluated_yet(asking, monkeypatch, solver, engine):
    case = HARD[engine]
    ending = Ending(monkeypatch)
    ending.cut(1)
    result = train(
        case.X, case.T, network=case.network, solver=solver, engine=engine, max_epochs=5,
        n_threads=1, alpha=0.0,
    )  # fmt: skip
    assert (result.n_epochs, result.stop_reason, result.n_evaluations) == (0, "max_seconds", 0)
    np.testing.assert_array_equal(result.loss_curve, [np.nan])
    assert np.isnan(result.loss)
    np.testing.assert_array_equal(result.network.theta, case.network.theta)


@pytest.mark.parametrize("solver", SOLVERS)
def test_what_is_raised_while_python_is_asked_is_passed_on(asking, monkeypatch, solver):
    """A signal's handler may raise anything: a test's time limit, for example."""
    case, error = HARD["fused"], TimeoutError("the handler's own")
    ending = Ending(monkeypatch)
    ending.cut(9, error)
    with pytest.raises(TimeoutError) as raised:
        train(
            case.X,
            case.T,
            hidden_size=4,
            solver=solver,
            max_epochs=50,
            n_threads=1,
            **OFF,
        )
    assert raised.value is error


@EVERY_SOLVER
def test_the_callback_is_told_of_all_that_was_judged(asking, monkeypatch, solver):
    case, ending = HARD["fused"], Ending(monkeypatch)
    options = {"hidden_size": 4, "solver": solver, "max_epochs": EPOCHS, "n_threads": 1} | OFF
    for at in itertools.count(1, 5):
        told = []
        ending.cut(at)
        result = train(case.X, case.T, callback=told.append, **options)
        made = int(result.checkpoint.state.evaluations[0])
        assert [progress.epoch for progress in told] == list(range(made))
        if result.stop_reason != "max_seconds":
            break


def table(e, n_samples, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.uniform(-1, 1, (e, n_samples))
    return X, np.sin(3 * X[:1]) + X[1:2]


@pytest.mark.parametrize("engine", ["fused", "vectorized"])
@pytest.mark.parametrize("n_threads", [1, 2])
def test_the_clock_is_seen_within_an_iteration(engine, n_threads):
    """An iteration takes many times as long as is allowed here."""
    X, T = table(3, 100)
    train(
        X, T, hidden_size=3, solver="lm", engine=engine, max_epochs=2, alpha=0.0
    )  # compiled from now on
    began = time.process_time()
    result = train(
        X,
        T,
        hidden_size=900,
        solver="lm",
        engine=engine,
        max_seconds=0.2,
        n_threads=n_threads,
        alpha=0.0,
    )
    assert result.stop_reason == "max_seconds"
    assert result.n_epochs == 0
    assert time.process_time() - began < 3


@pytest.mark.parametrize("solver", ["gd", "lbfgs", "scipy", "lm"])
def test_the_clock_is_seen_within_an_evaluation(solver):
    X, T = table(4, 60_000)
    train(X[:, :99], T[:, :99], hidden_size=3, solver=solver, max_epochs=2, alpha=0.0)
    began = time.process_time()
    result = train(X, T, hidden_size=3000, solver=solver, max_seconds=0.2, n_threads=2, alpha=0.0)
    assert (result.n_epochs, result.stop_reason) == (0, "max_seconds")
    assert time.process_time() - began < 3


def test_a_callback_of_lm_is_called_before_the_next_step_is_looked_for():
    X, T = table(3, 100)
    began = time.process_time()
    result = train(X, T, hidden_size=900, solver="lm", callback=lambda progress: True, alpha=0.0)
    assert (result.n_epochs, result.stop_reason) == (0, "callback")
    assert time.process_time() - began < 6  # an iteration takes longer than that


@pytest.mark.parametrize("raises", [False, True])
def test_what_a_callback_says_of_one_start_ends_the_others(raises):
    X, T = table(3, 100)

    def callback(progress):
        if progress.start == 1:
            time.sleep(0.3)  # the others are in their iterations
            if raises:
                raise LookupError("the callback's own")
            return True
        return False

    began = time.process_time()
    options = {"solver": "lm", "n_init": 3, "n_threads": 3, "hidden_size": 700}
    if raises:
        with pytest.raises(LookupError, match="own"):
            train(X, T, callback=callback, **options)
    else:
        result = train(X, T, callback=callback, **options)
        reasons = [one.stop_reason for one in result.starts]
        assert reasons == ["interrupted", "callback", "interrupted"]
    assert time.process_time() - began < 8


SIGNALLED = """
import json, signal, time
import numpy as np
import batchprop

signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job starts without one
X = np.random.default_rng(0).normal(size=(3, 100))
result = batchprop.train(
    X, np.sin(X[:1]), hidden_size=1600, solver="lm", alpha=0.0, engine={engine!r},
    n_threads={n_threads},
    callback=lambda progress: print("running", flush=True),
)
print(json.dumps([result.stop_reason, result.n_epochs, result.loss_curve.size, result.loss]))
print(time.process_time())
"""


@pytest.mark.parametrize(
    ("engine", "n_threads"), [("fused", 1), ("fused", 2), ("vectorized", None)]
)
def test_a_real_signal_within_an_iteration(engine, n_threads):
    code = SIGNALLED.format(engine=engine, n_threads=n_threads)
    ended = interrupted(code, 0.5)  # into the search for a step, of some 10 seconds
    assert ended.errors == ""
    reason, epochs, size, loss = json.loads(ended.out.splitlines()[0])
    assert (reason, epochs, size) == ("interrupted", 0, 1)
    assert np.isfinite(loss)
    assert ended.seconds < 8
