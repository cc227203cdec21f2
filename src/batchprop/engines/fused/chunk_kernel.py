"""The one large kernel: everything that is done to a chunk of samples.

Solvers' loops are small kernels that call this one by its address: it is compiled once, not again
into each of them.
"""

from __future__ import annotations

from batchprop.compiler.jit import kernel_by_address
from batchprop.engines.fused.forward_backward import chunk_sums
from batchprop.engines.fused.thread_team import GRADIENT


@kernel_by_address
def process(problem, theta, chunk, scratch, G, kind):
    """Write the sums over one chunk to G."""
    chunk_sums(problem, theta, chunk, scratch, G, kind == GRADIENT)
