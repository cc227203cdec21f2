"""Teams of a size the test chooses: small and ragged problems, too, run on many threads."""

from __future__ import annotations

import numpy as np

from batchprop.engines.fused import blocking, task_memory
from batchprop.engines.fused.objective import Objective
from batchprop.engines.samples import Samples
from batchprop.machine.cache_sizes import CacheSizes


def force(monkeypatch, chunk_samples=None, block_bytes=None, caches=None, kept_bytes=None):
    """Let ``n_threads`` be the number of threads, whatever the problem; cut problems finer.

    With ``block_bytes``, dW_h of small networks is summed in strips as well.  With ``kept_bytes``
    = 0, samples do not stay packed.
    """
    monkeypatch.setattr(task_memory, "team_size", lambda limit, nanoseconds, n_chunks: limit or 1)
    if chunk_samples is not None:
        monkeypatch.setattr(blocking, "CHUNK_SAMPLES", chunk_samples)
    if block_bytes is not None:
        monkeypatch.setattr(blocking, "BLOCK_BYTES", block_bytes)
        monkeypatch.setattr(blocking, "STRIPS_FROM_UNITS", 1)
    if kept_bytes is not None:
        monkeypatch.setattr(blocking, "KEPT_BYTES", kept_bytes)
    if caches is not None:
        monkeypatch.setattr(blocking, "cache_sizes", lambda: CacheSizes(*caches))
        monkeypatch.setattr(blocking, "PACKED_FROM_BYTES", 0)
        monkeypatch.setattr(blocking, "PACKED_FROM_SAMPLES", 1)


def objective_of(data, n_threads, X=None, T=None, weight=None):
    """Return an objective on a problem's data, or on the same numbers in another form."""
    net = data.network
    return Objective(
        Samples(
            data.X if X is None else X,
            data.T if T is None else T,
            data.weight if weight is None else weight,
        ),
        net.shape,
        net.activation,
        net.dtype,
        n_threads,
    )


def evaluated(data, n_threads, X=None, T=None, weight=None):
    """Return the gradient with the loss behind it, as bytes: two are equal bit by bit or not."""
    gradient = np.empty_like(data.network.theta)
    with objective_of(data, n_threads, X, T, weight) as function:
        assert function.task.n_workers == n_threads - 1
        loss = function.loss_and_gradient(data.network.theta, gradient)
        first = gradient.tobytes()
        # the samples, or the last block of them, are packed now
        assert function.loss(data.network.theta) == loss
        gradient.fill(np.nan)
        assert function.loss_and_gradient(data.network.theta, gradient) == loss
        assert gradient.tobytes() == first
    assert np.isfinite(gradient).all()
    return gradient.tobytes() + np.float64(loss).tobytes()
