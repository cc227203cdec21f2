"""JAX with all steps in one jitted ``fori_loop``: nothing is left of the cost of calls."""

from __future__ import annotations

from benchmarks.peers.candidate import Candidate, Given
from benchmarks.peers.libraries.jax_jit import versions, ways

__all__ = ["candidates", "versions"]


def candidates(given: Given) -> list[Candidate]:
    return ways(loop=True)
