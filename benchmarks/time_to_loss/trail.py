"""What a training run came to, and when: a clock that stands still while it is written down."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import numpy as np

from benchmarks import data
from benchmarks.data import Array, Blocks
from benchmarks.time_to_loss.problems import Given

FINENESS = 1.01  # places kept are so far apart in time, as a ratio
EVALUATIONS = 2e9  # hidden units times samples that places are looked at with, afterwards


class Point(NamedTuple):
    """The loss known after so many seconds."""

    seconds: float
    loss: float


class OutOfTime(Exception):
    """Raised inside a trainer when its time is up."""


class Trail:
    """Collects losses or places; ends a run after ``cap`` seconds by raising OutOfTime."""

    def __init__(self, cap: float) -> None:
        self.cap = cap
        self._points: list[Point] = []
        self._places: list[tuple[float, Blocks]] = []
        self._kept = 0.0
        self._began = time.perf_counter()

    def seconds(self) -> float:
        return time.perf_counter() - self._began

    def _go_on(self, stopped: float) -> None:
        """Let the clock go on from where it stopped; raise where time is up."""
        self._began = time.perf_counter() - stopped
        if stopped > self.cap:
            raise OutOfTime

    def loss(self, value: float) -> None:
        """Note a loss that the trainer has computed itself, of all samples."""
        now = self.seconds()
        self._points.append(Point(now, value))
        self._go_on(now)

    def place(self, *blocks: Array) -> None:
        """Note where the trainer is (W_h, b_h, W_y, b_y, any layout ``Blocks`` has)."""
        now = self.seconds()
        if now >= self._kept * FINENESS:
            self._places.append((now, Blocks(*(np.array(block) for block in blocks))))
            self._kept = now
        self._go_on(now)

    def end(self, *blocks: Array) -> None:
        """Note where the trainer has ended."""
        now = self.seconds()
        self._places.append((now, Blocks(*(np.array(block) for block in blocks))))

    def points(self, given: Given) -> list[Point]:
        """Return the falls of the loss: the least so far, after so many seconds."""
        each = given.case.n_activations
        most = max(12, int(EVALUATIONS / each))
        places = self._places
        if len(places) > most:
            chosen = np.unique(np.linspace(0, len(places) - 1, most).round().astype(int))
            places = [places[index] for index in chosen]
        found = [*self._points]
        for seconds, place in places:
            loss = data.loss(given.case, given.X, given.T, place)
            found.append(Point(seconds, loss))
        return falls(sorted(found))


def falls(points: list[Point]) -> list[Point]:
    """Return where the loss falls below all before, at most a hundred points a doubling of time."""
    kept: list[Point] = []
    least = np.inf
    for point in points:
        if not point.loss < least:  # NaN is no fall
            continue
        least = point.loss
        if len(kept) > 1 and point.seconds < kept[-2].seconds * FINENESS:
            kept[-1] = point
        else:
            kept.append(point)
    return kept


def seconds_to(points: list[Any], target: float) -> float | None:
    """Return when a loss was first reached."""
    return next((seconds for seconds, loss in points if loss <= target), None)


def loss_at(points: list[Any], seconds: float) -> float | None:
    """Return the least loss within so many seconds."""
    return min((loss for when, loss in points if when <= seconds), default=None)
