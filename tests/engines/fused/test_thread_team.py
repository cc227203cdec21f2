"""The engine's threads: they end with the call, and are missed by nobody where there are none."""

from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np
import pytest
from threadpoolctl import threadpool_info

import batchprop
from batchprop.engines.fused.objective import Objective
from tests.engines.fused.processes import run
from tests.engines.fused.teams import objective_of
from tests.engines.fused.workload import work
from tests.platforms import needs_alarms
from tests.problems import problem

_others = []  # threads that other tests' libraries have left


def own_threads():
    return [thread for thread in threading.enumerate() if thread not in _others]


@pytest.fixture(autouse=True)
def _nobody_is_left_behind():
    _others[:] = threading.enumerate()
    yield
    deadline = time.monotonic() + 10
    while own_threads() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not own_threads()


@pytest.fixture(scope="module")
def data():
    return problem(8, 50, 1, 20_000, "tanh", "float32")


def train(data, **settings):
    return batchprop.train(data.X, data.T, n_threads=4, alpha=0.0, tol=None, **settings)


def test_threads_are_there_for_one_call_only(data):
    counts = []
    train(data, max_epochs=3, callback=lambda progress: counts.append(len(own_threads())))
    assert counts == [3] * 4
    assert not own_threads()


def fail_to_start(monkeypatch, error, after):
    """Let the system refuse new threads after some."""
    start, started = threading.Thread.start, []

    def refuse(thread):
        if len(started) >= after:
            raise error
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)


@pytest.mark.parametrize("after", [0, 1, 2])
def test_where_no_thread_can_be_started_fewer_do_it(after, data, monkeypatch):
    expected = work(n_threads=1)
    fail_to_start(monkeypatch, RuntimeError("can't start new thread"), after)
    assert work(n_threads=4) == expected


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_an_interruption_between_two_starts_leaves_no_thread(error, data, monkeypatch):
    with monkeypatch.context() as patched:
        fail_to_start(patched, error(), after=2)
        with pytest.raises(error):
            objective_of(data, 4)


def test_an_objective_that_is_dropped_leaves_no_thread(data):
    dropped = objective_of(data, 4)
    assert isinstance(dropped, Objective)
    assert len(own_threads()) == 3
    del dropped


def test_an_error_in_a_callback_leaves_no_thread(data):
    def fail(progress):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        train(data, max_epochs=10, callback=fail)


@needs_alarms
@pytest.mark.parametrize("seconds", [0.0, 0.001, 0.02, 0.3])
def test_ctrl_c_ends_a_training_and_its_threads(data, seconds):
    """Whenever it comes: while threads start, while they compute, between two bursts."""
    train(data, max_epochs=1)  # compiled
    interrupted = []

    def interrupt(progress):
        if not interrupted:
            interrupted.append(time.monotonic())
            signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-6))

    previous = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        result = train(data, max_epochs=10**8, callback=interrupt, callback_every=10)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert result.stop_reason == "interrupted"
    assert np.isfinite(result.loss)
    assert time.monotonic() - interrupted[0] < seconds + 5


def settings_of_others():
    pools = {pool["filepath"]: pool["num_threads"] for pool in threadpool_info()}
    names = ("OMP_", "MKL_", "NUMBA_", "OPENBLAS_", "BLIS_", "VECLIB_", "KMP_")
    variables = {name: value for name, value in os.environ.items() if name.startswith(names)}
    return pools, variables


def test_thread_settings_of_others_stay_as_they_are(data):
    pools, variables = settings_of_others()
    assert pools
    train(data, max_epochs=20)
    data.network.predict(data.X, n_threads=3)
    batchprop.loss_and_gradient(data.network, data.X, data.T, n_threads=2)
    pools_after, variables_after = settings_of_others()
    assert pools_after.items() >= pools.items()  # numba may have loaded one more, to compile
    assert variables_after == variables


NUMBA_S_OWN = """
import os
before = dict(os.environ)
import numba
from numba.np.ufunc import parallel
from tests.engines.fused.workload import work
affinity = getattr(os, "sched_getaffinity", lambda pid: None)
processors = affinity(0)
work()
assert not parallel._is_initialized, "numba's own threads are not started"
assert numba.get_num_threads() == numba.config.NUMBA_NUM_THREADS
numba.set_num_threads(1)
work()
assert numba.get_num_threads() == 1
assert dict(os.environ) == before
assert affinity(0) == processors
"""


def test_numba_s_own_threads_are_not_touched():
    assert run(NUMBA_S_OWN) == ""
