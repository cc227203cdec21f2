"""Blocks of Parquet files: columns by name, whatever their order and type in each file."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from batchprop import Blocks
from batchprop.blocks import array_axes
from batchprop.blocks.parquet_source import joined
from tests.bad_input import Bad, assert_told
from tests.blocks.comparison import assert_holds

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
pd = pytest.importorskip("pandas")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def table(n, seed=0):
    rng = np.random.default_rng(seed)
    return {
        "a": rng.normal(size=n),
        "b": rng.integers(-9, 9, n).astype("i2"),
        "c": rng.uniform(size=n) > 0.5,
        "y": rng.normal(size=n).astype("f4"),
        "w": rng.uniform(size=n),
    }


def test_many_files_with_columns_in_any_order():
    tables = [table(n, n) for n in (5, 7, 0, 6)]
    for part, each in zip((1, 2, 5, 10), tables, strict=True):
        names = list(each)[part % 5 :] + list(each)[: part % 5]
        pq.write_table(
            pa.table({name: each[name] for name in names}), f"part-{part}.pq", row_group_size=4
        )
    blocks = Blocks.from_parquet(
        "part-*.pq", inputs=["c", "a", "b"], targets="y", sample_weight="w"
    )
    whole = {name: np.concatenate([each[name] for each in tables]) for name in tables[0]}
    X = np.array([whole["c"], whole["a"], whole["b"]])
    assert_holds(blocks, X, whole["y"][np.newaxis], whole["w"])
    assert blocks.input_names == ("c", "a", "b")
    assert (blocks[0].X.dtype, blocks[0].T.dtype) == (np.float64, np.float32)
    assert blocks.n_samples == 18
    assert len(blocks) <= 4  # the row groups of a file are small


def test_small_row_groups_are_joined_and_large_ones_stay(monkeypatch):
    assert joined([3, 4, 5, 20, 1, 0, 2], 10) == [(0, 2), (2, 3), (3, 4), (4, 7)]
    assert joined([0, 0], 10) == [(0, 2)]
    assert joined([], 10) == []
    monkeypatch.setattr(array_axes, "SEGMENT_SAMPLES", 10)
    columns = table(30)
    pq.write_table(pa.table(columns), "x.parquet", row_group_size=4)
    blocks = Blocks.from_parquet("x.parquet", inputs="a", targets="y")
    assert [samples.X.shape[1] for samples in blocks] == [8, 8, 8, 6]
    assert_holds(blocks, columns["a"][np.newaxis], columns["y"][np.newaxis])


def test_types_that_differ_between_files():
    single = {name: np.arange(3, dtype="f4") for name in "ay"}
    pq.write_table(pa.table(single), "1.parquet")
    pq.write_table(pa.table({"y": pa.array([5, 6]), "a": pa.array([0.1, 0.2])}), "2.parquet")
    blocks = Blocks.from_parquet(".", targets="y")
    assert_holds(blocks, np.array([[0, 1, 2, 0.1, 0.2]]), np.array([[0.0, 1, 2, 5, 6]]))
    assert blocks[0].X.dtype == np.float64
    assert Blocks.from_parquet("1.parquet", targets="y")[0].X.dtype == np.float32


def test_all_types_of_numbers():
    columns = {
        "decimal": pa.array([Decimal("1.5"), Decimal("-2.5")], pa.decimal128(9, 2)),
        "dictionary": pa.array([3.5, 4.5]).dictionary_encode(),
        "half": pa.array(np.array([1, 2], "f2")),
        "unsigned": pa.array([1, 2], pa.uint64()),
        "flag": pa.array([True, False]),
        "nan": pa.array([np.nan, 1.0]),  # no null: the search for NaN comes later
        "a.b": pa.array([7.0, 8.0]),
        "a": pa.array([9.0, 10.0]),
    }
    pq.write_table(pa.table({**columns, "y": [0.0, 1.0]}), "x.parquet")
    expected = [[1.5, -2.5], [3.5, 4.5], [1, 2], [1, 2], [1, 0], [np.nan, 1], [7, 8], [9, 10]]
    assert_holds(
        Blocks.from_parquet("x.parquet", targets="y"), np.array(expected), np.array([[0.0, 1]])
    )
    one = Blocks.from_parquet("x.parquet", inputs="a", targets="y")
    assert_holds(one, np.array([[9.0, 10.0]]), np.array([[0.0, 1]]))


def test_the_index_of_pandas_is_no_input():
    frame = pd.DataFrame({"a": [1.0, 2.0], "y": [3.0, 4.0]}, index=pd.Index([7, 8], name="id"))
    frame.to_parquet("x.parquet")
    assert Blocks.from_parquet("x.parquet", targets="y").input_names == ("a",)
    chosen = Blocks.from_parquet("x.parquet", inputs=["id", "a"], targets="y")
    assert_holds(chosen, np.array([[7.0, 8.0], [1.0, 2.0]]), np.array([[3.0, 4.0]]))


def test_rows_of_nulls_are_counted_in_the_file(monkeypatch):
    monkeypatch.setattr(array_axes, "SEGMENT_SAMPLES", 2)
    columns = {"a": pa.array([1.0, 2.0, 3.0, 4.0, None, None]), "y": np.arange(6.0)}
    pq.write_table(pa.table(columns), "x.parquet", row_group_size=2)
    blocks = Blocks.from_parquet("x.parquet", targets="y").read()
    assert [next(blocks).X.shape[1] for _ in range(2)] == [2, 2]
    with pytest.raises(ValueError, match="got 2 nulls, the first in row 4 of column 'a' in x.parq"):
        next(blocks)


def test_a_damaged_row_group_names_its_file():
    """The footer is sound, so that the damage shows when the block is read."""
    pq.write_table(pa.table({"a": np.arange(900.0), "y": np.arange(900.0)}), "x.parquet")
    damaged = bytearray(Path("x.parquet").read_bytes())
    damaged[4:400] = b"\xff" * 396
    Path("x.parquet").write_bytes(damaged)
    blocks = Blocks.from_parquet("x.parquet", targets="y")
    with pytest.raises(ValueError, match=r"readable; got x\.parquet from row group 0 on \("):
        list(blocks.read())


def test_a_file_that_changes_while_it_is_in_use():
    pq.write_table(pa.table(table(10)), "x.parquet")
    blocks = Blocks.from_parquet("x.parquet", targets="y")
    pq.write_table(pa.table(table(20)), "x.parquet")
    with pytest.raises(ValueError, match="files must stay as they are; got"):
        list(blocks.read())


def write_bad():
    good = table(4)
    pq.write_table(pa.table(good), "good.parquet")
    nulls = pa.table({**good, "b": pa.array([1, 2, 3, None])})
    pq.write_table(nulls, "nulls.parquet", row_group_size=2)
    pq.write_table(pa.table({k: good[k] for k in "ayw"}), "lacks.parquet")
    times = pa.array([0, 1, 2, 3], pa.timestamp("s"))
    mixed = {**good, "name": ["a"] * 4, "time": times, "list": [[1.0]] * 4}
    pq.write_table(pa.table(mixed), "mixed.parquet")
    pq.write_table(pa.table(good).slice(0, 0), "empty.parquet")
    twice = pa.Table.from_arrays([pa.array([1.0]), pa.array([2.0]), pa.array([1.0])], list("aay"))
    pq.write_table(twice, "twice.parquet")
    with open("no.parquet", "wb") as file:
        file.write(b"PAR1 something else PAR1")


LIST = ["good.parquet", "lacks.parquet"]
BAD = [
    Bad({"files": "nulls.parquet"}, ValueError, "no nulls", "row 3 of column 'b' in nulls", "Fill"),
    Bad(
        {"files": LIST}, ValueError, "all chosen", "lacks.parquet without 'b', 'c'", "good.parquet"
    ),
    Bad({"files": "mixed.parquet"}, TypeError, "real numbers", "'name' (string), 'time'", "Encode"),
    Bad({"files": "empty.parquet"}, ValueError, "one sample", "first empty.parquet", "written"),
    Bad({"files": "twice.parquet"}, ValueError, "different names", "2 columns 'a'", "Rename"),
    Bad({"files": "no.parquet"}, ValueError, "be Parquet files", "no.parquet (", "leave it out"),
    Bad({"files": LIST[:1], "targets": "Y"}, ValueError, "of the table", "'Y', which good", "'y'?"),
    Bad({"files": LIST[0], "inputs": 3}, ValueError, "of the table", "3, which good", "'a', 'b'"),
    Bad({"files": LIST[0], "inputs": []}, ValueError, "one column", "an empty list", "Leave it"),
    Bad({"files": LIST[0], "inputs": ["w"]}, ValueError, "nothing else", "'w'", "each column once"),
]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.got)
def test_bad_files_are_one_clear_error(bad):
    write_bad()
    arguments = {"targets": "y", **bad.arguments}
    if "twice" not in str(bad.arguments):
        arguments["sample_weight"] = "w"

    def read(**arguments):
        list(Blocks.from_parquet(**arguments).read())

    assert_told(read, bad._replace(arguments=arguments))
