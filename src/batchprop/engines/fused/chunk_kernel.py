"""The large kernel: the sums over a chunk of samples.

Solvers' loops are small kernels that call this one by its address: it is compiled once, not again
into each of them.
"""

from __future__ import annotations

from batchprop.compiler.jit import kernel_by_address
from batchprop.engines.fused.forward_backward import chunk_sums


@kernel_by_address
def chunk_kernel(problem, theta, chunk, scratch, G, work):
    """Write the sums over one chunk to G: ``work`` is GRADIENT, LOSS or CURVATURE."""
    chunk_sums(problem, theta, chunk, scratch, G, work)
