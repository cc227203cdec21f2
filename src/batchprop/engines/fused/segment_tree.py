"""The tree in which the sums over segments are added, in kernels: see ``batchprop.segments``.

``task.tree`` has a row for each level, for the node of that level that still waits for its right
neighbour.  After n segments those rows mean something whose level is a bit that is set in n.
"""

from __future__ import annotations

from batchprop.compiler.jit import helper
from batchprop.engines.fused.task import ADDED_PER_CHECK
from batchprop.threads.cancellation import WRITTEN, check


@helper
def _add_to_left(task, level, start, stop):
    """Put the sum of the node of a level and of ``totals`` into ``totals``."""
    tree, total = task.tree, task.totals
    for low in range(start, stop, ADDED_PER_CHECK):
        high = min(low + ADDED_PER_CHECK, stop)
        for i in range(low, high):
            total[i] = tree[level, i] + total[i]
        if high < stop and check(task.scratch.token, WRITTEN * ADDED_PER_CHECK):
            return


@helper
def add_to_tree(task, segment, start, stop):
    """Add a range of ``totals``, the sums over a segment; segments come in order."""
    tree, total = task.tree, task.totals
    level = 0
    while segment >> level & 1:
        _add_to_left(task, level, start, stop)
        level += 1
    for i in range(start, stop):
        tree[level, i] = total[i]


@helper
def total_of_tree(task, n_segments, start, stop):
    """Write the sums over all segments to a range of ``totals``: nodes are added from the right."""
    tree, total = task.tree, task.totals
    level = 0
    while not n_segments >> level & 1:
        level += 1
    for i in range(start, stop):
        total[i] = tree[level, i]
    level += 1
    while n_segments >> level:
        if n_segments >> level & 1:
            _add_to_left(task, level, start, stop)
        level += 1
