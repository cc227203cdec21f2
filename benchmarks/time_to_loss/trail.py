"""The course of a training run, with a clock that stops while the course is recorded."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import numpy as np

from benchmarks import data
from benchmarks.data import Array, Blocks
from benchmarks.time_to_loss.problems import Workload

FINENESS = 1.01  # minimum ratio of the times of successive snapshots
EVALUATIONS = 2e9  # budget (hidden units × samples) for evaluating snapshots after the run


class Point(NamedTuple):
    """The loss known after so many seconds."""

    seconds: float
    loss: float


class OutOfTime(Exception):
    """Raised inside a trainer when its time is up."""


class Trail:
    """Records losses or parameters; raises OutOfTime after ``cap`` seconds."""

    def __init__(self, cap: float) -> None:
        self.cap = cap
        self._points: list[Point] = []
        self._places: list[tuple[float, Blocks]] = []
        self._kept = 0.0
        self._began = time.perf_counter()

    def seconds(self) -> float:
        return time.perf_counter() - self._began

    def _go_on(self, stopped: float) -> None:
        """Restart the clock from where it stopped; raise OutOfTime if the time is up."""
        self._began = time.perf_counter() - stopped
        if stopped > self.cap:
            raise OutOfTime

    def loss(self, value: float) -> None:
        """Record a loss over all samples that the trainer has computed itself."""
        now = self.seconds()
        self._points.append(Point(now, value))
        self._go_on(now)

    def place(self, *blocks: Array) -> None:
        """Record the current parameters W_h, b_h, W_y, b_y, in any memory layout."""
        now = self.seconds()
        if now >= self._kept * FINENESS:
            self._places.append((now, Blocks(*(np.array(block) for block in blocks))))
            self._kept = now
        self._go_on(now)

    def end(self, *blocks: Array) -> None:
        """Record the final parameters."""
        now = self.seconds()
        self._places.append((now, Blocks(*(np.array(block) for block in blocks))))

    def points(self, workload: Workload) -> list[Point]:
        """Return the new minima of the loss, with their times."""
        each = workload.case.n_activations
        most = max(12, int(EVALUATIONS / each))
        snapshots = self._places
        if len(snapshots) > most:
            chosen = np.unique(np.linspace(0, len(snapshots) - 1, most).round().astype(int))
            snapshots = [snapshots[index] for index in chosen]
        points = [*self._points]
        for seconds, parameters in snapshots:
            loss = data.loss(workload.case, workload.X, workload.T, parameters)
            points.append(Point(seconds, loss))
        return falls(sorted(points))


def falls(points: list[Point]) -> list[Point]:
    """Return the new minima of the loss, at most a hundred per doubling of the time."""
    kept: list[Point] = []
    least = np.inf
    for point in points:
        if not point.loss < least:  # also skips NaN
            continue
        least = point.loss
        if len(kept) > 1 and point.seconds < kept[-2].seconds * FINENESS:
            kept[-1] = point
        else:
            kept.append(point)
    return kept


def seconds_to(points: list[Any], target: float) -> float | None:
    """Return when a loss was first reached, or None."""
    return next((seconds for seconds, loss in points if loss <= target), None)


def loss_at(points: list[Any], seconds: float) -> float | None:
    """Return the lowest loss within so many seconds, or None."""
    return min((loss for when, loss in points if when <= seconds), default=None)
