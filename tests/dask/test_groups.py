"""Groups on workers: the same sums as in one process, however tables are cut."""

from __future__ import annotations

import gc
import pickle
import sys
from uuid import uuid4

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest

from batchprop import segments
from batchprop.dask.evaluations import Evaluations
from batchprop.dask.groups import groups_of_tables
from batchprop.dask.loading import Worker, check_memory, load, workers_of
from batchprop.dask.resident_samples import PartitionSamples, Request, ResidentSamples
from batchprop.dask.tables import table_of
from batchprop.engines.portions import SegmentRange
from batchprop.segments import SegmentTree
from tests.dask.clusters import SECONDS, SIZE, wait_until
from tests.dask.stand_in import open_first, open_linear, open_where

N = 1000
THETA = np.array([1.0, -2.0, 0.5, 3.0])
RNG = np.random.default_rng(0)
X = RNG.standard_normal((N, 4))
Y = X @ [1.0, 2.0, 3.0, 4.0] + RNG.standard_normal(N)
WEIGHT = RNG.integers(0, 3, N).astype(float)
FRAME = pd.DataFrame(X, columns=list("abcd"), index=RNG.permutation(N))


def sums_here(weight=None, dtype=float):
    tables = [[X.T.astype(dtype)], [Y[np.newaxis]]] + ([] if weight is None else [[weight[None]]])
    samples_range = SegmentRange(N, 0, segments.n_segments(N))
    resident = ResidentSamples(PartitionSamples(tables), samples_range)
    tree = SegmentTree(np.add)
    tree.extend(resident.sums(Request("here", open_linear), THETA, 0))
    return tree.total()


def groups_of(client, *values, flat=(False, True, True)):
    workers = workers_of(client, SECONDS)
    tables = [
        table_of(name, value, may_be_flat)
        for name, value, may_be_flat in zip(("X", "T", "weight"), values, flat, strict=False)
    ]
    return groups_of_tables(client, load(client, tables, SECONDS), workers, SECONDS)


def sums_there(client, *values):
    groups = groups_of(client, *values)
    return Evaluations(groups, Request("there", open_linear)).sums(THETA, 0)


@pytest.mark.parametrize(
    "values",
    [
        (da.from_array(X, chunks=(100, 4)), da.from_array(Y, chunks=100)),
        (da.from_array(X, chunks=(170, 3)), da.from_array(Y[:, np.newaxis], chunks=(13, 1))),
        (dd.from_pandas(FRAME, npartitions=7, sort=False), da.from_array(Y, chunks=500)),
        (dd.from_pandas(FRAME, npartitions=7, sort=False).to_dask_array(), da.from_array(Y)),
        (
            dd.from_pandas(pd.DataFrame(X), npartitions=3),
            dd.from_pandas(pd.Series(Y), npartitions=5),
        ),
        ([dask.delayed(X[:10]), dask.delayed(X[10:])], [dask.delayed(Y)]),
        (
            da.concatenate([da.from_array(X[:0], chunks=(1, 4)), da.from_array(X, chunks=(64, 4))]),
            da.from_array(Y, chunks=N),
        ),
    ],
    ids=["arrays", "cut differently", "frame", "unknown chunks", "series", "delayed", "empty"],
)
def test_the_same_bits_however_the_tables_are_cut(client, values):
    assert sums_there(client, *values).tobytes() == sums_here().tobytes()


def test_calls_do_not_share_large_parameters(client):
    """160 kB each: Client.map would keep such a keyword argument under the same key for all."""
    groups = groups_of(client, da.from_array(X, chunks=(500, 4)), da.from_array(Y, chunks=500))
    evaluations = Evaluations(groups, Request("first", open_first))
    values = [float(k) for k in range(10)]
    sums = [evaluations.sums(np.full(20_000, value), 0).item() for value in values]
    assert sums == [segments.n_segments(N) * value for value in values]


def test_filtered_tables_have_empty_partitions_and_unknown_sizes(client):
    table = pd.DataFrame(X, columns=list("abcd")).assign(y=Y, row=range(N))
    frame = dd.from_pandas(table, npartitions=20)
    chosen = frame[(frame["row"] < 300) | (frame["row"] >= 700)]
    kept = np.r_[0:300, 700:1000]
    groups = groups_of(client, chosen[list("abcd")], chosen["y"])
    assert groups.n_samples == 600
    total = Evaluations(groups, Request("there", open_linear)).sums(THETA, 0)
    residual = X[kept] @ THETA - Y[kept]
    assert np.allclose(total, np.append(residual @ X[kept], residual @ residual), rtol=1e-12)


def test_weights_are_cut_like_the_samples(client):
    values = da.from_array(X, chunks=(90, 4)), da.from_array(Y, chunks=70)
    weight = da.from_array(WEIGHT, chunks=300)
    assert sums_there(client, *values, weight).tobytes() == sums_here(WEIGHT).tobytes()
    assert sums_there(client, *values).tobytes() != sums_here(WEIGHT).tobytes()


