"""Segments of samples, and the fixed tree in which their sums are added.

Samples are cut into segments of ``SEGMENT_SAMPLES``, the last one shorter.  All sums over samples
are sums over segments, and these are added pairwise: segments 2k and 2k + 1 make a node of level 1,
two neighbouring nodes of level 1 one of level 2, and so on; what is left over at the end is added
from right to left.  The tree depends on N alone.  So a sum has the same bits whether the samples
are in memory, come from files block by block, or lie on several machines, and a machine that holds
a run of segments has to send few sums: those of the largest nodes in its run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, NamedTuple, TypeVar

Value = TypeVar("Value")

SEGMENT_SAMPLES = 1 << 17
"""Samples in a segment.  Part of the format: another number changes the bits of large sums."""


def n_segments(n_samples: int) -> int:
    """Return how many segments ``n_samples`` samples are cut into."""
    return -(-n_samples // SEGMENT_SAMPLES)


def n_levels(count: int) -> int:
    """Return how many levels the tree of ``count`` segments has; 0 for a single segment."""
    return 0 if count <= 1 else count.bit_length()


def ranges(start: int, stop: int) -> Iterator[tuple[int, int, int]]:
    """Yield ``(segment, start, stop)`` of the parts that segments cut a range of samples into."""
    while start < stop:
        segment = start // SEGMENT_SAMPLES
        end = min((segment + 1) * SEGMENT_SAMPLES, stop)
        yield segment, start, end
        start = end


class Node(NamedTuple, Generic[Value]):
    """The sum over 2^level segments, from segment ``first`` on, a multiple of 2^level.

    Attributes
    ----------
    level, first : int
        Which node it is.
    value : Value
        The sum.
    """

    level: int
    first: int
    value: Value

    @property
    def stop(self) -> int:
        """The segment after its last one, if the node is whole."""
        return self.first + (1 << self.level)


class SegmentTree(Generic[Value]):
    """Adds nodes that come from left to right, as soon as two of them make a larger one.

    Parameters
    ----------
    add : callable
        ``add(left, right)`` returns the sum of two values.  It may reuse the memory of both.

    Attributes
    ----------
    nodes : list of Node
        The largest nodes so far, from left to right.  Those of the first n segments are at most
        log₂ n + 1; those of a run of segments that begins later are at most twice as many.
    """

    def __init__(self, add: Callable[[Value, Value], Value]) -> None:
        self._add = add
        self.nodes: list[Node[Value]] = []

    def append(self, node: Node[Value]) -> None:
        """Add the node that begins where the last one ends.

        Raises
        ------
        ValueError
            It begins elsewhere: sums are missing or come twice.
        """
        if self.nodes and self.nodes[-1].stop != node.first:
            raise ValueError(f"segment {self.nodes[-1].stop} must come next; got {node.first}")
        level, first, value = node
        # the right half of a larger node begins at an odd multiple of its size
        while self.nodes and self.nodes[-1].level == level and first >> level & 1:
            left = self.nodes.pop()
            level, first, value = level + 1, left.first, self._add(left.value, value)
        self.nodes.append(Node(level, first, value))

    def extend(self, nodes: Iterable[Node[Value]]) -> None:
        """Add several nodes."""
        for node in nodes:
            self.append(node)

    def total(self) -> Value:
        """Return the sum of all segments: what is left over is added from right to left.

        The tree is empty afterwards.
        """
        if not self.nodes or self.nodes[0].first != 0:
            raise ValueError("the sums must begin with segment 0")
        value = self.nodes.pop().value
        while self.nodes:
            value = self._add(self.nodes.pop().value, value)
        return value


def total_of(nodes: Iterable[Node[Value]], add: Callable[[Value, Value], Value]) -> Value:
    """Return the sum of all segments from nodes in order; ``add`` as for ``SegmentTree``."""
    tree = SegmentTree(add)
    tree.extend(nodes)
    return tree.total()


def tree_sum(
    n_samples: int, of_range: Callable[[slice], Value], add: Callable[[Value, Value], Value]
) -> Value:
    """Return the sum over all segments of samples in memory.

    Parameters
    ----------
    n_samples : int
        N, at least 1.
    of_range : callable
        ``of_range(slice)`` returns the sum over the samples of one segment.
    add : callable
        As for ``SegmentTree``.
    """
    if n_samples <= SEGMENT_SAMPLES:
        return of_range(slice(0, n_samples))
    tree = SegmentTree(add)
    for segment, start, stop in ranges(0, n_samples):
        tree.append(Node(0, segment, of_range(slice(start, stop))))
    return tree.total()
