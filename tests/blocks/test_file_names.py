"""Globs, folders and lists of files, and formats by extension."""

from __future__ import annotations

import os
import sys

import pytest

from batchprop import Blocks
from batchprop.blocks.file_formats import format_of_files
from batchprop.blocks.file_names import matching_files, shown
from tests.bad_input import Bad, assert_told

NAMES = ["part-10.npy", "part-2.npy", "part-1.npy", "a/x.npy", "a/b/2.NPY", "a/b/10.npy"]
HIDDEN = ["_part-3.npy", ".part-4.npy", "part.txt", "a/_b/1.npy"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in (*NAMES, *HIDDEN):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def names(files):
    return [shown(path).replace(os.sep, "/") for path in matching_files(files, [".npy"])]


def test_a_folder_is_read_with_its_subfolders_in_natural_order(folder):
    in_order = ["a/b/2.NPY", "a/b/10.npy", "a/x.npy", "part-1.npy", "part-2.npy", "part-10.npy"]
    assert names(".") == names(folder) == names([folder]) == in_order


def test_patterns():
    assert names("part-*.npy") == ["part-1.npy", "part-2.npy", "part-10.npy"]
    assert names("part-?.npy") == ["part-1.npy", "part-2.npy"]
    assert names("**/x.npy") == ["a/x.npy"]
    assert names("*.txt") == ["part.txt"]  # as the user says


def test_a_list_keeps_its_order():
    assert names(["part-2.npy", "a/*.npy", "part-1.npy"]) == ["part-2.npy", "a/x.npy", "part-1.npy"]


def test_brackets_in_a_name_that_exists(folder):
    (folder / "x[1].npy").touch()
    assert names("x[1].npy") == ["x[1].npy"]


def test_paths_do_not_depend_on_the_folder_later(folder, monkeypatch):
    paths = matching_files("part-1.npy", [".npy"])
    monkeypatch.chdir(folder.parent)
    assert paths[0].is_file()


def test_formats(folder):
    assert format_of_files("part-*.npy")[0] == "npy"
    for name in ("x.parquet", "y.PQ", "z.parq"):
        (folder / name).touch()
        assert format_of_files(name)[0] == "parquet"
    assert format_of_files(["x.parquet", "y.PQ"])[0] == "parquet"


BAD = [
    Bad({"files": "no*"}, ValueError, "match at least one file", "'no*'", "The current folder is"),
    Bad({"files": "~/x.npy"}, ValueError, "match at least", "'~/x.npy'", "os.path.expanduser"),
    Bad({"files": "s3://a/x.npy"}, ValueError, "match at least", "'s3:/a/x.npy'", "Only files"),
    Bad({"files": "empty"}, ValueError, "have files with", "the folder 'empty'", "as a list"),
    Bad({"files": []}, ValueError, "name at least one file", "an empty list", '"data/*.parquet"'),
    Bad({"files": 3}, TypeError, "a list of names", "3 of type int", '"data/*.parquet"'),
    Bad({"files": [None]}, TypeError, "a list of names", "[None]", '"data/*.parquet"'),
    Bad({"files": ""}, ValueError, "be the name of a file", "an empty string", "for example"),
    Bad({"files": "part.txt"}, ValueError, "extensions .npy, .parquet", "part.txt", "to Parquet"),
    Bad({"files": ["part-1.npy", "x.h5"]}, ValueError, "one format", "part-1.npy and x", "pattern"),
]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.got)
@pytest.mark.skipif(sys.platform == "win32", reason="paths are shown with backslashes")
def test_bad_names_are_one_clear_error(folder, bad):
    (folder / "empty").mkdir()
    (folder / "x.h5").touch()
    assert_told(Blocks.from_files, bad)
