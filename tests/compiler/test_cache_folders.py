"""Where kernels are kept: the platform's places, and only where nobody else may write."""

from __future__ import annotations

import functools
import os
import shutil
import stat
import sys
import warnings
from pathlib import Path

import pytest

from batchprop.compiler import cache_folders, kernel_cache
from tests.compiler.test_kernel_cache import ANSWER, answer
from tests.engines.fused.processes import run
from tests.platforms import needs_chown, needs_links, needs_modes, needs_pipes

OTHER_USER = 54321


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The one folder of this process, chosen as users choose it, not made yet."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "chosen"))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(cache_folders, "_warned", set())
    for name in ("candidate_folders", "writable"):
        fresh = functools.cache(getattr(cache_folders, name).__wrapped__)
        for module in (kernel_cache, cache_folders):
            monkeypatch.setattr(module, name, fresh)
    return tmp_path / "chosen" / "batchprop-kernels"


@pytest.mark.parametrize("chosen", [True, False])
def test_folders_in_their_order(tmp_path, monkeypatch, chosen):
    monkeypatch.setattr(cache_folders, "PACKAGE", tmp_path / "package")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    if chosen:
        monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "chosen"))
    else:
        monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setattr(
        cache_folders, "candidate_folders", cache_folders.candidate_folders.__wrapped__
    )
    tops = [tmp_path / "chosen"] if chosen else [tmp_path / "package", tmp_path / "home"]
    names = [path.relative_to(tmp_path).as_posix() for path in cache_folders.candidate_folders()]
    if chosen:
        assert names == ["chosen/batchprop-kernels"]
    else:
        assert names == ["package/__pycache__/batchprop-kernels", "home/batchprop-kernels"]
    for top, folder in zip(tops, cache_folders.candidate_folders(), strict=True):
        assert cache_folders.writable.__wrapped__() == folder
        shutil.rmtree(top)
        top.write_text("a file, so that no folder can be made here")
    assert cache_folders.writable.__wrapped__() is None


def test_a_user_without_a_home_has_no_cache_folder(monkeypatch):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    assert [folder.parent.name for folder in cache_folders.candidate_folders.__wrapped__()] == [
        "__pycache__"
    ]


CACHES = {
    ("linux", ""): ".cache",
    ("freebsd14", ""): ".cache",
    ("darwin", ""): "Library/Caches",
    ("win32", ""): "AppData/Local",
    ("linux", "XDG_CACHE_HOME"): "own",
    ("darwin", "XDG_CACHE_HOME"): "own",
    ("win32", "LOCALAPPDATA"): "own",
}


@pytest.mark.parametrize("system", CACHES, ids=" ".join)
def test_each_platform_has_its_place_for_caches(system, tmp_path, monkeypatch):
    for variable in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(variable, raising=False)
    name, variable = system
    if variable:
        monkeypatch.setenv(variable, str(tmp_path / "own"))
    monkeypatch.setattr(sys, "platform", name)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path.replace("~", str(tmp_path)))
    *_, users = cache_folders.candidate_folders.__wrapped__()
    assert users == tmp_path / CACHES[system] / "batchprop-kernels"


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@needs_modes
def test_folders_and_files_are_for_this_user_alone(tmp_path, place):
    before = os.umask(0)
    try:
        assert answer(tmp_path) == (2.5, True)
    finally:
        os.umask(before)
    assert mode(place) == 0o700
    assert [mode(path) for path in place.iterdir()] == [0o600]
    assert answer(tmp_path) == (2.5, False)


def open_to_group(path):
    path.chmod(mode(path) | 0o020)


def open_to_all(path):
    path.chmod(mode(path) | 0o002)


def of_another_user(path):
    os.chown(path, OTHER_USER, -1)


FOREIGN = [
    pytest.param(open_to_group, marks=needs_modes),
    pytest.param(open_to_all, marks=needs_modes),
    pytest.param(of_another_user, marks=needs_chown),
]


@pytest.mark.parametrize("make_foreign", FOREIGN)
def test_a_foreign_folder_is_neither_read_nor_written_and_one_warning_says_so(
    tmp_path, place, make_foreign
):
    answer(tmp_path)
    make_foreign(place)
    cache_folders.writable.cache_clear()
    before = sorted(path.name for path in place.iterdir())
    pattern = f"{place}, must belong to this user .* got mode .* Delete it, .* NUMBA_CACHE_DIR"
    with pytest.warns(UserWarning, match=pattern) as caught:
        assert answer(tmp_path) == (2.5, True)
    assert [Path(each.filename).name for each in caught] == ["test_kernel_cache.py"]  # the caller
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # it has been said
        assert answer(tmp_path, 1) == (2.5, True)
    assert sorted(path.name for path in place.iterdir()) == before


@pytest.mark.parametrize("make_foreign", FOREIGN)
def test_a_foreign_file_in_a_trusted_folder_is_not_read(tmp_path, place, make_foreign):
    answer(tmp_path)
    (path,) = place.iterdir()
    make_foreign(path)
    assert answer(tmp_path) == (2.5, True)
    assert answer(tmp_path) == (2.5, False)  # another file has taken its place
    assert mode(path) == 0o600


@needs_links
def test_a_link_in_a_file_s_place_is_not_followed(tmp_path, place):
    answer(tmp_path)
    (path,) = place.iterdir()
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert answer(tmp_path) == (2.5, True)


@needs_pipes
def test_a_pipe_in_a_file_s_place_is_not_waited_for(tmp_path, place):
    answer(tmp_path)
    (path,) = place.iterdir()
    path.unlink()
    os.mkfifo(path)
    assert answer(tmp_path) == (2.5, True)


@needs_modes
def test_the_next_place_is_taken_where_the_first_is_foreign(tmp_path, place, monkeypatch):
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    monkeypatch.setattr(cache_folders, "PACKAGE", tmp_path / "package")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "home"))
    first, second = cache_folders.candidate_folders()
    first.mkdir(parents=True)
    open_to_all(first)
    with pytest.warns(UserWarning, match=str(first)):
        assert answer(tmp_path) == (2.5, True)
    assert not list(first.iterdir())
    assert len(list(second.iterdir())) == 1
    assert answer(tmp_path) == (2.5, False)


@needs_chown
def test_what_root_has_installed_is_used_by_others(tmp_path, place, monkeypatch):
    answer(tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: OTHER_USER)
    assert answer(tmp_path) == (2.5, False)


def test_where_there_are_no_owners_nothing_is_asked(tmp_path, place, monkeypatch):
    """As on Windows."""
    answer(tmp_path)
    place.chmod(0o777)
    monkeypatch.delattr(os, "geteuid", raising=False)
    assert answer(tmp_path) == (2.5, False)


@needs_modes
def test_warnings_as_errors_are_errors_of_the_first_use(tmp_path):
    folder = tmp_path / "batchprop-kernels"
    folder.mkdir()
    open_to_all(folder)
    path = tmp_path / "user_kernels.py"
    path.write_text(ANSWER)
    program = """
import sys
sys.path.insert(0, sys.argv[1])
from user_kernels import answer
try:
    answer(1.0)
except UserWarning:
    print("said")
"""
    assert run(program, tmp_path, NUMBA_CACHE_DIR=tmp_path) == "said\n"


def test_a_write_that_fails_leaves_nothing(tmp_path, monkeypatch):
    def failing(self, target):
        raise OSError("no space left")

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(OSError, match="no space left"):
        cache_folders.write(tmp_path / "some.kernel", b"content")
    assert not list(tmp_path.iterdir())
