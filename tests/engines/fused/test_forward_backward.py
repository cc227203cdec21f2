"""The sums over one chunk: plain sums over its samples, the factors 1/Σw and 2/Σw aside."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop.compiler.jit import call_address, kernel
from batchprop.compiler.kernel_struct import KernelStruct
from batchprop.engines.fused.task import GRADIENT, LOSS
from batchprop.parameters import split
from tests.engines.fused.teams import force, objective_of
from tests.problems import problem


@kernel
def call_chunk_sums(address, problem, theta, chunk, scratch, G, work):
    call_address(address, (problem, theta, chunk, scratch, G, work))


def expected_sums(data, samples):
    """Return Σ R ∂y/∂θ with R = w (Y − T), and Σ w r² of each output; σ is tanh."""
    W_h, b_h, W_y, b_y = split(data.network.theta, data.network.shape)
    X, T, w = data.X[:, samples], data.T[:, samples], data.weight[samples]
    H = np.tanh(W_h @ X + b_h[:, None])
    r = W_y @ H + b_y[:, None] - T
    R = w * r
    delta_h = (1 - H**2) * (W_y.T @ R)
    blocks = delta_h @ X.T, delta_h.sum(axis=1), R @ H.T, R.sum(axis=1), (R * r).sum(axis=1)
    return np.concatenate([block.ravel() for block in blocks])


@pytest.mark.parametrize(
    "sizes", [(1, 5, 1), (1, 5, 2), (3, 6, 1), (20, 5, 1), (20, 7, 3)], ids=str
)
@pytest.mark.parametrize("kept_bytes", [0, 1 << 20])
def test_sums_of_a_chunk(sizes, kept_bytes, monkeypatch):
    """With few inputs and with strips, one output and more; the last chunk is shorter."""
    force(monkeypatch, chunk_samples=100, block_bytes=1, kept_bytes=kept_bytes)
    data = problem(*sizes, 333, weighted=True)
    with objective_of(data, 1) as objective:
        fields = objective.task.fields
        address = fields.chunk_kernel
        described, scratch = KernelStruct(fields.problem), KernelStruct(fields.scratch)
        theta = data.network.theta
        width, n_chunks, s = fields.problem.width, fields.problem.n_chunks, sizes[2]
        n_panels = -(-333 // width)
        starts = [n_panels * chunk // n_chunks * width for chunk in range(n_chunks)]
        for chunk, start in enumerate(starts):
            samples = slice(start, (*starts, 333)[chunk + 1])
            G = np.full(fields.totals.size, np.nan)
            call_chunk_sums(address, described, theta, chunk, scratch, G, GRADIENT)
            expected = expected_sums(data, samples)
            np.testing.assert_allclose(G, expected, rtol=1e-10, atol=1e-10)
            call_chunk_sums(address, described, theta, chunk, scratch, G, LOSS)
            np.testing.assert_allclose(G[-s:], expected[-s:], rtol=1e-10)
