"""``solver="scipy"``: F and its gradient, flat and in float64, for ``scipy.optimize.minimize``.

SciPy calls back once an iteration, while a run here is advanced some epochs at a time.  So
``minimize`` has a thread of its own that hands over each iterate and waits: rules, clock, callback
and Ctrl-C stay with the caller, as for every solver.  This module is the whole solver: it
implements ``protocol.Solver``.
"""

from __future__ import annotations

import atexit
import contextlib
import queue
import reprlib
import threading
import weakref
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop.compiler.jit import kernel
from batchprop.compiler.kernel_call import Call
from batchprop.engines.protocol import Objective
from batchprop.solvers.penalty_kernel import Penalty, penalise
from batchprop.solvers.run_state import State, undo_step
from batchprop.solvers.scipy_settings import METHODS, WITHOUT_GRADIENT, ScipySettings
from batchprop.solvers.stopping import (
    CANCELLED,
    LINE_SEARCH,
    MAX_EVALUATIONS,
    METHOD,
    METHOD_GAVE_UP,
    NON_FINITE,
    RUNNING,
    Rules,
    judge,
)
from batchprop.threads.cancellation import Cancelled

Array = npt.NDArray[Any]

_LINE_SEARCHES = ("BFGS", "CG", "L-BFGS-B", "Newton-CG")
_NO_PROGRESS = 2  # their status where the direction has no lower point, mostly due to rounding
_POLL_SECONDS = 0.02  # between two checks of clock and Ctrl-C while waiting for an iterate
_JOIN_SECONDS = 0.25  # to wait for the thread; SciPy may be at work on large matrices

# What a method raises about options that it cannot take.
_OPTION_ERRORS = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError)

needs_gauss_newton = False


class _Iterate(NamedTuple):
    """An evaluation that is handed over to the run."""

    theta: Array
    F: float
    loss: float
    gradient: Array


class _Stopped(Exception):
    """Raised by an evaluation to end ``minimize``."""


@kernel
def _judge(rules, state, F, loss, validation_loss, gradient):
    """Python entry point of ``judge``."""
    return judge(rules, state, F, loss, validation_loss, gradient)


def initial_memory(settings: ScipySettings, n_parameters: int) -> Array:
    """Return an empty array: the memory of a method is inside SciPy."""
    return np.zeros((0, n_parameters))


memory_form = initial_memory


def check_memory(settings: ScipySettings, state: State, reason: str) -> None:
    """Check nothing: there is no memory, and a run cannot be resumed."""


def training_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the network's own dtype: θ is rounded to it before each evaluation."""
    return dtype


def compiled_loop(
    settings: ScipySettings, rules: Rules, penalty: Penalty, state: State
) -> Call | None:
    """Return None: SciPy's loops are its own."""
    return None


def _option_error(error: BaseException, settings: ScipySettings) -> BaseException:
    """Return the error to raise: one of SciPy's about its options gets our form."""
    if not settings.options or not isinstance(error, _OPTION_ERRORS):
        return error
    reason = " ".join(str(error).split())[:150].rstrip(".")
    return ValueError(
        f"method_options must be options of scipy.optimize.minimize with "
        f"method={settings.method!r}; got {reprlib.repr(settings.options)}, of which SciPy says: "
        f"{reason}. See scipy.optimize.show_options('minimize', {settings.method!r})."
    )


