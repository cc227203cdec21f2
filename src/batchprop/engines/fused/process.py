"""The one large kernel: everything that is done to a chunk of samples.

Solvers' loops are small kernels that call this one by its address: it is compiled once, not again
into each of them.
"""

from __future__ import annotations

from batchprop.engines.fused.chunks import Scratch, chunk_sums
from batchprop.engines.fused.jit import kernel


@kernel
def process(problem, theta, chunk, scratch, member, sums, row):
    """Write the sums over one chunk to a row of ``sums``, in a member's own scratch memory."""
    own = Scratch(
        scratch.X[member],
        scratch.T[member],
        scratch.weight[member],
        scratch.H[member],
        scratch.R[member],
        scratch.D[member],
        scratch.strips[member],
        scratch.sums[member],
    )
    chunk_sums(problem, theta, chunk, own, sums[row])
