"""Cancellation: a compiled run asks Python now and then whether it should end.

An iteration over many samples or parameters can take minutes in compiled code, during which Python
handles neither time limits, Ctrl-C nor requests of other threads.  So the leader of a thread team
counts its work in multiply-adds and calls back into Python about every 20 ms.  If the run should
end, Python's answer sets a flag that all threads of the team check: they abandon the evaluation,
whose results are then meaningless.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Generator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from batchprop.compiler.jit import never_inlined, returning
from batchprop.threads.atomics import atomic_load, atomic_store

Array = npt.NDArray[Any]

# indices into ``counts``; the flag has a cache line of its own
CANCELLED_FLAG, REMAINING, INTERVAL = 0, 16, 17
SECONDS = 0.02  # of work between two calls into Python
GRACE = 0.1  # seconds before the first check in Python: a short evaluation is never abandoned
FIRST_INTERVAL = 1 << 26  # multiply-adds before the first call; a few milliseconds
MIN_INTERVAL, MAX_INTERVAL = 1 << 20, 1 << 29  # between later calls, adapted to the time they take
# Cost in multiply-adds of reading a number from memory, and of writing one to fresh memory, which
# the system still has to map page by page.
READ, WRITTEN = 32, 512

_FUNCTION = ctypes.CFUNCTYPE(ctypes.c_int64)


class Token(NamedTuple):
    """A thread's access to the cancellation of its run."""

    ask: int  # address of the C function that calls Python; 0 for all threads but the leader
    counts: Array  # int64, shared by the threads: the flag, and the work left until the next call


class Cancelled(Exception):
    """Raised to end an evaluation in Python code."""


@intrinsic
def _ask(typing: Any, address: Any) -> Any:
    """``_ask(address)``: call a C function without arguments by its address."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        function_type = ir.FunctionType(ir.IntType(64), [])
        return builder.call(builder.inttoptr(args[0], function_type.as_pointer()), [])

    return types.int64(address), codegen


@never_inlined
def _ask_python(token):
    """Call Python, unless the run is already cancelled; set the flag or count anew."""
    counts = token.counts
    if atomic_load(counts, CANCELLED_FLAG) == 0:
        if _ask(token.ask) != 0:
            atomic_store(counts, CANCELLED_FLAG, 1)
        else:
            counts[REMAINING] = counts[INTERVAL]


@returning(types.boolean)
def is_cancelled(token):
    """Return whether the run has been cancelled."""
    return atomic_load(token.counts, CANCELLED_FLAG) != 0


@returning(types.boolean)
def check(token, work):
    """Count ``work`` multiply-adds, call Python if it is due, return whether to end the run."""
    counts = token.counts
    if token.ask != 0:
        counts[REMAINING] -= work
        if counts[REMAINING] > 0:
            return False
        _ask_python(token)
    return atomic_load(counts, CANCELLED_FLAG) != 0


class _Outcome:
    """The reason to end the run, an exception raised while asking, the time of the last call."""

    def __init__(self) -> None:
        self.reason = "interrupted"
        self.error: BaseException | None = None
        self.last_asked = time.perf_counter()


class Cancellation:
    """Ends one run from outside.

    Parameters
    ----------
    end_reason : callable
        Returns the reason why the run must end now, or an empty string.
    """

    def __init__(self, end_reason: Callable[[], str]) -> None:
        self._end_reason, self._outcome = end_reason, _Outcome()
        self._counts = np.zeros(64, np.int64)
        self._counts[INTERVAL] = FIRST_INTERVAL
        answers = _answers(end_reason, self._outcome, self._counts)
        next(answers)
        self._function = _FUNCTION(answers.__next__)
        address = ctypes.cast(self._function, ctypes.c_void_p).value or 0
        self.leader = Token(address, self._counts)
        self.restart()

    def restart(self) -> None:
        """Postpone the next check by one interval."""
        self._counts[REMAINING] = self._counts[INTERVAL]
        self._outcome.last_asked = time.perf_counter()
        self._next_check = self._outcome.last_asked + GRACE

    def cancel(self) -> None:
        """Cancel the run."""
        self._counts[CANCELLED_FLAG] = 1

    @property
    def cancelled(self) -> bool:
        """Whether the run has been cancelled."""
        return bool(self._counts[CANCELLED_FLAG])

    def check(self) -> None:
        """Check whether the run should end, if a check is due; raise ``Cancelled`` if so."""
        now = time.perf_counter()
        if now >= self._next_check and not self.cancelled:
            self._next_check = now + SECONDS
            reason = self._end_reason()
            if reason:
                self._outcome.reason = reason
                self.cancel()
        if self.cancelled:
            raise Cancelled

    def reason(self) -> str:
        """Return why the run ended; re-raise what was raised while asking, such as Ctrl-C."""
        error, self._outcome.error = self._outcome.error, None
        if error is not None:
            raise error
        return self._outcome.reason


def leader_token(cancellation: Cancellation | None) -> Token:
    """Return the token of a team's leader; without a cancellation, one that never ends the run."""
    return Token(0, np.zeros(64, np.int64)) if cancellation is None else cancellation.leader


def _answers(
    end_reason: Callable[[], str], outcome: _Outcome, counts: Array
) -> Generator[int, None, None]:
    """Yield 1 if the run should end, else 0.

    In the main thread, Python handles signals when it enters a function, before any ``try`` in
    it.  A generator is resumed inside its ``try``, so that Ctrl-C is caught here.
    """
    answer = 0
    while True:
        try:
            yield answer
            reason = end_reason()
            now = time.perf_counter()
            factor = SECONDS / max(now - outcome.last_asked, 1e-9)
            interval = int(counts[INTERVAL] * min(2.0, max(0.25, factor)))
            counts[INTERVAL] = min(MAX_INTERVAL, max(MIN_INTERVAL, interval))
            outcome.last_asked = now
            if reason:
                outcome.reason, answer = reason, 1
        except GeneratorExit:
            return
        except BaseException as error:  # re-raised by ``reason``, where the kernel was called
            outcome.error, answer = error, 1
