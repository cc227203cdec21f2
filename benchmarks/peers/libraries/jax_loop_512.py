"""The same as ``jax_loop``, in a process whose XLA is told to prefer 512-bit vectors.

XLA takes 256 bits by default even where the processor has more; the flag is in ``LIBRARIES``.
"""

from __future__ import annotations

from benchmarks.peers.libraries.jax_loop import candidates, versions

__all__ = ["candidates", "versions"]
