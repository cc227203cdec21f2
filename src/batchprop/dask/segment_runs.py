"""Runs of segments for workers: contiguous, in proportion to their threads."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

TOLERANCE = 1 / 16
"""Share of a worker's segments by which a run may begin elsewhere, where its nodes are larger."""


def segment_runs(n_segments: int, shares: Sequence[float]) -> list[range]:
    """Return one run of segments for each worker, in order; none of them is empty.

    A run ships its largest nodes of the tree of sums.  So a run begins at a multiple of a power of
    two that is as large as the balance of the load allows.

    Parameters
    ----------
    n_segments : int
        How many segments there are.
    shares : sequence of float
        Positive numbers, one for each worker: its threads.

    Returns
    -------
    list of range
        At most one for each worker, fewer if there are fewer segments than workers.
    """
    shares = list(shares)[:n_segments]
    total, starts = sum(shares), [0]
    for k, (share, before) in enumerate(zip(shares[1:], accumulate(shares), strict=False), 1):
        ideal = n_segments * before / total
        margin = TOLERANCE * n_segments * min(share, shares[k - 1]) / total
        latest = n_segments - (len(shares) - k)  # one segment for each of the workers to come
        starts.append(min(latest, max(starts[-1] + 1, _roundest(ideal, margin))))
    return [range(a, b) for a, b in zip(starts, [*starts[1:], n_segments], strict=True)]


def _roundest(ideal: float, margin: float) -> int:
    """Return the multiple of the largest power of two within a margin; else the nearest integer."""
    step = 1 << max(0, int(ideal).bit_length())
    while step > 1:
        nearest = round(ideal / step) * step
        if nearest > 0 and abs(nearest - ideal) <= margin:
            return nearest
        step //= 2
    return round(ideal)
