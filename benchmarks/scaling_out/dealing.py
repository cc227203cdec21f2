"""How segments are dealt to workers, and which nodes of the tree of sums each of them sends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

TOLERANCE = 1 / 16  # of a run's length, by which ``rounded`` moves its start

Deal = Callable[[int, int], list[range]]
"""``deal(n_segments, n_workers)`` returns contiguous runs of segments, in order, none empty."""


class TreeNode(NamedTuple):
    """A node of the tree of segments without its value: 2^level segments from ``first`` on."""

    level: int
    first: int


def even(n_segments: int, n_workers: int) -> list[range]:
    """Return runs whose lengths differ by one at most."""
    return _runs(n_segments, [k * n_segments // n_workers for k in range(n_workers)])


def rounded(n_segments: int, n_workers: int) -> list[range]:
    """Return runs that begin at multiples of large powers of two, for workers of equal speed.

    ``batchprop.dask`` deals segments so.  A start is moved by ``TOLERANCE`` of a run at most.
    """
    n_workers = min(n_workers, n_segments)
    starts = [0]
    for k in range(1, n_workers):
        start = _roundest(n_segments * k / n_workers, TOLERANCE * n_segments / n_workers)
        starts.append(min(n_segments - n_workers + k, max(starts[-1] + 1, start)))
    return _runs(n_segments, starts)


def _roundest(start: float, margin: float) -> int:
    """Return the multiple of the largest power of two within a margin, or the nearest integer."""
    step = 1 << int(start).bit_length()
    while step > 1:
        nearest = round(start / step) * step
        if nearest > 0 and abs(nearest - start) <= margin:
            return nearest
        step //= 2
    return round(start)


def single_nodes(n_segments: int, n_workers: int) -> list[range]:
    """Return runs of one node each: 2^k segments.  Some workers may be left without a run."""
    length = 1
    while length * n_workers < n_segments:
        length *= 2
    return _runs(n_segments, list(range(0, n_segments, length)))


def _runs(n_segments: int, starts: Sequence[int]) -> list[range]:
    runs = [range(a, b) for a, b in zip(starts, [*starts[1:], n_segments], strict=True)]
    return [run for run in runs if run]


def nodes_of(run: range) -> list[TreeNode]:
    """Return the largest nodes of the tree in a run of segments, from left to right."""
    nodes, first = [], run.start
    while first < run.stop:
        level = (run.stop - first).bit_length() - 1
        if first:
            level = min(level, (first & -first).bit_length() - 1)
        nodes.append(TreeNode(level, first))
        first += 1 << level
    return nodes


def groups_of(runs: Sequence[range], fan_in: int) -> list[list[range]]:
    """Return runs in groups of ``fan_in`` neighbours, the last group smaller."""
    return [list(runs[k : k + fan_in]) for k in range(0, len(runs), fan_in)]


def joined(group: Sequence[range]) -> range:
    """Return the run of a group of neighbours."""
    return range(group[0].start, group[-1].stop)
