"""Blocks of .npy files: row by row, column by column, records, separate files."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop import Blocks
from batchprop.blocks import array_axes
from tests.bad_input import Bad, assert_told
from tests.blocks.comparison import assert_holds, is_copied

N = 1000


@pytest.fixture
def table(tmp_path, monkeypatch):
    """Return a table (N, 5), in a folder where blocks of at most 128 samples are cut."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(array_axes, "SEGMENT_SAMPLES", 128)
    return np.random.default_rng(0).normal(size=(N, 5))


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("samples", ["rows", "columns", None])
@pytest.mark.parametrize("dtype", ["<f8", ">f8", "<f4", "<i4", "?"])
def test_any_order_and_dtype(table, order, samples, dtype):
    values = (100 * table).astype(dtype)
    np.save("a.npy", np.asarray(values.T if samples == "columns" else values, order=order))
    blocks = Blocks.from_npy("a.npy", inputs=[1, 0, 3], targets=[-1], samples=samples)
    assert_holds(blocks, values.T[[1, 0, 3]], values.T[4:])
    assert len(blocks) == 8
    assert blocks[0].X.dtype == ("f4" if dtype == "<f4" else "f8")
    assert blocks.input_names is None


def test_neighbouring_columns_are_not_copied(table):
    np.save("rows.npy", table)
    np.save("columns.npy", table.T.copy())
    for name, samples in (("rows.npy", "rows"), ("columns.npy", "columns")):
        block = Blocks.from_npy(name, targets=4, samples=samples)[0]
        assert not is_copied(block.X)
        assert not is_copied(block.T)
        assert not block.X.flags.writeable
        assert is_copied(Blocks.from_npy(name, inputs=[0, 1, 3], targets=4, samples=samples)[0].X)


def test_separate_files(table):
    np.save("X.npy", table[:, :3])
    np.save("T.npy", table[:, 3:])
    np.save("w.npy", table[:, 0] ** 2)
    blocks = Blocks.from_npy("X.npy", target_files="T.npy", weight_files="w.npy")
    assert_holds(blocks, table.T[:3], table.T[3:], table[:, 0] ** 2)
    np.save("X2.npy", table.T[:3])
    np.save("y.npy", table[:, 3])
    blocks = Blocks.from_npy("X2.npy", target_files="y.npy", samples="columns")
    assert_holds(blocks, table.T[:3], table.T[3:4])


def test_several_files_in_natural_order(table):
    for part, rows in enumerate(np.array_split(table, 12)):
        np.save(f"part-{part}.npy", rows.astype("f4") if part == 3 else rows)
    np.save("part-12.npy", np.empty((0, 5)))
    blocks = Blocks.from_npy("part-*.npy", targets=4)
    expected = np.concatenate(
        [rows.astype("f4") if k == 3 else rows for k, rows in enumerate(np.array_split(table, 12))]
    )
    assert_holds(blocks, expected.T[:4], expected.T[4:])
    assert blocks[3].X.dtype == np.float64  # as in the other files


def test_records(table):
    records = np.zeros(N, [("a", "f4"), ("name", "U3"), ("b", "i2"), ("y", "f4"), ("w", "f8")])
    records["a"], records["b"], records["y"] = table.T[0], 10 * table.T[1], table.T[2]
    records["w"] = table.T[3] ** 2
    np.save("records.npy", records)
    blocks = Blocks.from_npy("records.npy", inputs=["b", "a"], targets="y", sample_weight="w")
    X = np.array([records["b"], records["a"]])
    assert_holds(blocks, X, records["y"][np.newaxis], records["w"])
    assert blocks.input_names == ("b", "a")
    assert blocks.target_names == ("y",)


def test_a_file_that_shrinks_is_an_error_not_a_crash(table):
    np.save("a.npy", table)
    blocks = Blocks.from_npy("a.npy", targets=4)
    with open("a.npy", "r+b") as file:
        file.truncate(1000)
    with pytest.raises(ValueError, match="files must be complete; got 1000 bytes instead of"):
        list(blocks.read())


BAD = [
    Bad({"files": "none*.npy"}, ValueError, "match at least one file", "'none*.npy'", "folder"),
    Bad({"files": "a.npy", "targets": None}, ValueError, "at least one column", "None", "targets="),
    Bad({"files": "a.npy", "targets": 5}, ValueError, "from 0 to 4", "5 for a.npy", "from 0"),
    Bad({"files": "a.npy", "targets": "y"}, ValueError, "indices", "'y' for a.npy", "from 0"),
    Bad({"files": "a.npy", "inputs": [0, 4]}, ValueError, "nothing else uses", "4", "once"),
    Bad({"files": "a.npy", "inputs": [0, 0]}, ValueError, "each column once", "0 2 times", "Leave"),
    Bad({"files": "a.npy", "samples": "x"}, ValueError, "be one of rows, columns", "'x'", "rows"),
    Bad({"files": "wide.npy"}, ValueError, '"rows" or "columns"', "(5, 1000)", 'samples="columns"'),
    Bad({"files": "cube.npy"}, ValueError, "one or two axes", "(2, 2, 2)", "Reshape"),
    Bad({"files": "text.npy"}, TypeError, "real numbers", "0 (<U1), 1 (<U1), ", "Encode"),
    Bad({"files": "no.npy"}, ValueError, "be .npy files", "no.npy (", "numpy.save"),
    Bad({"files": "short.npy"}, ValueError, "complete", "bytes instead of", "numpy.save"),
    Bad({"files": ["a.npy", "three.npy"]}, ValueError, "have 5 columns", "3 in three", "same"),
    Bad({"files": "a.npy", "target_files": "T.npy"}, ValueError, "left out", "4", "separate files"),
    Bad(
        {"files": "a.npy", "targets": None, "target_files": "T.npy"},
        ValueError,
        "have 1000 samples, like a.npy",
        "3 in T.npy",
        "Check",
    ),
    Bad(
        {"files": "a.npy", "targets": None, "target_files": ["T.npy", "T.npy"]},
        ValueError,
        "match 1 file",
        "2",
        "one file of each",
    ),
    Bad(
        {"files": "a.npy", "weight_files": "T.npy"}, ValueError, "target_files", "alone", "as well"
    ),
]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: f"{bad.got}")
def test_bad_files_are_one_clear_error(table, bad):
    np.save("a.npy", table)
    np.save("three.npy", table[:, :3])
    np.save("wide.npy", table.T)
    np.save("cube.npy", np.zeros((2, 2, 2)))
    np.save("text.npy", np.full((9, 5), "a"))
    np.save("T.npy", table[:3, 0])
    np.save("short.npy", table)
    with open("short.npy", "r+b") as file:
        file.truncate(1000)
    with open("no.npy", "w") as file:
        file.write("no array")
    arguments = {"targets": 4, **bad.arguments}
    assert_told(Blocks.from_npy, bad._replace(arguments=arguments))
