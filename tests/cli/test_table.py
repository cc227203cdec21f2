"""Whole tables: the same numbers from text and Parquet, categories, and cells that are refused."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from batchprop.cli import table
from batchprop.cli.columns import MAX_LEVELS, TARGET, Column, quoted, sorted_levels
from batchprop.cli.errors import CommandError
from batchprop.cli.table import TableFormat


def reader(categorical=(), targets=(), levels=None):
    def choose(names):
        return [
            Column(
                name,
                k,
                TARGET if name in targets else "input",
                name in categorical,
                levels if name in categorical else None,
            )
            for k, name in enumerate(names)
        ]

    return choose


def read(tmp_path, text, **choice):
    path = tmp_path / "t.csv"
    path.write_text(text, "utf-8")
    return table.read(str(path), TableFormat(), reader(**choice))


def test_numbers_and_missing_cells(tmp_path):
    content = read(tmp_path, "a,b\n1,2\nNA, 4.5\n")
    np.testing.assert_array_equal(content.values, [[1, 2], [np.nan, 4.5]])
    complete = table.complete_rows(content)
    assert complete.tolist() == [True, False]
    assert table.missing_text(content, complete) == (
        "1 of 2 rows is incomplete (missing cells: 1 in 'a')"
    )


def test_values_are_those_that_python_reads(tmp_path):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(5000, 3)) * 10.0 ** rng.integers(-300, 300, (5000, 3))
    lines = "\n".join(",".join(map(repr, row)) for row in values.tolist())
    np.testing.assert_array_equal(read(tmp_path, f"a,b,c\n{lines}\n").values, values)


def test_categories_are_sorted(tmp_path):
    content = read(tmp_path, "a,b\nv,10\nu,9\n,10\n", categorical=("a", "b"))
    assert [column.levels for column in content.columns] == [("u", "v"), ("9", "10")]
    np.testing.assert_array_equal(content.values, [[1, 1], [0, 0], [np.nan, 1]])


def test_known_categories_keep_their_order(tmp_path):
    content = read(tmp_path, "a\nv\nu\n", categorical=("a",), levels=("v", "u"))
    np.testing.assert_array_equal(content.values[:, 0], [0, 1])
    text = "line 2, column 'a': the model does not know the category 'x'.*'v', 'u'"
    with pytest.raises(CommandError, match=text):
        read(tmp_path, "a\nx\n", categorical=("a",), levels=("v", "u"))


def test_all_columns_of_text_are_named_with_both_remedies(tmp_path):
    columns = r"column 'b' \('ford' in line 2\); column 'c' \('u' in line 3\)"
    text = f"{columns}.*--categorical b,c.*--ignore b,c"
    with pytest.raises(CommandError, match=text):
        read(tmp_path, "a,b,c\n1,ford,NA\n2,fiat,u\n")


def test_a_target_of_text_is_not_to_be_categories(tmp_path):
    with pytest.raises(CommandError, match="The target must be a number") as caught:
        read(tmp_path, "a,b\n1,ford\n", targets=("b",))
    assert "--categorical" not in str(caught.value)


def test_cells_that_look_like_numbers_are_named(tmp_path):
    with pytest.raises(CommandError, match="line 3, column 'b': '1,5' is a number with a decimal"):
        read(tmp_path, 'a,b\n1,2\n1,"1,5"\n')


def test_too_many_categories(tmp_path):
    rows = "\n".join(f"n{k}" for k in range(MAX_LEVELS + 1))
    with pytest.raises(CommandError, match=r"more than 1,000 categories.*--ignore a"):
        read(tmp_path, f"a\n{rows}\n", categorical=("a",))


def test_a_header_alone(tmp_path):
    with pytest.raises(CommandError, match="no rows below its header"):
        read(tmp_path, "a,b\n")


def test_parquet_and_text_agree(tmp_path):
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    columns = {
        "whole": pa.array([1, 2, None], pa.int32()),
        "real": pa.array([0.5, np.nan, 2.0]),
        "flag": pa.array([True, False, True]),
        "kind": pa.array(["v", None, "u"]),
        "coded": pa.array(["v", "u", "v"]).dictionary_encode(),
    }
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table(columns), path)
    choose = reader(categorical=("kind", "coded"))
    parquet = table.read(str(path), TableFormat(), choose)
    text = read(
        tmp_path,
        "whole,real,flag,kind,coded\n1,.5,1,v,v\n2,,0,,u\n,2,1,u,v\n",
        categorical=("kind", "coded"),
    )
    np.testing.assert_array_equal(parquet.values, text.values)
    assert parquet.columns == text.columns


@pytest.mark.parametrize(
    ("column", "text"),
    [
        (["1.5", "ford"], r"'ford' in line 2.*--categorical a"),
        ([1.0, float("inf")], "row 2, column 'a' is infinite"),
    ],
)
def test_parquet_cells_that_are_refused(tmp_path, column, text):
    pa = pytest.importorskip("pyarrow")
    path = tmp_path / "t.parquet"
    pytest.importorskip("pyarrow.parquet").write_table(pa.table({"a": column}), path)
    with pytest.raises(CommandError, match=text):
        table.read(str(path), TableFormat(), reader())


def test_parquet_dates_and_other_files_are_refused(tmp_path):
    pa = pytest.importorskip("pyarrow")
    path = tmp_path / "t.parquet"
    dates = pa.array([0, 1], pa.date32())
    pytest.importorskip("pyarrow.parquet").write_table(pa.table({"a": dates}), path)
    with pytest.raises(CommandError, match=r"column 'a' holds date32.*--ignore a"):
        table.read(str(path), TableFormat(), reader())
    path.write_text("a,b\n1,2\n")
    with pytest.raises(CommandError, match="no Parquet file"):
        table.read(str(path), TableFormat(), reader())


def test_parquet_without_pyarrow(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(CommandError, match=r'pip install "batchprop\[parquet\]"'):
        table.read(str(tmp_path / "t.parquet"), TableFormat(), reader())


def test_levels_are_sorted_by_value_where_they_are_numbers():
    assert sorted_levels(["10", "9", "1e1"]) == ["9", "10", "1e1"]
    assert sorted_levels(["10", "9", "b"]) == ["10", "9", "b"]


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["a"], "a"),
        (["a", "b"], "a,b"),
        (["engine size"], "'engine size'"),
        (["a,b", "c"], "'\"a,b\",c'"),
        (["it's"], "'it'\\''s'"),
    ],
)
def test_names_can_be_pasted_into_a_shell(names, text):
    assert quoted(*names) == text
