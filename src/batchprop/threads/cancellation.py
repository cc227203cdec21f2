"""Whether a run goes on: kernels ask while they work, Python answers.

An iteration over many samples or parameters takes minutes in compiled code, where nobody sees the
clock, Ctrl-C or another thread's wish to end the run.  So the leader of a team counts the work that
it does.  After every so much of it, about 20 ms, it calls back into Python, which looks at all of
these.  If the run is to end, a flag is set that all threads of the team see: what they are at is
given up, and its numbers mean nothing.
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

# places in ``counts``, the flag on a cache line of its own
CANCELLED, LEFT, EVERY = 0, 16, 17
SECONDS = 0.02  # of work between two questions
GRACE = 0.1  # seconds before the first one in Python: a small evaluation is never given up
FIRST = 1 << 26  # multiply-adds before the first one; a few milliseconds
LEAST, MOST = 1 << 20, 1 << 29  # later, when it is known how long they take
# multiply-adds that take as long as to read a number from memory, and to write one where nothing
# was written before: memory that a system gives away page by page
READ, WRITTEN = 32, 512

_FUNCTION = ctypes.CFUNCTYPE(ctypes.c_int64)


class Token(NamedTuple):
    """What a thread's kernels know of it."""

    ask: int  # address of the C function to call; 0 for those who only see the flag
    counts: Array  # int64, shared by the threads: the flag, and the leader's work until it asks


class Cancelled(Exception):
    """Ends an evaluation in Python."""


@intrinsic
def _ask(typing: Any, place: Any) -> Any:
    """``_ask(place)``: call a C function of no arguments by its address."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(ir.IntType(64), [])
        return builder.call(builder.inttoptr(args[0], kind.as_pointer()), [])

    return types.int64(place), codegen


@never_inlined
def _look(token):
    """Ask, unless it is known that the run is to end."""
    counts = token.counts
    if atomic_load(counts, CANCELLED) == 0:
        if _ask(token.ask) != 0:
            atomic_store(counts, CANCELLED, 1)
        else:
            counts[LEFT] = counts[EVERY]


@returning(types.boolean)
def is_cancelled(token):
    """Return whether the run is to end."""
    return atomic_load(token.counts, CANCELLED) != 0


@returning(types.boolean)
def check(token, work):
    """Count ``work``, in multiply-adds; ask if it is time to; return whether the run is to end."""
    counts = token.counts
    if token.ask != 0:
        counts[LEFT] -= work
        if counts[LEFT] > 0:
            return False
        _look(token)
    return atomic_load(counts, CANCELLED) != 0


class _Outcome:
    """What came out of the questions so far."""

    def __init__(self) -> None:
        self.reason = "interrupted"
        self.error: BaseException | None = None
        self.asked = time.perf_counter()


class Cancellation:
    """Ends one run from outside, wherever it is.

    Parameters
    ----------
    ended : callable
        Returns the reason why the run is to end now, or an empty string.
    """

    def __init__(self, ended: Callable[[], str]) -> None:
        self._ended, self._outcome = ended, _Outcome()
        self._counts = np.zeros(64, np.int64)
        self._counts[EVERY] = FIRST
        answers = _answers(ended, self._outcome, self._counts)
        next(answers)
        self._function = _FUNCTION(answers.__next__)
        address = ctypes.cast(self._function, ctypes.c_void_p).value or 0
        self.leader, self.worker = Token(address, self._counts), Token(0, self._counts)
        self.restart()

    def restart(self) -> None:
        """Ask next when some work has been done from now on."""
        self._counts[LEFT] = self._counts[EVERY]
        self._outcome.asked = time.perf_counter()
        self._due = self._outcome.asked + GRACE

    def cancel(self) -> None:
        """End the run."""
        self._counts[CANCELLED] = 1

    @property
    def cancelled(self) -> bool:
        """Whether it is to end."""
        return bool(self._counts[CANCELLED])

    def check(self) -> None:
        """Ask if it is time to, and raise ``Cancelled`` if the run is to end."""
        now = time.perf_counter()
        if now >= self._due and not self.cancelled:
            self._due = now + SECONDS
            reason = self._ended()
            if reason:
                self._outcome.reason = reason
                self.cancel()
        if self.cancelled:
            raise Cancelled

    def reason(self) -> str:
        """Return why the run ended, or raise what was raised where that was asked: Ctrl-C."""
        error, self._outcome.error = self._outcome.error, None
        if error is not None:
            raise error
        return self._outcome.reason


def leader_token(cancellation: Cancellation | None) -> Token:
    """Return the token of the thread that asks; None is a run that nobody ends."""
    return Token(0, np.zeros(64, np.int64)) if cancellation is None else cancellation.leader


def _answers(
    ended: Callable[[], str], outcome: _Outcome, counts: Array
) -> Generator[int, None, None]:
    """Yield 1 when the run is to end, else 0.

    In the main thread Python handles signals as it enters a function, before any ``try`` in it.  A
    generator is entered where it waits, so that Ctrl-C is raised inside this one's ``try``.
    """
    answer = 0
    while True:
        try:
            yield answer
            reason = ended()
            now = time.perf_counter()
            factor = SECONDS / max(now - outcome.asked, 1e-9)
            every = int(counts[EVERY] * min(2.0, max(0.25, factor)))
            counts[EVERY], outcome.asked = min(MOST, max(LEAST, every)), now
            if reason:
                outcome.reason, answer = reason, 1
        except GeneratorExit:
            return
        except BaseException as error:  # raised again where the kernel was called from
            outcome.error, answer = error, 1
