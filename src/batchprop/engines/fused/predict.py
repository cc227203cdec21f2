"""The forward pass by the fused kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.compiler.jit import call_address, kernel
from batchprop.compiler.kernel_struct import KernelStruct
from batchprop.engines.fused.addresses import with_forward_kernel
from batchprop.engines.fused.blocking import choose_blocking
from batchprop.engines.fused.packing import sample_table
from batchprop.engines.fused.problem import describe_problem
from batchprop.engines.fused.sample_parts import run_parts
from batchprop.machine.thread_count import team_size
from batchprop.parameters import Shape
from batchprop.simd.aligned_memory import separate

Array = npt.NDArray[Any]

N_ARRAYS = 6  # of memory in ``predict_samples``


@kernel
def predict_samples(problem, theta, start, stop, X, none, strip_buffer, packed_W_h, H, out, Y):
    """Write Y for samples start … stop − 1; ``none`` is an array for what predictions lack."""
    s, width = problem.s, problem.width
    memory = (X, none, none, strip_buffer, packed_W_h, H, out)
    for first in range(start, stop, problem.cache_panels * width):
        count = min(problem.cache_panels * width, stop - first)
        packs_W_h = problem.packs_W_h and first == start
        call_address(
            problem.forward_kernel,
            (problem, theta, 0, first, count, 0, 0, True, packs_W_h, memory),
        )
        for o in range(s):
            for i in range(count):
                Y[o, first + i] = out[(i // width * s + o) * width + i % width]


def predict(
    theta: Array, shape: Shape, activation: str, X: Array, n_threads: int | None = None
) -> Array:
    """Return Y (s, N) in the dtype of θ; beside Y itself no memory grows with N."""
    n_samples = X.shape[1]
    blocking = choose_blocking(shape, n_samples, theta.dtype)
    problem = describe_problem(shape, activation, n_samples, blocking, sample_table(X))
    described = KernelStruct(with_forward_kernel(problem, theta))
    Y = np.empty((shape.n_outputs, n_samples), theta.dtype)

    def part(start: int, stop: int) -> None:
        n = blocking.cache_panels * blocking.width
        sizes = {
            "X": blocking.x_rows * n,
            "none": 1,
            "strip_buffer": blocking.x_rows * blocking.width,
            "packed_W_h": blocking.packed_size,
            "H": blocking.h_rows * n,
            "out": shape.n_outputs * n,
        }
        (memory,) = separate(1, sizes, theta.dtype)
        predict_samples(described, theta, start, stop, *memory.values(), Y)

    run_parts(
        part,
        n_samples,
        blocking.chunk_samples,
        team_size(n_threads, blocking.nanoseconds / 2, blocking.n_chunks),
    )
    return Y
