"""Collections as partitions: what is accepted, and the messages about the rest."""

from __future__ import annotations

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest

from batchprop.dask.partitions import facts_of, partition_of
from batchprop.dask.tables import table_of

ROWS = np.arange(12.0).reshape(6, 2)
FRAME = pd.DataFrame(ROWS, columns=["a", "b"])


def joined(table):
    """Compute the partitions in this process."""
    parts = dask.compute(table.parts, scheduler="synchronous")[0]
    return np.concatenate([partition_of("X", part).columns for part in parts], axis=1)


def sliced(rows):
    return [dask.delayed(rows[start : start + 2]) for start in range(0, len(rows), 2)]


@pytest.mark.parametrize(
    "value",
    [
        da.from_array(ROWS, chunks=(4, 2)),
        da.from_array(ROWS, chunks=(4, 1)),
        da.from_array(ROWS.astype(np.float32), chunks=(1, 1)),
        da.from_array(ROWS.astype(int), chunks=-1),
        dd.from_pandas(FRAME, npartitions=3),
        dd.from_pandas(FRAME.astype({"a": "Float64", "b": "int8"}), npartitions=2),
        sliced(ROWS),
        sliced(FRAME),
    ],
)
def test_samples_are_columns_afterwards(value):
    table = table_of("X", value, flat=False)
    assert np.array_equal(joined(table), ROWS.T)
    assert table.n_columns in (2, None)
    assert not table.flat


@pytest.mark.parametrize(
    "value",
    [da.from_array(ROWS[:, 0], chunks=4), dd.from_pandas(FRAME["a"], npartitions=2)],
)
def test_targets_and_weights_may_be_flat(value):
    table = table_of("T", value, flat=True)
    assert table.flat
    assert np.array_equal(joined(table), ROWS.T[:1])
    assert facts_of(partition_of("T", ROWS[:, 0])).flat


def test_names_and_sizes_are_kept():
    assert table_of("X", dd.from_pandas(FRAME, npartitions=2), False).column_names == ("a", "b")
    assert table_of("y", dd.from_pandas(FRAME["b"], npartitions=2), True).column_names == ("b",)
    assert table_of("X", da.from_array(ROWS), False).n_bytes == ROWS.nbytes
    unknown = dd.from_pandas(FRAME, npartitions=2).to_dask_array()
    assert table_of("X", unknown, False).n_bytes is None
    assert table_of("X", unknown, False).n_columns == 2


def test_arrays_of_this_process_are_sent_where_they_are_small():
    assert np.array_equal(joined(table_of("X_val", ROWS, False, small=True)), ROWS.T)
    assert np.array_equal(joined(table_of("T_val", FRAME["a"], True, small=True)), ROWS.T[:1])


def test_floats_are_not_copied():
    rows = ROWS.astype(np.float32)
    assert np.shares_memory(partition_of("X", rows).columns, rows)
    frame = pd.DataFrame(ROWS)
    assert np.shares_memory(partition_of("X", frame).columns, frame.to_numpy())


def test_what_is_missing_becomes_nan():
    frame = pd.DataFrame({"a": pd.array([1.0, None], dtype="Float32")})
    columns = partition_of("X", frame).columns
    assert columns.dtype == np.float32
    assert np.isnan(columns[0, 1])


def test_empty_partitions_have_no_samples():
    frame = pd.DataFrame({"a": [], "b": []}, dtype=object)
    assert facts_of(partition_of("X", frame)).n_samples == 0
    assert facts_of(partition_of("X", np.empty((0, 2)))).n_samples == 0


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (ROWS, "X must be a dask array, DataFrame or Series, .* got an array of shape"),
        ([1, 2], "a list of 2 objects that are not all delayed"),
        ([], "a list of 0 objects"),
        (da.from_array(ROWS[:, 0]), r"two dimensions, one sample a row; got 1. Pass X\[:, None\]"),
        (da.from_array(ROWS[None]), "got 3"),
        (da.from_array(ROWS.astype(str)), "X must hold real numbers"),
        (da.from_array(ROWS * 1j), "complex"),
        (dd.from_pandas(FRAME["a"], npartitions=2), "got 1"),
        (dd.from_pandas(FRAME.astype({"b": "category"}), npartitions=1), "column 'b' of dtype cat"),
        (dd.from_pandas(FRAME.astype({"b": str}), npartitions=1), "column 'b'"),
        (dd.from_pandas(FRAME.astype({"b": "datetime64[ns]"}), npartitions=1), "number of days"),
    ],
)
def test_what_is_no_table_of_numbers_is_refused_before_any_work(value, words):
    with pytest.raises((TypeError, ValueError), match=words):
        table_of("X", value, flat=False)


@pytest.mark.parametrize(
    ("block", "words"),
    [
        (np.array([["a"]]), r"X \(partition 3\) must hold real numbers"),
        (pd.DataFrame({"a": ["x"]}), "'x'"),
        (np.zeros((1, 1, 1)), "one or two dimensions"),
    ],
)
def test_a_partition_that_holds_something_else_is_named(block, words):
    with pytest.raises((TypeError, ValueError), match=words):
        partition_of("X (partition 3)", block)
