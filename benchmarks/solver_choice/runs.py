"""One run of one solver: lowest loss so far against CPU seconds, on one thread."""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np

import batchprop
from batchprop.training.result import Progress
from benchmarks.data import Array
from benchmarks.solver_choice.problems import PROBLEMS, Problem
from benchmarks.time_to_loss.trail import FINENESS

MANY_SAMPLES = 100_000  # from this size on, Adam runs as well


class Run(NamedTuple):
    """The course of a solver on a problem; losses are fractions of the targets' variance.

    ``trail`` contains (seconds, loss) for each decrease of the loss.
    """

    problem: str
    solver: str
    seed: int
    shape: tuple[int, int, int]
    n_samples: int
    iterations: int
    seconds: float
    reason: str
    trail: list[tuple[float, float]]

    @property
    def loss(self) -> float:
        return self.trail[-1][1]


def cap(shape: tuple[int, int, int], n: int) -> float:
    """Return the time limit of a run: about a thousand evaluations, within 0.3 s to 8 s."""
    e, m, s = shape
    return min(8.0, max(0.3, 1000 * n * m * (2 * e + 3 * s + 20) / 2e9))


def solvers(problem: Problem) -> list[str]:
    return ["lbfgs", "lm", *(["adam"] if problem.n >= MANY_SAMPLES else [])]


def run(index: int, solver: str, seed: int, share: float) -> Run:
    """Train until the time limit, or until the solver finds no further step."""
    problem = PROBLEMS[index]
    X, T = problem.samples()
    shape = (X.shape[0], problem.m, T.shape[0])
    limit = share * cap(shape, problem.n)
    looks: list[tuple[int, float]] = []

    def callback(progress: Progress) -> bool:
        looks.append((progress.epoch, time.process_time() - began))
        return looks[-1][1] > limit

    began = time.process_time()
    result = batchprop.train(
        X, T, hidden_size=problem.m, activation=problem.activation, solver=solver, seed=seed,
        alpha=0.0, tol=None, gradient_tol=None, max_epochs=None, n_threads=1, callback=callback,
        callback_every=1 if solver == "lm" else 10,
    )  # fmt: skip
    variance = float(T.var(axis=1, dtype=float).sum())
    trail = falls(looks, result.loss_curve / variance)
    return Run(
        problem.name, solver, seed, shape, problem.n, result.n_epochs, looks[-1][1],
        result.stop_reason, trail,
    )  # fmt: skip


def falls(looks: list[tuple[int, float]], losses: Array) -> list[tuple[float, float]]:
    """Return (seconds, loss) of each new minimum; times between callbacks are interpolated."""
    epochs, seconds = np.transpose(looks)
    when = np.interp(np.arange(losses.size), epochs, seconds)
    kept: list[tuple[float, float]] = []
    least = np.inf
    for second, loss in zip(when.tolist(), losses.tolist(), strict=True):
        if not loss < least:
            continue
        least = loss
        if len(kept) > 1 and second < kept[-2][0] * FINENESS:
            kept[-1] = second, loss
        else:
            kept.append((second, loss))
    return kept


def warm_up() -> None:
    """Load the kernels, so that the first run is not slower."""
    x = np.linspace(-1, 1, 20)[None]
    for dtype in ("float64", "float32"):
        for solver in ("lbfgs", "lm", "adam"):
            data = x.astype(dtype)
            batchprop.train(
                data, data**2, hidden_size=2, solver=solver, alpha=0.0, max_epochs=3, n_threads=1
            )
