"""A stand-in for the engine: NumPy sums by segments of a linear model, with the tree's order."""

from __future__ import annotations

import os
import time

import numpy as np

from batchprop import segments
from batchprop.segments import Node, SegmentTree


class LinearSums:
    """Sums of squared residuals of y = θᵀx, and of their gradient."""

    def __init__(self, samples, run, n_threads, pause=0.0):
        self.samples, self.run, self.n_threads, self.pause = samples, run, n_threads, pause

    def sums(self, theta, work):
        time.sleep(self.pause)
        tree, size = SegmentTree(np.add), segments.SEGMENT_SAMPLES
        X, T, weight = joined(self.samples)
        for k, segment in enumerate(range(self.run.first, self.run.stop)):
            part = slice(k * size, (k + 1) * size)
            x, t, w = X[:, part], T[:, part], weight[part]
            residual = theta[np.newaxis] @ x - t
            value = np.append(x @ (w * residual[0]), w @ residual[0] ** 2)
            tree.append(Node(0, segment, value))
        return tree.nodes

    def close(self):
        pass


def open_linear(samples, run, n_threads, pause=0.0):
    return LinearSums(samples, run, n_threads, pause)


def open_where(samples, run, n_threads):
    """Sums that say who computed them."""
    return Whereabouts(samples, run, n_threads)


def open_first(samples, run, n_threads):
    """Sums of the first parameter."""
    return FirstParameter(run)


class FirstParameter:
    def __init__(self, run):
        self.run = run

    def sums(self, theta, work):
        segments_of_run = range(self.run.first, self.run.stop)
        return [Node(0, segment, theta[:1].copy()) for segment in segments_of_run]

    def close(self):
        pass


class Whereabouts:
    def __init__(self, samples, run, n_threads):
        self.run, self.n_threads = run, n_threads

    def sums(self, theta, work):
        return [
            Node(0, segment, (os.getpid(), self.n_threads))
            for segment in range(self.run.first, self.run.stop)
        ]

    def close(self):
        pass


def joined(samples):
    pieces = list(samples.read())
    X = np.ascontiguousarray(np.concatenate([piece.X for piece in pieces], axis=1))
    T = np.concatenate([piece.T for piece in pieces], axis=1)
    if pieces[0].sample_weight is None:
        return X, T, np.ones(X.shape[1])
    return X, T, np.concatenate([piece.sample_weight for piece in pieces])
