"""Like ``jax_loop``, in a process whose XLA is told to prefer 512-bit vectors.

By default XLA uses 256 bits even if the processor has more; the flag is set in ``LIBRARIES``.
"""

from __future__ import annotations

from benchmarks.peers.libraries.jax_loop import candidates, instructions, versions

__all__ = ["candidates", "instructions", "versions"]
