"""Samples per second of the kernels on one thread, as a worker calls them.

Times are CPU seconds of the thread, so that other programs on the machine matter little.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from statistics import median
from typing import NamedTuple

import numpy as np

import batchprop
from batchprop.engines.fused.gauss_newton.gauss_newton_objective import GAUSS_NEWTON_SUMS
from batchprop.engines.fused.objective import GRADIENT_SUMS
from batchprop.engines.fused.segment_sums import SegmentSums
from batchprop.engines.fused.task import CURVATURE, GRADIENT, LOSS
from batchprop.engines.portions import SegmentRange
from batchprop.engines.samples import Samples
from benchmarks.scaling_out.networks import Evaluation


class Rate(NamedTuple):
    """How fast an evaluation is.

    Attributes
    ----------
    evaluation : str
        The name of an ``Evaluation``.
    work : str
        "sums", or of Levenberg–Marquardt "loss" and "curvature".
    n_samples : int
        On so many samples.
    seconds, least : float
        Median and minimum.
    """

    evaluation: str
    work: str
    n_samples: int
    seconds: float
    least: float


class _Resident:
    """Samples as a worker holds them: one block in memory."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples

    def read(self) -> Iterator[Samples]:
        yield self._samples


def samples_of(evaluation: Evaluation) -> Samples:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((evaluation.n_samples, evaluation.e), np.float32).T
    T = rng.standard_normal((evaluation.n_samples, evaluation.s), np.float32).T
    return Samples(X.astype(evaluation.dtype), T.astype(evaluation.dtype))


def rates(evaluation: Evaluation, repetitions: int = 7) -> list[Rate]:
    """Measure the sums over samples in memory, whose rows are samples."""
    samples, n = samples_of(evaluation), evaluation.n_samples
    network = batchprop.Network.initialize(
        evaluation.e, evaluation.m, evaluation.s, activation="tanh", dtype=evaluation.dtype, seed=0
    )
    sums = GAUSS_NEWTON_SUMS if evaluation.gauss_newton else GRADIENT_SUMS
    worker = SegmentSums(
        _Resident(samples), SegmentRange.whole(n), sums, network.shape, network.activation,
        network.dtype, n_threads=1,
    )  # fmt: skip
    theta = network.theta
    points = np.concatenate([theta, theta + 0.01, theta - 0.01])
    works = {"sums": (theta, GRADIENT)}
    if evaluation.gauss_newton:
        works |= {"loss": (theta, LOSS), "curvature": (points, CURVATURE)}
    results = []
    for work, arguments in works.items():
        seconds = times(partial(worker.sums, *arguments), repetitions)
        results.append(Rate(evaluation.name, work, n, median(seconds), min(seconds)))
    worker.close()
    return results


def times(call: Callable[[], object], repetitions: int) -> list[float]:
    """Return the CPU seconds of some calls in this thread, after one that is not timed."""
    call()
    seconds = []
    for _ in range(repetitions):
        began = time.thread_time()
        call()
        seconds.append(time.thread_time() - began)
    return seconds
