"""JAX with all steps in one jitted ``fori_loop``, without overhead of calls."""

from __future__ import annotations

from benchmarks.peers.candidate import Candidate, Workload
from benchmarks.peers.libraries.jax_jit import instructions, versions, ways

__all__ = ["candidates", "instructions", "versions"]


def candidates(workload: Workload) -> list[Candidate]:
    return ways(loop=True)
