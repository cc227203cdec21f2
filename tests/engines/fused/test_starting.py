"""First uses: many processes at once without kernels, nowhere to write, read-only installs."""

from __future__ import annotations

import shutil
import stat

import pytest

from batchprop.engines.fused import cache
from tests.engines.fused.processes import COUNT_COMPILATIONS, finish, run, start
from tests.engines.fused.workload import work
from tests.project import SRC

WORK = "from tests.engines.fused.workload import work\nprint(work())\n"
COUNTED = COUNT_COMPILATIONS + WORK + "print(counted() > 0)\n"


@pytest.fixture(scope="module")
def expected():
    """What the work comes to; kernels are on disk afterwards."""
    return work()


def test_sixteen_processes_start_at_once_on_an_empty_cache(tmp_path, expected):
    running = [start(WORK, NUMBA_CACHE_DIR=tmp_path) for _ in range(16)]
    assert {finish(process, 300).strip() for process in running} == {expected}
    names = [path.name for path in (tmp_path / "batchprop-kernels").iterdir()]
    assert all(name.endswith(".kernel") for name in names), "nothing half-written, no lock is left"
    assert run(COUNTED, NUMBA_CACHE_DIR=tmp_path).split() == [expected, "False"]


def read_only_package(tmp_path, warm):
    """Copy the package to where nothing can be written, with its kernels or without."""
    package = tmp_path / "site" / "batchprop"
    shutil.copytree(SRC / "batchprop", package, ignore=shutil.ignore_patterns("__pycache__"))
    own = package / "__pycache__"
    if warm:
        shutil.copytree(cache.writable(), own / "batchprop-kernels")
    else:
        own.write_text("a file: not even the administrator can make a folder here")
    for path in [package, *package.rglob("*")]:
        writable = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
        path.chmod(path.stat().st_mode & ~writable)
    return package.parent


@pytest.fixture
def nowhere(tmp_path):
    """A home that is not there and cannot be made, also for the administrator."""
    place = tmp_path / "a file"
    place.touch()
    home = place / "home"
    return {"HOME": home, "XDG_CACHE_HOME": home / "cache", "NUMBA_CACHE_DIR": None}


@pytest.fixture(autouse=True)
def _deletable(tmp_path):
    yield
    for path in tmp_path.rglob("*"):
        if path.is_dir():
            path.chmod(0o755)


def test_read_only_home_and_read_only_install(tmp_path, nowhere, expected):
    package = read_only_package(tmp_path, warm=False)
    assert run(COUNTED, package=package, **nowhere).split() == [expected, "True"]


def test_read_only_install_with_its_kernels(tmp_path, nowhere, expected):
    package = read_only_package(tmp_path, warm=True)
    assert run(COUNTED, package=package, **nowhere).split() == [expected, "False"]


def test_read_only_install_and_a_home(tmp_path, nowhere, expected):
    package = read_only_package(tmp_path, warm=False)
    nowhere["XDG_CACHE_HOME"] = tmp_path / "cache"
    shutil.copytree(cache.writable(), tmp_path / "cache" / "batchprop-kernels")
    assert run(COUNTED, package=package, **nowhere).split() == [expected, "False"]


def test_the_collector_of_cycles_is_as_it_was_after_compiling(tmp_path):
    """It is put off while a kernel is compiled, and stays off where the user switched it off."""
    program = """
import gc
{before}
from tests.engines.fused.workload import work
work()
print(gc.isenabled())
"""
    for before, expected in (("", "True"), ("gc.disable()", "False")):
        kernels = tmp_path / expected
        assert run(program.format(before=before), NUMBA_CACHE_DIR=kernels).split()[-1] == expected
