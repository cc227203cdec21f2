"""How segments are dealt to workers, and which nodes of the tree of sums each of them sends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from batchprop.dask.segment_runs import segment_runs

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
    """Return the runs of ``batchprop.dask`` for workers with the same number of threads.

    They begin at multiples of large powers of two.
    """
    return segment_runs(n_segments, [1] * n_workers)


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
