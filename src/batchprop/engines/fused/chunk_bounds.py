"""Where chunks begin: segments of samples, and chunks inside each of them.

The chunks of a segment differ by one panel at most.  The last segment, which is shorter, has
chunks of about the length of the others.  ``problem`` is a ``Problem``, in Python and in
kernels.
"""

from __future__ import annotations

from typing import Any

from numba import types

from batchprop import segments
from batchprop.compiler.jit import returning


def n_last_chunks(n_samples: int, n_chunks: int, width: int) -> int:
    """Return the number of chunks in the last segment, where the others have ``n_chunks``."""
    whole = min(n_samples, segments.SEGMENT_SAMPLES)
    samples = n_samples - (segments.n_segments(n_samples) - 1) * segments.SEGMENT_SAMPLES
    panels, panels_of_whole = -(-samples // width), -(-whole // width)
    return -(-panels * n_chunks // panels_of_whole)


def n_chunks_of(problem: Any, segment: int) -> int:
    """Return the number of chunks in a segment."""
    count: int = problem.n_last_chunks
    if segment + 1 < problem.n_segments:
        count = problem.n_chunks
    return count


def chunk_bound(problem: Any, segment: int, k: int, n_chunks: int) -> int:
    """Return where chunk k of a segment of ``n_chunks`` begins, and the chunk before it ends."""
    first, width = segment * problem.segment_samples, problem.width
    samples = min(problem.segment_samples, problem.n_samples - first)
    panels = (samples + width - 1) // width
    bound: int = first + min(samples, panels * k // n_chunks * width)
    return bound


def chunk_bounds(problem: Any, segment: int) -> list[int]:
    """Return where the chunks of a segment begin, and where the last one ends."""
    n_chunks = n_chunks_of(problem, segment)
    return [chunk_bound(problem, segment, k, n_chunks) for k in range(n_chunks + 1)]


# the same, for kernels
n_chunks_in = returning(types.int64)(n_chunks_of)
bound_of_chunk = returning(types.int64)(chunk_bound)
