"""A process that fits models, one at a time, and is stopped when a fit exceeds its time limit.

Python cannot interrupt a fit that hangs in compiled code. Fits therefore run in another process,
where each library has one thread. If a fit exceeds its limit of CPU time, or hangs without using
any, the process is killed, and the next fit gets a new one. A limit of CPU time gives the same
results on a busy machine; where the system has no such timer, only the limit of real time remains.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
import warnings
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import numpy as np

from benchmarks.data import Array
from benchmarks.peers.environment import THREAD_VARIABLES

START = 300.0  # seconds for a process to start, compile kernels and warm up
WARM_UP_ROWS = 30
PATIENCE = 10.0  # real time that a fit may take, as a multiple of its limit of CPU time
TIMER = getattr(signal, "ITIMER_PROF", None)  # its signal ends the process; not on Windows


class Task(NamedTuple):
    """What is fitted to which samples; T has shape (N, s)."""

    model: str
    seed: int
    X: Array
    T: Array
    X_test: Array


class Outcome(NamedTuple):
    """Predictions (N, s) for the test rows, or None and the reason why there are none.

    ``stopped`` is the ``stop_reason_`` of our estimator, empty for others.
    """

    prediction: Array | None
    seconds: float
    stopped: str = ""
    note: str = ""


def _arrays(task: Task) -> tuple[Array, Array]:
    """Return X and y as estimators expect them: a single output has one dimension."""
    return task.X, task.T[:, 0] if task.T.shape[1] == 1 else task.T


def fit(task: Task) -> Outcome:
    """Fit in this process; an exception becomes a note.  The seconds are CPU time of the fit."""
    from benchmarks.defaults.models import build

    model = build(task.model, task.X.shape[1], task.T.shape[1], task.seed)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # convergence, constant columns: the score tells
        began = time.process_time()
        try:
            model.fit(*_arrays(task))
            seconds = time.process_time() - began
            prediction = np.asarray(model.predict(task.X_test), float)
        except (ArithmeticError, MemoryError, ValueError, np.linalg.LinAlgError) as error:
            note = f"{type(error).__name__}: {str(error).splitlines()[0][:150]}"
            return Outcome(None, time.process_time() - began, note=note)
    if not np.all(np.isfinite(prediction)):
        return Outcome(None, seconds, note="predictions are not finite")
    stopped = getattr(model, "stop_reason_", "")
    return Outcome(prediction.reshape(len(task.X_test), -1), seconds, stopped)


def warm_up(task: Task) -> None:
    """Load what a fit needs, kernels in particular, with a few rows and iterations."""
    from batchprop.sklearn import BatchMLPRegressor
    from benchmarks.defaults.models import OTHERS

    first_rows = task._replace(X=task.X[:WARM_UP_ROWS], T=task.T[:WARM_UP_ROWS])
    if task.model in OTHERS:
        fit(first_rows)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for solver in ("lm", "lbfgs"):
            model = BatchMLPRegressor(solver=solver, max_iter=3, n_threads=1)
            model.fit(
                first_rows.X, first_rows.T if first_rows.T.shape[1] > 1 else first_rows.T[:, 0]
            )
    fit(first_rows._replace(model=f"{task.model} max_seconds=1"))


def serve(connection: Connection) -> None:
    """Answer tasks until the other end is closed: b"ready" after the warm-up, then the outcome."""
    warm = set()
    with contextlib.suppress(EOFError, KeyboardInterrupt):
        while True:
            task, limit = connection.recv()
            key = task.model, task.X.shape[1], task.T.shape[1]
            if key not in warm:
                warm_up(task)
                warm.add(key)
            connection.send(b"ready")
            _end_after(limit)
            outcome = fit(task)
            _end_after(0)
            connection.send(outcome)


def _end_after(seconds: float) -> None:
    """Let this process be ended after so many seconds of CPU time; 0 stops the timer."""
    if TIMER is not None:
        signal.setitimer(TIMER, seconds)


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Set the variables by which libraries choose their number of threads when they are loaded."""
    previous = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in previous.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


class Worker:
    """Starts the process when it is needed, and again after it was stopped."""

    def __init__(self, limit: float) -> None:
        self.limit = limit  # seconds of CPU time for a fit
        self._process: Any = None

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, other = context.Pipe()
        self._process = context.Process(target=serve, args=(other,), daemon=True)
        with _one_thread():
            self._process.start()
        other.close()

    def run(self, task: Task) -> Outcome:
        """Fit in the process; a fit that takes too long or ends the process becomes a note."""
        if self._process is None:
            self._start()
        try:
            self._connection.send((task, self.limit))
            for seconds in (START, PATIENCE * self.limit):
                if not self._connection.poll(seconds):
                    self.close()
                    return Outcome(None, seconds, note=f"no result within {seconds:g} s")
                answer = self._connection.recv()
        except (EOFError, OSError):
            return self._ended()
        return Outcome(*answer)

    def _ended(self) -> Outcome:
        """Return why the process ended during a fit."""
        self._process.join()
        timed_out = TIMER is not None and self._process.exitcode == -signal.SIGPROF
        self.close()
        note = f"more than {self.limit:g} s of CPU time" if timed_out else "its process ended"
        return Outcome(None, self.limit if timed_out else 0.0, note=note)

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._connection.close()
            self._process = None
