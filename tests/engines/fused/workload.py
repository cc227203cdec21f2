"""Something to do that uses several threads, for tests of where it may be done."""

from __future__ import annotations

import hashlib

import numpy as np

import batchprop
from tests.problems import problem


def work(seed=0, n_threads=4, max_epochs=25):
    """Train and predict on four threads; return a digest of all that comes out."""
    data = problem(8, 20, 1, 6000, "tanh", "float32", seed=seed)
    result = batchprop.train(
        data.X,
        data.T,
        hidden_size=20,
        max_epochs=max_epochs,
        tol=None,
        n_threads=n_threads,
        alpha=0.0,
    )
    outputs = result.network.predict(data.X, n_threads=n_threads)
    assert np.isfinite(outputs).all()
    assert result.n_epochs == max_epochs
    parts = result.network.theta, result.loss_curve, outputs
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()
