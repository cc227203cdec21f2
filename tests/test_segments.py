"""The tree of segments: one order of additions, whoever holds the segments."""

from __future__ import annotations

import pytest

from batchprop import segments
from batchprop.segments import Node, SegmentTree, n_levels, n_segments, ranges, tree_sum


def joined(left, right):
    return f"({left}+{right})"


def tree_of(nodes):
    tree = SegmentTree(joined)
    tree.extend(nodes)
    return tree


def leaves(start, stop):
    return [Node(0, k, str(k)) for k in range(start, stop)]


def test_the_order_of_additions():
    expected = {
        1: "0",
        2: "(0+1)",
        3: "((0+1)+2)",
        5: "(((0+1)+(2+3))+4)",
        7: "(((0+1)+(2+3))+((4+5)+6))",
    }
    for count, text in expected.items():
        assert tree_of(leaves(0, count)).total() == text


@pytest.mark.parametrize("count", [1, 2, 3, 6, 8, 13, 16, 31])
def test_runs_of_segments_give_the_same_tree(count):
    whole = tree_of(leaves(0, count)).total()
    for first in range(count + 1):
        for second in range(first, count + 1):
            tree = SegmentTree(joined)
            for start, stop in ((0, first), (first, second), (second, count)):
                tree.extend(tree_of(leaves(start, stop)).nodes)
            assert tree.total() == whole


def test_a_run_sends_few_nodes():
    for start in range(20):
        for stop in range(start + 1, 70):
            nodes = tree_of(leaves(start, stop)).nodes
            assert len(nodes) <= 2 * (stop - start).bit_length()
            assert nodes[0].first == start
            assert nodes[-1].stop == stop
    assert len(tree_of(leaves(64, 128)).nodes) == 1  # half of 128 segments is one node


def test_the_levels_hold_all_nodes():
    assert [n_levels(count) for count in (0, 1, 2, 3, 4, 7, 8)] == [0, 0, 2, 2, 3, 3, 4]
    for count in range(2, 40):
        assert max(node.level for node in tree_of(leaves(0, count)).nodes) < n_levels(count)


def test_sums_that_are_missing_or_come_twice_are_refused():
    for nodes in (leaves(0, 2) + leaves(3, 4), leaves(0, 2) + leaves(1, 2)):
        with pytest.raises(ValueError, match="must come next"):
            tree_of(nodes)
    for tree in (SegmentTree(joined), tree_of(leaves(2, 4))):
        with pytest.raises(ValueError, match="begin with segment 0"):
            tree.total()


def test_how_many_segments():
    size = segments.SEGMENT_SAMPLES
    assert [n_segments(n) for n in (0, 1, size, size + 1, 10**9)] == [0, 1, 1, 2, 7630]


@pytest.mark.parametrize(("start", "stop"), [(0, 0), (0, 5), (3, 10), (7, 33), (10, 20), (20, 21)])
def test_ranges_end_where_segments_do(start, stop, monkeypatch):
    monkeypatch.setattr(segments, "SEGMENT_SAMPLES", 10)
    parts = list(ranges(start, stop))
    assert [i for _, first, last in parts for i in range(first, last)] == list(range(start, stop))
    assert all(first // 10 == (last - 1) // 10 == segment for segment, first, last in parts)
    assert len(parts) <= (stop - start) // 10 + 2


@pytest.mark.parametrize("n_samples", [1, 10, 11, 60, 61, 133])
def test_samples_in_memory_are_summed_in_the_tree(n_samples, monkeypatch):
    monkeypatch.setattr(segments, "SEGMENT_SAMPLES", 10)
    tree = SegmentTree(joined)
    for segment, start, stop in ranges(0, n_samples):
        tree.append(Node(0, segment, f"{start}:{stop}"))
    total = tree_sum(n_samples, lambda part: f"{part.start}:{part.stop}", joined)
    assert total == tree.total()
