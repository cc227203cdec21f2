"""The benchmark of a cluster: what it measures, and its table."""

from __future__ import annotations

import distributed

from benchmarks.cluster import Case, Cost, cost, document


def test_a_small_case_is_measured():
    case = Case(1000, 2, 3)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        measured = cost(case, client, repetitions=2)
    assert measured.same_bits
    assert min(measured[:6]) >= 0.0
    assert measured.wall >= measured.shortest > 0.0


def test_the_table_has_every_number():
    text = document({Case(5, 2, 3): Cost(1, 2, 3, 4, 5, 6, False)}, 2)
    assert "| 5 | 2-3-1 | 1.0 ms | 2.0 ms | 3.0 ms | 4.0 ms | 5.0 ms | 6.0 ms | no |" in text
