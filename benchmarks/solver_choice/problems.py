"""Sixty-four problems: N from 50 to 10⁶, P from 10 to 3300, smooth and noisy, several outputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.data import Array
from benchmarks.least_squares import problems as small
from benchmarks.time_to_loss import surfaces

Make = Callable[[int, int], surfaces.Samples]


@dataclass(frozen=True)
class Problem:
    """What is learnt, with how many hidden units, from how many samples."""

    name: str
    m: int
    n: int
    make: Make  # arguments: number of samples, seed; samples are rows
    activation: str = "tanh"
    dtype: str = "float64"

    def samples(self) -> tuple[Array, Array]:
        """Return X (e, N) and T (s, N)."""
        X, T = (np.ascontiguousarray(part.T, self.dtype) for part in self.make(self.n, 1))
        return X, T


def _named(name: str) -> Make:
    return next(one.make for one in small.PROBLEMS if one.name == name)


def _outputs(s: int) -> Make:
    """Six inputs and s outputs, each a sum of eight waves with some noise."""

    def make(n: int, seed: int) -> surfaces.Samples:
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(n, 6))
        waves = np.sin(X @ rng.normal(size=(6, 8)) + rng.uniform(0, 2 * np.pi, 8))
        return X, waves @ rng.normal(size=(8, s)) / 2 + 0.1 * rng.normal(size=(n, s))

    return make


def _noisy(name: str, share: float) -> Make:
    return small.noisy(_named(name), share)


SINC, FRANKE, BOREHOLE = _named("sinc"), _named("Franke"), _named("borehole")
CIRCUIT, KINKS = _named("circuit"), _named("kinks, noisy, relu")
FRIEDMAN_1, FRIEDMAN_1_NOISY = _named("Friedman 1"), _named("Friedman 1, noisy")

PROBLEMS = [
    *(Problem(one.name, one.m, one.n, one.make, one.activation) for one in small.PROBLEMS),
    Problem("sine, 50 noisy samples", 5, 50, surfaces.sine),
    Problem("sine, relu, 3 units", 3, 100, surfaces.sine, "relu"),
    Problem("borehole, 100 units", 100, 2000, BOREHOLE),
    Problem("borehole, 200 units", 200, 2000, BOREHOLE),
    Problem("borehole, 20000", 50, 20_000, BOREHOLE),
    Problem("borehole, noisy", 50, 1000, _noisy("borehole", 0.3)),
    Problem("Friedman 3, noisy", 10, 1000, surfaces.friedman3),
    Problem("Ishigami, noisy", 20, 1000, _noisy("Ishigami", 0.2)),
    Problem("borehole, relu", 20, 1000, BOREHOLE, "relu"),
    Problem("robot arm, relu", 15, 1000, surfaces.robot_arm, "relu"),
    Problem("circuit, 60 units", 60, 1000, CIRCUIT),
    Problem("circuit, 5000", 60, 5000, CIRCUIT, "logistic"),
    Problem("Franke, 100 units", 100, 2000, FRANKE),
    Problem("Franke, 400 units", 400, 1000, FRANKE),
    Problem("Franke, relu", 100, 2000, FRANKE, "relu"),
    Problem("kinks, relu, 60 units", 60, 2000, KINKS, "relu"),
    Problem("kinks, relu, 300 units", 300, 5000, KINKS, "relu"),
    Problem("Friedman 1, relu", 50, 10_000, FRIEDMAN_1_NOISY, "relu"),
    Problem("Friedman 1, logistic", 50, 10_000, FRIEDMAN_1_NOISY, "logistic"),
    Problem("Friedman 1, 100 units", 100, 3000, FRIEDMAN_1_NOISY),
    Problem("wide", 10, 500, surfaces.wide),
    Problem("wide, 5000", 10, 5000, surfaces.wide),
    Problem("wide, 30 units", 30, 5000, surfaces.wide),
    Problem("wide, relu", 20, 3000, surfaces.wide, "relu"),
    Problem("five outputs", 30, 5000, _outputs(5)),
    Problem("five outputs, 100 units", 100, 5000, _outputs(5)),
    Problem("sixteen outputs", 50, 2000, _outputs(16)),
    Problem("forty outputs", 70, 1500, _outputs(40)),
    Problem("robot arm, 30000", 30, 30_000, surfaces.robot_arm),
    Problem("sinc, 100000", 50, 100_000, SINC),
    Problem("Friedman 1, 100000", 30, 100_000, FRIEDMAN_1_NOISY),
    Problem("Friedman 1, 1000000", 15, 1_000_000, FRIEDMAN_1_NOISY),
    Problem("sinc, 1000000", 15, 1_000_000, SINC),
    Problem("sinc, float32", 20, 2000, SINC, dtype="float32"),
    Problem("borehole, float32", 50, 2000, BOREHOLE, dtype="float32"),
    Problem("Friedman 1, float32", 50, 10_000, FRIEDMAN_1_NOISY, dtype="float32"),
    Problem("five outputs, float32", 30, 5000, _outputs(5), dtype="float32"),
    Problem("Friedman 1, 1000000, float32", 15, 1_000_000, FRIEDMAN_1_NOISY, dtype="float32"),
]  # fmt: skip
