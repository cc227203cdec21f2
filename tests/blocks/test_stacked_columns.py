"""Columns as rows of an array: when they are a view, and that memory stays alive."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from batchprop.blocks.stacked_columns import stacked
from tests.blocks.comparison import is_copied

TABLE = np.arange(24.0).reshape(4, 6)


@pytest.mark.parametrize(
    "rows",
    [
        TABLE,
        TABLE.T,
        TABLE[::-1],
        TABLE[::2, 1:5],
        TABLE[:, ::3],
        TABLE[:1],
        TABLE.astype("f4"),
        TABLE[:, ::-1],
    ],
)
def test_equally_spaced_columns_are_a_view(rows):
    array = stacked([[row] for row in rows])
    np.testing.assert_array_equal(array, rows)
    assert np.shares_memory(array, rows)
    assert not array.flags.writeable
    assert array.dtype == rows.dtype


@pytest.mark.parametrize(
    "columns",
    [
        [[TABLE[0]], [TABLE[1]], [TABLE[3]]],  # not equally spaced
        [[TABLE[0]], [TABLE[1].astype("f4")]],
        [[TABLE[0].astype("i4")], [TABLE[1].astype("?")]],
        [[TABLE[0, :2], TABLE[0, 2:]], [TABLE[1]]],  # in pieces
        [[TABLE[0].astype(">f8")], [TABLE[1]]],
        [[np.empty(0)], [np.empty(0)]],
        [[TABLE[0, ::2]], [TABLE[1, :3]]],
    ],
)
def test_other_columns_are_copied(columns):
    array = stacked(columns)
    assert is_copied(array)
    for row, column in zip(array, columns, strict=True):
        np.testing.assert_array_equal(row, np.concatenate(column))
    assert array.dtype == np.float64


def test_dtypes():
    half, single, whole = TABLE[0].astype("f2"), TABLE[0].astype("f4"), TABLE[0].astype("i1")
    assert stacked([[half], [single]]).dtype == np.float32
    assert stacked([[single], [whole]]).dtype == np.float64
    assert stacked([[single]], np.dtype("f8")).dtype == np.float64


def test_a_view_keeps_all_arrays_alive():
    """Separate arrays may lie at equal distances by chance; freeing one of them must not matter."""
    for size in (1000, 100_000):
        columns = [[np.full(size, float(k))] for k in range(40)]
        views = [stacked(columns[k : k + 2]) for k in range(38)]
        del columns
        gc.collect()
        _rubbish = [np.full(size, -1.0) for _ in range(80)]
        for k, view in enumerate(views):
            assert (view[0] == k).all()
            assert (view[1] == k + 1).all()
