"""``solver="scipy"``: J and its gradient, flat and in float64, for ``scipy.optimize.minimize``.

SciPy calls back once an iteration, while a run here is advanced some epochs at a time.  So
``minimize`` has a thread of its own that hands over each iterate and waits: rules, clock, callback
and Ctrl-C stay with the caller, as for every solver.
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
from batchprop.solvers.penalty_kernel import Penalty, penalise
from batchprop.solvers.stopping import (
    CANCELLED,
    LINE_SEARCH,
    MAX_EVALUATIONS,
    METHOD,
    METHOD_GAVE_UP,
    NON_FINITE,
    RUNNING,
    Rules,
    State,
    judge,
)
from batchprop.threads.cancellation import Cancellation, Cancelled

Array = npt.NDArray[Any]

_UNLIMITED = 2**31 - 1  # what the compiled ones among the methods can count
_NO_PROGRESS = 2  # a status of these: no lower point along the direction, rounding as a rule
_POLL_SECONDS = 0.02  # between two looks at clock and Ctrl-C while an iterate is waited for
_PATIENCE = 0.25  # seconds that the thread has to end; SciPy may be at work on large matrices
_SEARCHING = ("BFGS", "CG", "L-BFGS-B", "Newton-CG")

# Options that leave the end to our rules; methods that use no gradient are at the end.
_LONG = {"maxiter": _UNLIMITED}
METHODS: dict[str, dict[str, float]] = {
    "L-BFGS-B": _LONG | {"ftol": 0.0, "gtol": 0.0, "maxfun": _UNLIMITED},
    "BFGS": _LONG | {"gtol": 0.0},
    "CG": _LONG | {"gtol": 0.0},
    "Newton-CG": _LONG | {"xtol": 0.0},
    "TNC": {"ftol": 0.0, "xtol": 0.0, "gtol": 0.0, "maxfun": _UNLIMITED},
    "SLSQP": _LONG | {"ftol": 0.0},
    "trust-constr": _LONG | {"gtol": 0.0, "xtol": 1e-15},
    "Nelder-Mead": _LONG | {"xatol": 0.0, "fatol": 0.0, "maxfev": _UNLIMITED},
    "Powell": _LONG | {"xtol": 0.0, "ftol": 0.0, "maxfev": _UNLIMITED},
}
# What a method raises about options that it cannot take.
_OF_OPTIONS = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError)
# Options that are one number, whatever the method.
NUMBERS = (
    "maxiter", "maxfun", "maxfev", "maxcor", "maxls", "maxCGit", "minfev", "ftol", "gtol", "xtol",
    "xatol", "fatol", "xrtol", "c1", "c2", "eta", "stepmx", "accuracy", "rescale",
)  # fmt: skip
WITHOUT_GRADIENT = ("Nelder-Mead", "Powell")


class ScipySettings(NamedTuple):
    """What ``scipy.optimize.minimize`` is told.

    Attributes
    ----------
    method : str
        A key of METHODS.
    options : dict
        The method's own; those given here count before ours.
    max_evaluations : int
        Evaluations of loss and gradient at most.
    """

    method: str = "L-BFGS-B"
    options: dict[str, Any] = {}  # noqa: RUF012
    max_evaluations: int = 2**62


class _Iterate(NamedTuple):
    """An evaluation that is handed over."""

    theta: Array
    objective: float
    loss: float
    gradient: Array


class _Stopped(Exception):
    """Ends ``minimize`` from inside."""


@kernel
def _judge(rules, state, objective, loss, validation_loss, gradient):
    """The judgement of an iterate, called from Python."""
    return judge(rules, state, objective, loss, validation_loss, gradient)


def memory(settings: ScipySettings, n_parameters: int) -> Array:
    """Return nothing: what a method remembers is SciPy's."""
    return np.zeros((0, n_parameters))


def _told(error: BaseException, settings: ScipySettings) -> BaseException:
    """Return the error to raise: what SciPy raises about its options is said in our form."""
    if not settings.options or not isinstance(error, _OF_OPTIONS):
        return error
    reason = " ".join(str(error).split())[:150].rstrip(".")
    return ValueError(
        f"method_options must be options of scipy.optimize.minimize with "
        f"method={settings.method!r}; got {reprlib.repr(settings.options)}, of which SciPy says: "
        f"{reason}. See scipy.optimize.show_options('minimize', {settings.method!r})."
    )


