"""The kernel of the forward pass: it packs samples and writes their H and Y."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop.compiler.jit import call_address, kernel
from batchprop.compiler.kernel_struct import KernelStruct
from batchprop.parameters import split
from tests.engines.fused.kernels import unpacked
from tests.engines.fused.teams import force, objective_of
from tests.problems import problem

N_SAMPLES = 333


@kernel
def call_forward(problem, theta, begin, first, count, packs_samples, packs_W_h, memory):
    arguments = problem, theta, begin, first, count, 0, 0, packs_samples, packs_W_h, memory
    call_address(problem.forward_kernel, arguments)


class Forward:
    """The kernel on the memory of one objective."""

    def __init__(self, objective):
        fields = objective.task.fields
        scratch, self.problem = fields.scratch, fields.problem
        self.H, self.Y = scratch.H, scratch.weighted_residuals
        self.memory = (
            *(scratch.X, scratch.T, scratch.weight, scratch.strip_buffer),
            *(scratch.packed_W_h, self.H, self.Y),
        )

    def __call__(self, theta, begin, first, count, packs_samples=True, packs_W_h=True):
        """Return H (m, count) and Y (s, count)."""
        problem, packs_W_h = self.problem, packs_W_h and self.problem.packs_W_h
        arguments = theta, begin, first, count, packs_samples, packs_W_h, self.memory
        call_forward(KernelStruct(problem), *arguments)
        n_padded = -(-count // problem.width) * problem.width
        H = unpacked(self.H[: problem.h_rows * n_padded], problem.h_rows, count, theta.dtype)
        Y = unpacked(self.Y[: problem.s * n_padded], problem.s, count, theta.dtype)
        return H[: problem.m].copy(), Y.copy()


def expected(data, theta, samples):
    """Return H and Y by NumPy; σ is tanh."""
    W_h, b_h, W_y, b_y = split(theta, data.network.shape)
    H = np.tanh(W_h @ data.X[:, samples] + b_h[:, None])
    return H, W_y @ H + b_y[:, None]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("sizes", [(1, 5, 1), (3, 37, 2), (70, 71, 3), (8, 50, 1)], ids=str)
def test_a_block_is_taken_forward(sizes, dtype, monkeypatch):
    """Panel by panel; also for parameters that begin elsewhere, of which none are packed."""
    force(monkeypatch, chunk_samples=N_SAMPLES, block_bytes=1, caches=(8 << 10, 1 << 20))
    data = problem(*sizes, N_SAMPLES, "tanh", dtype)
    theta = data.network.theta
    with objective_of(data, 1) as objective:
        forward, size = Forward(objective), objective.task.fields.problem.block_samples
        for first in range(0, N_SAMPLES, size):
            samples = slice(first, min(first + size, N_SAMPLES))
            for begin, at in (0, theta), (theta.size, theta / 2):
                both = np.concatenate([theta, theta / 2])
                count, is_first = samples.stop - first, first == 0
                found = forward(both, begin, first, count, begin == 0, is_first)
                for value, right in zip(found, expected(data, at, samples), strict=True):
                    tolerance = 1e-5 if dtype == "float32" else 1e-13
                    np.testing.assert_allclose(value, right, rtol=tolerance, atol=tolerance)


def test_samples_are_packed_on_demand():
    data = problem(3, 7, 2, 40, "tanh", "float64")
    theta = data.network.theta
    X = data.X.copy()
    with objective_of(data, 1, X, data.T) as objective:
        forward = Forward(objective)
        _, before = forward(theta, 0, 0, 40)
        X += 1.0
        _, same = forward(theta, 0, 0, 40, packs_samples=False)
        np.testing.assert_array_equal(before, same)
        _, after = forward(theta, 0, 0, 40)
        right = expected(data._replace(X=X), theta, slice(0, 40))[1]
        np.testing.assert_allclose(after, right, rtol=1e-12, atol=1e-12)
