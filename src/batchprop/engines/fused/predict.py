"""The forward pass by the fused kernels."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.compiler.jit import kernel
from batchprop.compiler.kernel_struct import KernelStruct
from batchprop.engines.fused.blocking import choose_blocking
from batchprop.engines.fused.forward_backward import forward
from batchprop.engines.fused.packing import pack, sample_table
from batchprop.engines.fused.problem import describe_problem
from batchprop.linalg.views import Panels
from batchprop.machine.thread_count import team_size
from batchprop.parameters import Shape
from batchprop.simd.load_store import lanes_of
from batchprop.simd.vectors import WIDE

Array = npt.NDArray[Any]


@kernel
def predict_samples(problem, theta, start, stop, X, strip_buffer, packed, H, out, Y):
    """Write Y for samples start … stop − 1."""
    e, m, s, width = problem.e, problem.m, problem.s, lanes_of(H, WIDE)
    for first in range(start, stop, width):
        count = min(width, stop - first)
        x = Panels(X, 0, e, count, width, problem.x_rows * width)
        h = Panels(H, 0, m, count, width, m * width)
        y = Panels(out, 0, s, count, width, s * width)
        pack(problem.X, first, x, strip_buffer)
        forward(problem, theta, packed, x, h, y)
        for o in range(s):
            for i in range(count):
                Y[o, first + i] = out[o * width + i]


def predict(
    theta: Array, shape: Shape, activation: str, X: Array, n_threads: int | None = None
) -> Array:
    """Return Y (s, N) in the dtype of θ; beside Y itself no memory grows with N."""
    n_samples = X.shape[1]
    blocking = choose_blocking(shape, n_samples, theta.dtype)
    blocking = blocking._replace(packs_W_h=False)
    problem = KernelStruct(
        describe_problem(shape, activation, n_samples, blocking, sample_table(X))
    )
    Y = np.empty((shape.n_outputs, n_samples), theta.dtype)
    size = team_size(n_threads, blocking.nanoseconds / 2, blocking.n_chunks)

    def part(start: int, stop: int) -> None:
        counts = (blocking.x_rows, blocking.x_rows, 1, shape.n_hidden, shape.n_outputs)
        memory = [np.zeros(count * blocking.width, theta.dtype) for count in counts]
        predict_samples(problem, theta, start, stop, *memory, Y)

    parts = [
        (start, min(start + blocking.chunk_samples, n_samples))
        for start in range(0, n_samples, blocking.chunk_samples)
    ]
    if size == 1:
        for start, stop in parts:  # Ctrl-C is handled between two parts
            part(start, stop)
        return Y
    with ThreadPoolExecutor(size) as pool:
        running = []
        try:
            for start, stop in parts:
                try:
                    running.append(pool.submit(part, start, stop))
                except RuntimeError:  # no thread can be started: compute it here
                    part(start, stop)
            for done in running:
                done.result()
        except BaseException:  # Ctrl-C: drop the parts that have not begun
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return Y