class _Minimisation:
    """``minimize`` in its thread, which puts iterates into ``results``, and at last a reason."""

    def __init__(
        self, settings: ScipySettings, penalty: Penalty, state: State, objective: Objective
    ) -> None:
        self._settings, self._penalty, self._objective = settings, penalty, objective
        self._minimize = import_module("scipy.optimize").minimize  # slow the first time
        self._cancellation = objective.cancellation
        self._first, self._calls = state.theta.copy(), state.calls
        self._last: _Iterate | None = None
        self._handed_over = self._first
        self._stopped = False
        self._requests = threading.Semaphore(0)
        self.results: queue.SimpleQueue[_Iterate | int | BaseException] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="batchprop-scipy", daemon=True)

    @property
    def cancelled(self) -> bool:
        """Whether the run has been cancelled."""
        return self._cancellation is not None and self._cancellation.cancelled

    def next(self) -> _Iterate | int | BaseException:
        """Let ``minimize`` go on to its next iterate and return it, or what it ended with."""
        if self._thread.ident is None:
            self._start()
        self._requests.release()
        while True:
            if self._last is not None and self._cancellation is not None:
                self._cancellation.check()  # the first evaluation checks for itself
            if self.cancelled:
                raise Cancelled
            with contextlib.suppress(queue.Empty):
                return self.results.get(timeout=_POLL_SECONDS)

    def _start(self) -> None:
        try:
            self._thread.start()
        except RuntimeError:
            raise RuntimeError(
                "solver='scipy' must have a thread of its own; got none from the system, which has "
                "no more to give. End other threads or processes, or use solver='lbfgs'."
            ) from None

    def stop(self) -> None:
        """End the thread at its next evaluation or iterate, possibly after this returns."""
        self._stopped = True
        if self._cancellation is not None:
            self._cancellation.cancel()
        self._requests.release()
        if self._thread.ident is not None:
            self._thread.join(_JOIN_SECONDS)
            if self._thread.is_alive():  # the interpreter must not end before it
                atexit.register(self._thread.join)

    def _run(self) -> None:
        self._requests.acquire()
        try:
            self.results.put(self._minimised())
        except _Stopped:
            self.results.put(MAX_EVALUATIONS)
        except BaseException as error:  # raised again where the run is advanced
            self.results.put(_option_error(error, self._settings))

    def _minimised(self) -> int:
        """Call ``minimize``; return the reason it ended with."""
        settings, first = self._settings, self._first.astype(np.float64)
        self._hand_over(first)
        with_gradient = settings.method not in WITHOUT_GRADIENT
        result = self._minimize(
            self._values if with_gradient else lambda theta: self._values(theta)[0],
            first,
            method=settings.method,
            jac=True if with_gradient else None,
            callback=self._hand_over,
            options=METHODS[settings.method] | settings.options,
        )
        if not np.array_equal(result.x, self._handed_over):
            self._hand_over(result.x)
        if result.success:
            return METHOD
        stuck = settings.method in _LINE_SEARCHES and result.status == _NO_PROGRESS
        return LINE_SEARCH if stuck else METHOD_GAVE_UP

    def _hand_over(self, theta: Array, *more: object) -> None:
        """Put an iterate of ``minimize`` into the queue; wait for the request of the next one."""
        self._handed_over = np.array(theta, np.float64)
        self.results.put(self._evaluated(theta))
        self._requests.acquire()
        if self._stopped:
            raise _Stopped

    def _values(self, theta: Array) -> tuple[float, Array]:
        """Return F and a copy of its gradient in float64."""
        iterate = self._evaluated(theta)
        return iterate.F, iterate.gradient.astype(np.float64)

    def _evaluated(self, theta: Array) -> _Iterate:
        """Return the evaluation at θ; the last one is reused if it was at the same θ."""
        rounded = theta.astype(self._first.dtype)
        if self._last is None or not np.array_equal(rounded, self._last.theta):
            if self._stopped or self._calls[0] >= self._settings.max_evaluations:
                raise _Stopped
            gradient = np.zeros_like(rounded)
            with np.errstate(over="ignore", invalid="ignore"):  # judged later
                F = self._objective.loss_and_gradient(rounded, gradient)
                if self.cancelled:  # meanwhile: the state is no longer this thread's
                    raise _Stopped
                self._calls[0] += 1
                F += penalise(self._penalty, rounded, gradient, True)
                self._last = _Iterate(rounded, F, self._objective.reported_loss, gradient)
        return self._last


class ScipyRun:
    """A run of ``scipy.optimize.minimize``, around any objective.

    Parameters
    ----------
    settings, rules, penalty, state, objective, validation
        As in ``protocol.Solver.run``.

    Raises
    ------
    ValueError
        The state is that of a run that has begun: SciPy does not hand out a method's memory.
    """

    def __init__(
        self,
        settings: ScipySettings,
        rules: Rules,
        penalty: Penalty,
        state: State,
        objective: Objective,
        validation: Objective | None,
    ) -> None:
        if state.evaluations[0] > 0:
            raise ValueError(
                f"a run to go on with must be of a solver that can be resumed; got "
                f"solver='scipy' after {state.evaluations[0]} epochs, whose state is inside "
                f"scipy.optimize.minimize. Begin anew with network=result.network, or use "
                f"solver='lbfgs'."
            )
        self._rules, self._state, self._validation = rules, state, validation
        self._minimisation = _Minimisation(settings, penalty, state, objective)
        self._next: _Iterate | None = None
        self._stop = weakref.finalize(self, self._minimisation.stop)

    def advance(self, losses: Array, validation_losses: Array) -> tuple[int, int]:
        """Run for as many iterations as the curves have room for."""
        state = self._state
        for k in range(losses.size):
            iterate = self._wait() if self._next is None else self._next
            if iterate is None:
                return CANCELLED, k
            assert not isinstance(iterate, int), "the start is handed over first"
            if state.epoch[0] > 0:
                step = iterate.theta.astype(np.float64) - state.previous
                state.step[0] = np.linalg.norm(step)
            state.theta[:], losses[k] = iterate.theta, iterate.loss
            if self._validation is not None:
                try:
                    self._validation.loss(state.theta)
                except Cancelled:
                    return CANCELLED, k
                validation_losses[k] = self._validation.reported_loss
                if self._minimisation.cancelled:
                    return CANCELLED, k
            reason = int(
                _judge(
                    self._rules, state, iterate.F, losses[k], validation_losses[k],
                    iterate.gradient,
                )
            )  # fmt: skip
            if reason == NON_FINITE:
                undo_step(state)
            following = self._wait() if reason == RUNNING else reason
            if following is None:
                return CANCELLED, k + 1
            if isinstance(following, int):
                self.close()
                return following, k + 1
            self._next = following
            state.previous[:] = state.theta
            state.epoch[0] += 1
        return RUNNING, losses.size

    def close(self) -> None:
        """End the thread."""
        self._stop()

    def _wait(self) -> _Iterate | int | None:
        """Return the next iterate, or a reason why there is none; None if the run is cancelled."""
        result: _Iterate | int | BaseException
        try:
            result = self._minimisation.next()
        except Cancelled as error:
            result = error
        if self._minimisation.cancelled:
            return None
        if isinstance(result, BaseException):
            raise result
        return result


run = ScipyRun
