"""Columns of tables in memory, chosen by name."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from batchprop import Blocks
from tests.bad_input import Bad, assert_told
from tests.blocks.comparison import assert_holds, is_copied

pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")

TABLE = np.random.default_rng(0).normal(size=(4, 10))
COLUMNS = dict(zip("abyw", TABLE, strict=True)) | {"w": TABLE[3] ** 2}


def records(columns):
    array = np.zeros(10, [(name, column.dtype) for name, column in columns.items()])
    for name, column in columns.items():
        array[name] = column
    return array


TABLES = {
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "arrow": pa.table,
    "record batch": lambda columns: pa.record_batch(columns),
    "dict": dict,
    "dict of lists": lambda columns: {name: list(column) for name, column in columns.items()},
    "records": records,
}


@pytest.mark.parametrize("make", TABLES.values(), ids=TABLES)
def test_every_type_of_table(make):
    table = make(COLUMNS)
    blocks = Blocks([table, table], inputs=["b", "a"], targets="y", sample_weight="w")
    X, T = np.tile(TABLE[[1, 0]], 2), np.tile(TABLE[2:3], 2)
    for samples in blocks:
        np.testing.assert_array_equal(samples.X, X[:, :10])
        np.testing.assert_array_equal(samples.T, T[:, :10])
        np.testing.assert_array_equal(samples.sample_weight, COLUMNS["w"])
    assert blocks.input_names == ("b", "a")
    assert blocks.target_names == ("y",)
    others = Blocks([table], targets=["y", "w"])
    assert others.input_names == ("a", "b")
    assert others.n_outputs == 2


def test_tables_in_another_order_and_pickled():
    frame = pd.DataFrame(COLUMNS)
    blocks = Blocks([frame, frame[["y", "w", "b", "a"]]], inputs=["a", "b"], targets=["y"])
    assert_holds(blocks, np.tile(TABLE[:2], 2), np.tile(TABLE[2:3], 2))


def test_a_table_of_one_dtype_is_not_copied():
    frame = pd.DataFrame(TABLE.T, columns=list("abyw"))
    assert not is_copied(Blocks([frame], inputs=["a", "b"], targets=["y"])[0].X)


@pytest.mark.parametrize(
    "values",
    [
        pd.array([1, 2], dtype="Int64"),
        pd.array([1, 2], dtype="Float32"),
        pd.array([1, 2], dtype="int8[pyarrow]"),
        pd.Categorical([1.0, 2.0]),
        [Decimal(1), Decimal(2)],
        np.array([1, 2], ">f4"),
        np.array([1, 2], "f2"),
    ],
)
def test_types_of_columns(values):
    block = Blocks([pd.DataFrame({"a": values, "y": [0.0, 1.0]})], targets="y")[0]
    np.testing.assert_array_equal(block.X, [[1.0, 2.0]])


def test_missing_values_are_nan():
    frame = pd.DataFrame({"a": pd.array([1, None], dtype="Int64"), "y": [1.0, 2.0]})
    np.testing.assert_array_equal(Blocks([frame], targets="y")[0].X, [[1.0, np.nan]])
    frame = pl.DataFrame({"a": [True, None], "b": [Decimal(1), None], "y": [1.0, 2.0]})
    expected = [[1.0, np.nan], [1.0, np.nan]]
    np.testing.assert_array_equal(Blocks([frame], targets="y")[0].X, expected)


def test_an_empty_table_has_no_samples():
    frame = pd.DataFrame(COLUMNS)
    blocks = Blocks([frame[:0].astype(object), frame], inputs=["a", "b"], targets=["y"])
    assert [samples.X.shape[1] for samples in blocks.read()] == [10]


GOOD = {"a": [1.0], "y": [2.0]}
BAD = [
    Bad({"sequence": GOOD}, TypeError, "sequence of blocks", "one table of type dict", "a list"),
    Bad({"sequence": pd.DataFrame(GOOD)}, TypeError, "sequence", "of type DataFrame", "a list"),
    Bad({"sequence": pa.table(GOOD)}, TypeError, "sequence", "table of type Table", "a list"),
    Bad(
        {"sequence": [GOOD, {"a": [1.0]}]}, ValueError, "one column 'y'", "no such", "same columns"
    ),
    Bad({"sequence": [TABLE]}, TypeError, "table with named columns", "array of shape", "targets"),
    Bad({"sequence": [GOOD], "inputs": "q"}, ValueError, "of the table", "'q', which", "'a', 'y'"),
    Bad(
        {"sequence": [GOOD], "inputs": {"a"}}, TypeError, "be a list", "{'a'} of type set", "a list"
    ),
    Bad({"sequence": [GOOD], "inputs": ["a", "y"]}, ValueError, "nothing else", "'y'", "once"),
    Bad({"sequence": [GOOD], "targets": None, "inputs": "a"}, ValueError, "name", "None", "'y'"),
    Bad({"sequence": [{"y": [1.0]}]}, ValueError, "name at least", "besides 'y'", "Check targets"),
    Bad({"sequence": [{**GOOD, "y": [1, 2]}]}, ValueError, "one length", "1 in 'a', 2", "sample"),
    Bad({"sequence": [{**GOOD, "y": ["x"]}]}, TypeError, "real numbers", "<U1", "Encode"),
    Bad({"sequence": [{**GOOD, "y": TABLE}]}, ValueError, "shape (n,)", "(4, 10)", "a name"),
    Bad(
        {"sequence": [pa.table({"a": [None, 1.0], "y": [1.0, 2.0]})]},
        ValueError,
        "have no nulls",
        "the first in row 0 of column 'a' in block 0",
        "Fill nulls",
    ),
    Bad(
        {"sequence": [pd.DataFrame({"a": ["u"], "y": [1.0]})]},
        TypeError,
        "hold real numbers",
        "'u'",
        "Encode",
    ),
]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.got)
def test_bad_tables_are_one_clear_error(bad):
    def read(**arguments):
        list(Blocks(**arguments).read())

    assert_told(read, bad._replace(arguments={"targets": "y", **bad.arguments}))
