"""Runs of segments: contiguous, in proportion to threads, at round bounds."""

from __future__ import annotations

import itertools

import pytest

from batchprop.dask.segment_runs import TOLERANCE, segment_runs
from batchprop.segments import Node, SegmentTree


@pytest.mark.parametrize("n_segments", [1, 2, 3, 7, 16, 100, 1000])
@pytest.mark.parametrize("shares", [[1], [1, 1], [4, 1, 2], [1] * 7, [3, 5] * 20])
def test_runs_cover_all_segments_in_order(n_segments, shares):
    runs = segment_runs(n_segments, shares)
    assert len(runs) == min(n_segments, len(shares))
    assert [k for run in runs for k in run] == list(range(n_segments))
    assert all(len(run) > 0 for run in runs)


@pytest.mark.parametrize(("n_segments", "shares"), [(1000, [1, 2, 4, 1]), (7630, [8] * 64)])
def test_runs_are_in_proportion_to_threads(n_segments, shares):
    for run, share in zip(segment_runs(n_segments, shares), shares, strict=True):
        expected = n_segments * share / sum(shares)
        assert abs(len(run) - expected) <= 2 * TOLERANCE * expected + 1


def n_nodes(run):
    tree = SegmentTree(lambda left, right: 0)
    tree.extend(Node(0, segment, 0) for segment in run)
    return len(tree.nodes)


def test_round_bounds_make_few_nodes():
    """A run of n segments may need 2 log₂ n nodes; runs at round bounds need few."""
    runs = segment_runs(7630, [8] * 64)
    bounds = [round(7630 * k / 64) for k in range(65)]
    even = [range(a, b) for a, b in itertools.pairwise(bounds)]
    assert max(map(n_nodes, runs)) <= 6
    assert sum(map(n_nodes, runs)) < 0.6 * sum(map(n_nodes, even))
    assert [n_nodes(run) for run in segment_runs(16, [1, 1])] == [1, 1]
