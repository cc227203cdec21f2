"""Delimited text: separators, headers, lines, and tables that cannot be read."""

from __future__ import annotations

import io

import pytest

from batchprop.cli import delimited_text
from batchprop.cli.delimited_text import DelimitedText
from batchprop.cli.errors import CommandError


def read(text, label="t.csv", delimiter=None, header=True):
    table = DelimitedText(io.StringIO(text, newline=""), label, delimiter, header)
    blocks = list(table.blocks())
    lines = [line for block, _ in blocks for line in block]
    return table.names, [row for _, rows in blocks for row in rows], lines


@pytest.mark.parametrize("character", ",;\t|")
def test_separators_are_detected(character):
    text = f"a{character}b\n1{character}2\n3{character}4\n"
    assert read(text) == (["a", "b"], [["1", "2"], ["3", "4"]], [2, 3])


def test_a_tab_is_taken_where_the_suffix_says_so():
    names, rows, _ = read("a,x\tb,y\n1,0\t2,0\n", "t.tsv")
    assert names == ["a,x", "b,y"]
    assert rows == [["1,0", "2,0"]]


def test_decimal_commas_do_not_hide_semicolons():
    assert read("a;b\n1,5;2,5\n")[1] == [["1,5", "2,5"]]


def test_an_unclear_separator_is_refused():
    with pytest.raises(CommandError, match=r"could be comma or semicolon.*--separator"):
        read("1,5;2,5\n2,5;3,5\n", header=False)
    assert read("1,5;2,5\n", delimiter=";", header=False)[1] == [["1,5", "2,5"]]


def test_one_column_needs_no_separator():
    assert read("a\n1\n2\n") == (["a"], [["1"], ["2"]], [2, 3])


def test_many_rows_come_in_blocks():
    table = DelimitedText(io.StringIO("a,b\n" + "1,2\n" * 10_000), "t.csv", None, True)
    sizes = [len(rows) for _, rows in table.blocks()]
    assert len(sizes) > 1
    assert sum(sizes) == 10_000


def test_quotes_line_ends_and_blank_lines():
    text = 'a,"b, c"\r\n1,"2"\r\n\r\n"3\r\n","4"\r\n'
    names, rows, lines = read(text)
    assert names == ["a", "b, c"]
    assert rows == [["1", "2"], ["3\r\n", "4"]]
    assert lines == [2, 5]


def test_without_a_header_names_are_numbers():
    assert read("5,6\n7,8\n", header=False) == (["1", "2"], [["5", "6"], ["7", "8"]], [1, 2])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "t.csv is empty"),
        ("\n\n", "t.csv is empty"),
        ("1,2\n3,4\n", "the first row holds numbers.*--no-header"),
        ("a,b\n1,2\n3\n", r"line 3: 1 cells, where the first row has 2.*comma.*--separator"),
        ("a,b\n1,2,3\n", "line 2: 3 cells"),
        ('a,b\n"1,2\n', "line 2: .*quotation mark"),
        ('a,b\n"1"x,2\n', "line 2: .*quotation mark"),
    ],
)
def test_tables_that_cannot_be_read(text, expected):
    with pytest.raises(CommandError, match=expected):
        read(text)


def test_other_encodings(tmp_path):
    path = str(tmp_path / "t.csv")
    with open(path, "wb") as file:
        file.write("größe,y\n1,2\n".encode("latin-1"))
    with (
        delimited_text.opened(path, "utf-8") as file,
        pytest.raises(CommandError, match="--encoding: latin-1"),
    ):
        DelimitedText(file, path, None, True)
    with delimited_text.opened(path, "latin-1") as file:
        assert DelimitedText(file, path, None, True).names == ["größe", "y"]
    with pytest.raises(CommandError, match="--encoding"), delimited_text.opened(path, "martian"):
        pass


@pytest.mark.parametrize("encoding", ["utf-8", "utf_8", "UTF-8"])
def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path, encoding):
    path = tmp_path / "t.csv"
    path.write_bytes(b"\xef\xbb\xbfa,b\n1,2\n")
    with delimited_text.opened(str(path), encoding) as file:
        assert DelimitedText(file, "t.csv", None, True).names == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "character"),
    [("tab", "\t"), ("\\t", "\t"), ("Semicolon", ";"), (":", ":"), ("space", " ")],
)
def test_separators_by_name(text, character):
    assert delimited_text.separator(text) == character


@pytest.mark.parametrize("text", ["", ",,", '"', "\n"])
def test_no_separators(text):
    with pytest.raises(ValueError, match="one character"):
        delimited_text.separator(text)