class _Minimisation:
    """``minimize`` in its thread; iterates come out of ``made``, and at last a reason."""

    def __init__(
        self, settings: ScipySettings, penalty: Penalty, state: State, objective: Any
    ) -> None:
        self._settings, self._penalty, self._objective = settings, penalty, objective
        self._minimize = import_module("scipy.optimize").minimize  # takes a while, the first time
        self._cancellation: Cancellation | None = getattr(objective, "cancellation", None)
        self._first, self._calls = state.theta.copy(), state.calls
        self._last: _Iterate | None = None
        self._handed_over = self._first
        self._stopped = False
        self._wanted = threading.Semaphore(0)
        self.made: queue.SimpleQueue[_Iterate | int | BaseException] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="batchprop-scipy", daemon=True)

    @property
    def cancelled(self) -> bool:
        """Whether the run is to end from outside."""
        return self._cancellation is not None and self._cancellation.cancelled

    def next(self) -> _Iterate | int | BaseException:
        """Let ``minimize`` go on to its next iterate and return it, or what it ended with."""
        if self._thread.ident is None:
            self._start()
        self._wanted.release()
        while True:
            if self._last is not None and self._cancellation is not None:
                self._cancellation.check()  # the first evaluation is looked at where it is made
            if self.cancelled:
                raise Cancelled
            with contextlib.suppress(queue.Empty):
                return self.made.get(timeout=_POLL_SECONDS)

    def _start(self) -> None:
        try:
            self._thread.start()
        except RuntimeError:
            raise RuntimeError(
                "solver='scipy' must have a thread of its own; got none from the system, which has "
                "no more to give. End other threads or processes, or use solver='lbfgs'."
            ) from None

    def stop(self) -> None:
        """End the thread at its next evaluation or iterate; that may be after this returns."""
        self._stopped = True
        if self._cancellation is not None:
            self._cancellation.cancel()
        self._wanted.release()
        if self._thread.ident is not None:
            self._thread.join(_PATIENCE)
            if self._thread.is_alive():  # the interpreter is not to end under it
                atexit.register(self._thread.join)

    def _run(self) -> None:
        self._wanted.acquire()
        try:
            self.made.put(self._minimised())
        except _Stopped:
            self.made.put(MAX_EVALUATIONS)
        except BaseException as error:  # raised again where the run is advanced
            self.made.put(_told(error, self._settings))

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
        stuck = settings.method in _SEARCHING and result.status == _NO_PROGRESS
        return LINE_SEARCH if stuck else METHOD_GAVE_UP

    def _hand_over(self, theta: Array, *more: object) -> None:
        """Take an iterate from ``minimize``, and wait until the next one is wanted."""
        self._handed_over = np.array(theta, np.float64)
        self.made.put(self._evaluated(theta))
        self._wanted.acquire()
        if self._stopped:
            raise _Stopped

    def _values(self, theta: Array) -> tuple[float, Array]:
        """Return J and its gradient in float64, for ``minimize`` to keep."""
        found = self._evaluated(theta)
        return found.objective, found.gradient.astype(np.float64)

    def _evaluated(self, theta: Array) -> _Iterate:
        """Return the evaluation at θ, the last one if it was there."""
        rounded = theta.astype(self._first.dtype)
        if self._last is None or not np.array_equal(rounded, self._last.theta):
            if self._stopped or self._calls[0] >= self._settings.max_evaluations:
                raise _Stopped
            gradient = np.zeros_like(rounded)
            with np.errstate(over="ignore", invalid="ignore"):  # judged, and told once
                objective = self._objective.loss_and_gradient(rounded, gradient)
                if self.cancelled:
                    raise _Stopped
                self._calls[0] += 1
                objective += penalise(self._penalty, rounded, gradient, True)
                self._last = _Iterate(rounded, objective, self._objective.reported, gradient)
        return self._last


class ScipyRun:
    """A run of ``scipy.optimize.minimize``, around any engine.

    Raises
    ------
    ValueError
        The state is that of a run that has begun: methods keep what they remember to themselves.
    """

    def __init__(
        self,
        settings: ScipySettings,
        rules: Rules,
        penalty: Penalty,
        state: State,
        objective: Any,
        validation: Any,
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
        self.close = weakref.finalize(self, self._minimisation.stop)

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
                validation_losses[k] = self._validation.reported
                if self._minimisation.cancelled:
                    return CANCELLED, k
            reason = int(
                _judge(
                    self._rules, state, iterate.objective, losses[k], validation_losses[k],
                    iterate.gradient,
                )
            )  # fmt: skip
            if reason == NON_FINITE and state.epoch[0] > 0:
                state.theta[:] = state.previous
                state.epoch[0] -= 1
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

    def _wait(self) -> _Iterate | int | None:
        """Return the next iterate, or why there is none; None if the run is cancelled."""
        found: _Iterate | int | BaseException
        try:
            found = self._minimisation.next()
        except Cancelled as error:
            found = error
        if self._minimisation.cancelled:
            return None
        if isinstance(found, BaseException):
            raise found
        return found
