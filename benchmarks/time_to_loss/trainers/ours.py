"""batchprop.train, called as by a user: to a target loss, for a given time, or to convergence.

A call is timed from outside, including the checks of the data.  The first call of a process is
reported separately: it loads or compiles the kernels.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import batchprop
from benchmarks.time_to_loss.problems import Workload
from benchmarks.time_to_loss.trainers import Unsuitable

SLACK = 1 + 1e-9  # tolerance for a reached loss: its last digits depend on the order of summation
REPEATS, ENOUGH = 5, 1.0  # maximum number of runs; no further one after so many seconds


class Result(NamedTuple):
    """The result of a call; its seconds are those of the fastest repeat."""

    seconds: float
    loss: float
    reason: str


class Session:
    """A problem, a solver and a number of threads."""

    def __init__(self, workload: Workload, solver: str, threads: int) -> None:
        self._columns = workload.X.T, workload.T.T
        self._fixed: dict[str, Any] = {
            "network": batchprop.Network(*workload.start, activation=workload.case.activation),
            "solver": solver,
            "n_threads": threads,
            "alpha": 0.0,
            "scale": False,  # the samples are standardised already, for every library
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
            result = batchprop.train(*self._columns, **self._fixed, **more)
            return Result(time.perf_counter() - began, result.loss, result.stop_reason)

    def _fastest(self, **more: Any) -> Result:
        results = [self._call(**more)]
        while len(results) < REPEATS and sum(one.seconds for one in results) < ENOUGH:
            results.append(self._call(**more))
        return min(results)

    def to_end(self, cap: float) -> Result:
        """Train until the solver's own criteria end the run."""
        return self._fastest(max_seconds=cap, max_epochs=None)

    def to_losses(self, targets: list[tuple[float, float]]) -> Iterator[Result | None]:
        """Train to each loss within its time limit; yield None if it is not reached."""
        for loss, cap in targets:
            result = self._fastest(
                target_loss=loss * SLACK, max_seconds=cap, max_epochs=None, tol=None,
                gradient_tol=None,
            )  # fmt: skip
            yield result if result.loss <= loss * SLACK else None

    def for_seconds(self, budgets: list[float]) -> Iterator[Result]:
        """Train for each length of time, or until convergence."""
        for seconds in budgets:
            yield self._call(max_seconds=seconds, max_epochs=None, tol=None)


def versions() -> dict[str, str]:
    return {"batchprop": batchprop.__version__}
