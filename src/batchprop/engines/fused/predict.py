"""The forward pass by the fused kernels."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.activations import ACTIVATIONS
from batchprop.compiler.jit import kernel
from batchprop.compiler.kernel_struct import KernelStruct
from batchprop.engines.fused.blocking import choose_blocking
from batchprop.engines.fused.forward_backward import forward
from batchprop.engines.fused.packing import NO_COLUMNS, columns, pack
from batchprop.engines.fused.problem import Problem
from batchprop.linalg.views import Panels
from batchprop.machine.thread_count import team_size
from batchprop.parameters import Shape, offsets
from batchprop.simd.load_store import lanes_of
from batchprop.simd.vectors import WIDE

Array = npt.NDArray[Any]


@kernel
def predict_samples(problem, theta, start, stop, X, strips, H, out, Y):
    """Write Y for samples start … stop − 1."""
    e, m, s, width = problem.e, problem.m, problem.s, lanes_of(H, WIDE)
    for first in range(start, stop, width):
        count = min(width, stop - first)
        x = Panels(X, 0, e, count, width, problem.x_rows * width)
        h = Panels(H, 0, m, count, width, m * width)
        y = Panels(out, 0, s, count, width, s * width)
        pack(problem.X, first, x, strips)
        forward(problem, theta, x, h, y)
        for o in range(s):
            for i in range(count):
                Y[o, first + i] = out[o * width + i]


def predict(
    theta: Array, shape: Shape, activation: str, X: Array, n_threads: int | None = None
) -> Array:
    """Return Y (s, N) in the dtype of θ; beside Y itself no memory grows with N."""
    n_samples = X.shape[1]
    cut = choose_blocking(shape, n_samples, theta.dtype)
    problem = KernelStruct(
        Problem(
            *shape, n_samples, *offsets(shape), ACTIVATIONS[activation].code,
            columns(X), NO_COLUMNS, NO_COLUMNS,
            cut.chunk, cut.n_chunks, cut.block, cut.x_rows, cut.strips,
        )
    )  # fmt: skip
    Y = np.empty((shape.n_outputs, n_samples), theta.dtype)
    size = team_size(n_threads, cut.nanoseconds / 2, cut.n_chunks)

    def part(start: int, stop: int) -> None:
        counts = (cut.x_rows, cut.x_rows, shape.n_hidden, shape.n_outputs)
        memory = [np.zeros(count * cut.width, theta.dtype) for count in counts]
        predict_samples(problem, theta, start, stop, *memory, Y)

    parts = [(start, min(start + cut.chunk, n_samples)) for start in range(0, n_samples, cut.chunk)]
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
                except RuntimeError:  # no thread to be had: compute it here
                    part(start, stop)
            for done in running:
                done.result()
        except BaseException:  # Ctrl-C: drop the parts that have not begun
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return Y