def test_partitions_of_several_types_become_one_type(client):
    parts = [dask.delayed(X[:500].astype(np.float32)), dask.delayed(X[500:])]
    groups = groups_of(client, parts, da.from_array(Y))
    blocks = groups.map(block_types, "types")
    assert {name for of_group in blocks for name in of_group} == {"float64"}


def block_types(group):
    return [block.X.dtype.name for block in group.samples.read()]


def test_what_two_tables_are_made_of_is_computed_once(client, tmp_path):
    def read(k):
        (tmp_path / f"{k}-{uuid4()}").touch()
        rows = slice(100 * k, 100 * (k + 1))
        return X[rows], Y[rows]

    files = [dask.delayed(read)(k) for k in range(10)]
    parts = [[file[i] for file in files] for i in range(2)]
    assert sums_there(client, *parts).tobytes() == sums_here().tobytes()
    assert len(list(tmp_path.iterdir())) == 10


def test_each_worker_gets_a_share_by_its_threads(client):
    groups = groups_of(client, da.from_array(X, chunks=(50, 4)), da.from_array(Y, chunks=50))
    evaluations = Evaluations(groups, Request("where", open_where))
    nodes = groups.map(nodes_of, "where", request=evaluations._request)
    assert [n_threads for of_group in nodes for _, n_threads in of_group[:1]] == [1, 1]
    assert [len(of_group) for of_group in nodes] == [8, 8]
    holders = client.who_has(groups.futures)
    assert len({address for (address,) in holders.values()}) == 2


def nodes_of(group, request):
    return [node.value for node in group.sums(request, THETA, 0)]


def test_persisted_partitions_are_not_copied(client):
    rows = da.from_array(X, chunks=(250, 4)).persist()
    groups = groups_of(client, rows, da.from_array(Y, chunks=250))
    addresses = [a for of_group in groups.map(data_addresses, "addresses") for a in of_group]
    chunks = client.gather(client.map(data_address, client.futures_of(rows)))
    ranges = [range(address, address + 250 * 32) for address in chunks]
    assert all(any(address in chunk for chunk in ranges) for address in addresses)


def data_address(block):
    return block.__array_interface__["data"][0]


def data_addresses(group):
    return [data_address(block.X) for block in group.samples.read()]


def test_nothing_is_left_after_many_evaluations(client):
    def tasks(dask_scheduler):
        return len(dask_scheduler.tasks)

    before = client.run_on_scheduler(tasks)
    groups = groups_of(client, da.from_array(X, chunks=(100, 4)), da.from_array(Y, chunks=100))
    evaluations = Evaluations(groups, Request("many", open_linear))
    evaluations.sums(THETA, 0)
    once = client.run_on_scheduler(tasks)
    for _ in range(50):
        evaluations.sums(THETA, 0)
    wait_until(lambda: client.run_on_scheduler(tasks) <= once)
    del groups, evaluations
    gc.collect()
    wait_until(lambda: client.run_on_scheduler(tasks) <= before)


def test_a_group_is_pickled_without_what_it_has_opened():
    resident = ResidentSamples(PartitionSamples([[X.T], [Y[None]]]), SegmentRange(N, 0, 16))
    resident.sums(Request("a", open_linear), THETA, 0)
    again = pickle.loads(pickle.dumps(resident))
    assert again._open == {}
    first, second = (r.sums(Request("a", open_linear), THETA, 0) for r in (resident, again))
    assert first[0].value.tobytes() == second[0].value.tobytes()
    assert sys.getsizeof(resident) > X.nbytes + Y.nbytes


def test_a_group_keeps_few_of_what_it_opens():
    closed = []

    class Sums:
        def __init__(self, samples, samples_range, n_threads):
            pass

        def sums(self, theta, work):
            return []

        def close(self):
            closed.append(self)

    resident = ResidentSamples(PartitionSamples([[X.T], [Y[None]]]), SegmentRange(N, 0, 16))
    for k in range(10):
        resident.sums(Request(f"{k}", Sums), THETA, 0)
    assert len(closed) == 6


def test_tables_larger_than_the_workers_are_refused():
    small = [Worker("a", 1, 1000), Worker("b", 1, 1000)]
    table = table_of("X", da.zeros((400, 1)), False)
    with pytest.raises(ValueError, match=r"X must fit into 80% of the memory.*memory_limit"):
        check_memory([table], small)
    check_memory([table], [Worker("a", 1, 4000)])
    check_memory([table], [Worker("a", 1, 1000), Worker("b", 1, 0)])  # one has no limit


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ([X[:10], X[10:, :3]], "the same columns in all partitions, 4 as in partition 0; got 3"),
        ([X[:0]], "X must have at least one sample; got none"),
        ([X, np.array([["text"] * 4])], r"X \(partition 1\) must hold real numbers"),
    ],
)
def test_partitions_that_do_not_fit_together_are_refused(client, parts, words):
    with pytest.raises((TypeError, ValueError), match=words):
        groups_of(client, [dask.delayed(part) for part in parts], da.from_array(Y))


def test_the_size_of_segments_is_that_of_these_tests():
    assert segments.SEGMENT_SAMPLES == SIZE
