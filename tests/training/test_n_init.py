"""Several starts in one call: the best of them, and a report of all."""

from __future__ import annotations

import io
import threading
import tracemalloc

import numpy as np
import pytest

from batchprop import ENGINES, loss_and_gradient, train
from batchprop.solvers.settings import SOLVERS
from batchprop.training import parallel
from batchprop.training.setup import Starts
from batchprop.validation import memory_demand
from tests.problems import problem
from tests.same_results import assert_same

CASE = problem(n_samples=90)
COMMON = {"alpha": 0.0, "solver": "gd", "max_epochs": 15, "hidden_size": 4}
VALIDATION = {"X_val": CASE.X[:, :7], "T_val": CASE.T[:, :7], "patience": 5}


def trained(**options):
    return train(CASE.X, CASE.T, **COMMON | options)


@pytest.mark.parametrize("n_threads", [1, 3, None])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"seed": 11},
        {"dtype": "float32", "activation": "relu", "alpha": 0.5},
        {"sample_weight": np.arange(90.0), "scale": False},
        VALIDATION,
        *({"solver": name} for name in SOLVERS),
    ],
    ids=lambda options: "-".join(options) or "default",
)
def test_the_starts_are_the_calls_with_seeds_that_follow(options, n_threads):
    result = trained(n_init=5, n_threads=n_threads, **options)
    first = options.get("seed", 0)
    expected = [trained(**options | {"seed": first + k}) for k in range(5)]
    assert len(result.starts) == 5
    for one, other in zip(result.starts, expected, strict=True):
        assert_same(one, other)
        assert one.starts == ()
    best = int(np.argmin([one.selection_score for one in expected]))
    assert_same(result, expected[best])


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine(engine):
    options = {"engine": engine, "max_epochs": 3}
    result = trained(n_init=3, **options)
    for k, one in enumerate(result.starts):
        assert_same(one, trained(seed=k, **options))


def test_best_is_the_lowest_score_not_the_lowest_loss():
    result = trained(n_init=8, max_epochs=60, **VALIDATION)
    assert result.selection_score == result.validation_loss
    assert result.selection_score == min(one.validation_loss for one in result.starts)
    penalised = trained(n_init=8, max_epochs=60, alpha=20.0)
    assert penalised.selection_score == min(one.selection_score for one in penalised.starts)
    losses = [one.loss for one in result.starts]
    assert result.loss > min(losses)  # the case tells the two apart


def test_the_best_network_is_one_of_the_starts():
    result = trained(n_init=4)
    assert result.network is min(result.starts, key=lambda one: one.selection_score).network
    again, _ = loss_and_gradient(result.network, CASE.X, CASE.T)
    assert again == pytest.approx(result.loss, rel=1e-12)
    assert result.seconds >= max(one.seconds for one in result.starts)


def test_one_start_is_reported_by_the_result_alone():
    assert trained(n_init=1).starts == trained().starts == ()


def test_without_a_seed_starts_differ():
    result = trained(n_init=3, seed=None, max_epochs=0)
    assert len({one.loss for one in result.starts}) == 3


@pytest.mark.parametrize("n_threads", [1, 3])
def test_the_callback_is_told_which_start(n_threads):
    told = []
    result = trained(n_init=3, n_threads=n_threads, callback=told.append, callback_every=5)
    for k, one in enumerate(result.starts):
        own = [progress for progress in told if progress.start == k]
        assert [progress.epoch for progress in own] == [0, 5, 10, 15]
        assert [progress.loss for progress in own] == list(one.loss_curve[::5])


@pytest.mark.parametrize("n_threads", [1, 3])
def test_a_true_answer_stops_all_starts(n_threads):
    result = trained(
        n_init=6, n_threads=n_threads, max_epochs=None, tol=None, gradient_tol=None,
        callback=lambda progress: progress.start == 0 and progress.epoch == 3,
    )  # fmt: skip
    assert (result.starts[0].n_epochs, result.starts[0].stop_reason) == (3, "callback")
    assert {one.stop_reason for one in result.starts[1:]} == {"interrupted"}


