"""The forward pass by the fused kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.compiler.jit import kernel
from batchprop.compiler.kernel_struct import KernelStruct
from batchprop.engines.fused.blocking import choose_blocking
from batchprop.engines.fused.forward_backward import forward, pack_W_h
from batchprop.engines.fused.packing import pack, sample_table
from batchprop.engines.fused.problem import describe_problem
from batchprop.engines.fused.sample_parts import run_parts
from batchprop.linalg.views import Panels
from batchprop.machine.thread_count import team_size
from batchprop.parameters import Shape
from batchprop.simd.aligned_memory import separate
from batchprop.simd.load_store import lanes_of
from batchprop.simd.vectors import WIDE

Array = npt.NDArray[Any]


@kernel
def predict_samples(problem, theta, start, stop, X, strip_buffer, packed_W_h, H, out, Y):
    """Write Y for samples start … stop − 1."""
    e, m, s, width = problem.e, problem.m, problem.s, lanes_of(H, WIDE)
    if problem.packs_W_h:
        pack_W_h(problem, theta, packed_W_h)
    for first in range(start, stop, problem.cache_panels * width):
        count = min(problem.cache_panels * width, stop - first)
        x = Panels(X, 0, e, count, width, problem.x_rows * width)
        h = Panels(H, 0, m, count, width, problem.h_rows * width)
        y = Panels(out, 0, s, count, width, s * width)
        pack(problem.X, first, x, strip_buffer)
        forward(problem, theta, 0, packed_W_h, x, h, y)
        for o in range(s):
            for i in range(count):
                Y[o, first + i] = out[(i // width * s + o) * width + i % width]


def predict(
    theta: Array, shape: Shape, activation: str, X: Array, n_threads: int | None = None
) -> Array:
    """Return Y (s, N) in the dtype of θ; beside Y itself no memory grows with N."""
    n_samples = X.shape[1]
    blocking = choose_blocking(shape, n_samples, theta.dtype)
    problem = KernelStruct(
        describe_problem(shape, activation, n_samples, blocking, sample_table(X))
    )
    Y = np.empty((shape.n_outputs, n_samples), theta.dtype)

    def part(start: int, stop: int) -> None:
        n = blocking.cache_panels * blocking.width
        sizes = {
            "X": blocking.x_rows * n,
            "strip_buffer": blocking.x_rows * blocking.width,
            "packed_W_h": blocking.packed_size,
            "H": blocking.h_rows * n,
            "out": shape.n_outputs * n,
        }
        (memory,) = separate(1, sizes, theta.dtype)
        predict_samples(problem, theta, start, stop, *memory.values(), Y)

    run_parts(
        part,
        n_samples,
        blocking.chunk_samples,
        team_size(n_threads, blocking.nanoseconds / 2, blocking.n_chunks),
    )
    return Y
