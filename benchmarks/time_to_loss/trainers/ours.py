"""batchprop.train as a user calls it: to a loss, for so long, or to its own end.

A call is timed from outside, checks of the data and all.  The first of a process is told apart: it
loads the kernels, or compiles them.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import batchprop
from benchmarks.time_to_loss.problems import Given
from benchmarks.time_to_loss.trainers import Unsuitable

SLACK = 1 + 1e-9  # a loss is a sum whose last digits depend on the order
REPEATS, ENOUGH = 5, 1.0  # runs at most, and seconds after which there is no other


class Result(NamedTuple):
    """What a call has come to, and the seconds of the fastest of its repeats."""

    seconds: float
    loss: float
    reason: str


class Session:
    """A problem, a solver, a number of threads."""

    def __init__(self, given: Given, solver: str, threads: int) -> None:
        self._columns = given.X.T, given.T.T
        self._fixed: dict[str, Any] = {
            "network": batchprop.Network(*given.start, activation=given.case.activation),
            "solver": solver,
            "n_threads": threads,
            "scale": False,  # everybody's samples are standardised
        }
        try:
            self.first_seconds = self._call(max_epochs=2).seconds
        except ValueError as error:
            if not str(error).startswith("solver "):
                raise
            raise Unsuitable(f"no solver {solver!r} in this version") from None

    def _call(self, **more: Any) -> Result:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            began = time.perf_counter()
            found = batchprop.train(*self._columns, **self._fixed, **more)
            return Result(time.perf_counter() - began, found.loss, found.stop_reason)

    def _fastest(self, **more: Any) -> Result:
        found = [self._call(**more)]
        while len(found) < REPEATS and sum(one.seconds for one in found) < ENOUGH:
            found.append(self._call(**more))
        return min(found)

    def to_end(self, cap: float) -> Result:
        """Train until the solver's own rules end it."""
        return self._fastest(max_seconds=cap, max_epochs=None)

    def to_losses(self, targets: list[tuple[float, float]]) -> Iterator[Result | None]:
        """Train to each loss within its time; None where it is not reached."""
        for loss, cap in targets:
            found = self._fastest(
                target_loss=loss * SLACK, max_seconds=cap, max_epochs=None, tol=None,
                gradient_tol=None,
            )  # fmt: skip
            yield found if found.loss <= loss * SLACK else None

    def for_seconds(self, budgets: list[float]) -> Iterator[Result]:
        """Train for so long, or until there is nothing to gain."""
        for seconds in budgets:
            yield self._call(max_seconds=seconds, max_epochs=None, tol=None)


def versions() -> dict[str, str]:
    return {"batchprop": batchprop.__version__}