def test_what_a_callback_raises_is_passed_on():
    def callback(progress):
        if progress.start == 2:
            raise LookupError("the callback's own")

    with pytest.raises(LookupError, match="own"):
        trained(n_init=4, n_threads=2, callback=callback)


def test_the_progress_line_says_which_start(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    trained(n_init=3, progress=True)
    shown = stream.getvalue()
    for k in (1, 2, 3):
        assert f"network {k}/3" in shown


@pytest.mark.filterwarnings("ignore:Stopped by 'max_seconds' before the first step")
def test_the_clock_is_for_all_starts():
    result = trained(n_init=4, max_epochs=None, max_seconds=0.2, tol=None, gradient_tol=None)
    assert {one.stop_reason for one in result.starts} == {"max_seconds"}


def test_one_warning_where_no_start_stays_finite():
    with pytest.warns(RuntimeWarning, match="NaN or infinite") as told:
        result = trained(n_init=3, learning_rate=1e9, activation="relu", tol=None, max_epochs=300)
    assert [warning.filename for warning in told] == [__file__]
    assert {one.stop_reason for one in result.starts} == {"non_finite"}
    assert np.isfinite(result.network.theta).all()


@pytest.mark.parametrize("n_init", [0, -1])
def test_less_than_one_start(n_init):
    with pytest.raises(ValueError, match="n_init must be an integer of at least 1"):
        trained(n_init=n_init)


def test_a_given_network_is_one_start():
    with pytest.raises(ValueError, match="n_init must be 1 where a network is given; got n_init=2"):
        train(CASE.X, CASE.T, network=CASE.network, n_init=2, alpha=0.0)
    train(CASE.X, CASE.T, network=CASE.network, n_init=1, max_epochs=0)


@pytest.mark.parametrize("n_init", [10**7, 10**30])
def test_more_starts_than_there_is_memory_for(monkeypatch, n_init):
    monkeypatch.setattr(memory_demand, "available_memory", lambda: 16 * 2.0**30)
    message = (
        r"^n_init must leave room in memory; got \S+: a result of each start, \S+ GiB where "
        r"16\.0 GiB are left\. Choose a smaller one"
    )
    with pytest.raises(ValueError, match=message):
        trained(n_init=n_init)


@pytest.mark.parametrize("hidden_size", [4, 400])
def test_what_is_needed_for_a_start_is_no_more_than_what_it_takes(monkeypatch, hidden_size):
    """A call that fits in memory is not refused."""
    options = {"hidden_size": hidden_size, "solver": "lbfgs", "max_epochs": 2, "n_threads": 1}
    trained(n_init=2, **options)
    tracemalloc.start()
    try:
        result = trained(n_init=40, **options)
        taken = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert len(result.starts) == 40
    monkeypatch.setattr(memory_demand, "NEGLIGIBLE", 0)  # ask for this little, too
    monkeypatch.setattr(memory_demand, "available_memory", lambda: taken)
    trained(n_init=40, **options)
    monkeypatch.setattr(memory_demand, "available_memory", lambda: taken / 4)
    with pytest.raises(ValueError, match="n_init must leave room"):
        trained(n_init=40, **options)


def test_networks_of_starts_are_drawn_when_it_is_their_turn(monkeypatch):
    class Begun(Exception):
        pass

    def begun(spec, monitor):
        raise Begun

    monkeypatch.setattr(parallel, "run", begun)
    monkeypatch.setattr(memory_demand, "available_memory", lambda: 2.0**60)
    for n_init in (2, 10**6):
        tracemalloc.start()
        try:
            with pytest.raises(Begun):
                trained(n_init=n_init, hidden_size=2000, n_threads=2)
            assert tracemalloc.get_traced_memory()[1] < 20e6
        finally:
            tracemalloc.stop()


def test_two_starts_run_side_by_side():
    names = set()

    def callback(progress):
        names.add(threading.current_thread().name)

    train(CASE.X, CASE.T, **COMMON, n_init=2, n_threads=2, callback=callback)
    assert names
    assert all(name.startswith("batchprop-network-") for name in names)


def test_there_are_so_many_starts_and_no_more():
    starts = Starts(None, 0, 3)
    assert len(starts) == 3
    for k in (-1, 3, 4):
        with pytest.raises(IndexError):
            starts[k]
