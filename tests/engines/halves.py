"""A fourth engine in one file: two halves of the samples, as if on two machines.

Each half is an objective of its own; losses and derivatives are means, weighted by the weights of
the halves.
"""

from __future__ import annotations

import threading

import numpy as np

from batchprop import engines
from batchprop.engines.loss_scale import total_weight
from batchprop.engines.samples import Samples

releases_gil = True
threads = set()  # names of the threads that have evaluated


def halves_of(samples):
    """Return the first and the second half of the samples."""
    middle = samples.X.shape[1] // 2
    for part in (slice(0, middle), slice(middle, None)):
        weight = None if samples.sample_weight is None else samples.sample_weight[part]
        yield Samples(samples.X[:, part], samples.T[:, part], weight, samples.scaling)


class Objective:
    """L̃(θ) and its gradient, from those of the halves."""

    kind, task = "Objective", None

    def __init__(
        self, samples, shape, activation, dtype, n_threads=None, cancellation=None, repeated=True
    ):
        self.cancellation = cancellation
        halves = list(halves_of(samples))
        totals = [total_weight(half.X.shape[1], half.sample_weight) for half in halves]
        self.shares = [total / sum(totals) for total in totals]
        opened = getattr(engines.load("vectorized"), self.kind)
        self.halves = [opened(half, shape, activation, dtype, 1, cancellation) for half in halves]

    def _mean(self, name, *arguments, outputs=()):
        """Call a method of both halves; return the mean result and fill in mean outputs."""
        threads.add(threading.current_thread().name)
        results = []
        for half in self.halves:
            parts = [np.empty_like(output) for output in outputs]
            results.append((getattr(half, name)(*arguments, *parts), *parts))
        for k, output in enumerate(outputs, 1):
            output[:] = sum(share * r[k] for share, r in zip(self.shares, results, strict=True))
        if results[0][0] is None:
            return None
        return float(np.dot(self.shares, [result[0] for result in results]))

    def loss(self, theta):
        return self._mean("loss", theta)

    def loss_and_gradient(self, theta, gradient):
        return self._mean("loss_and_gradient", theta, outputs=(gradient,))

    @property
    def reported_loss(self):
        return float(np.dot(self.shares, [half.reported_loss for half in self.halves]))

    def output_losses(self, theta):
        return None

    def close(self):
        for half in self.halves:
            half.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.close()


class GaussNewtonObjective(Objective):
    """The same, and the Gauss–Newton matrix."""

    kind = "GaussNewtonObjective"

    def gauss_newton(self, theta, gradient, JTJ):
        return self._mean("gauss_newton", theta, outputs=(gradient, JTJ))

    def curvature(self, points, out):
        self._mean("curvature", points, outputs=(out,))


def predict(theta, shape, activation, X, n_threads=None):
    middle, whole = X.shape[1] // 2, engines.load("vectorized").predict
    parts = X[:, :middle], X[:, middle:]
    return np.hstack([whole(theta, shape, activation, part) for part in parts])


def jacobian(theta, shape, activation, X, n_threads=None):
    middle, whole = X.shape[1] // 2, engines.load("vectorized").jacobian
    parts = X[:, :middle], X[:, middle:]
    return np.dstack([whole(theta, shape, activation, part) for part in parts])


def example_calls(dtype, n_outputs, with_JTJ):
    return None, []


def example_predictions(dtype):
    return []
