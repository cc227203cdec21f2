"""First uses: many processes at once without kernels, nowhere to write, read-only installs."""

from __future__ import annotations

import gc
import shutil
import stat

import pytest
from numba import types
from numba.extending import intrinsic

from batchprop.compiler import kernel_cache
from batchprop.compiler.jit import kernel
from tests.engines.fused.processes import COUNT_COMPILATIONS, finish, run, start
from tests.project import SRC

# Few kernels, and no solvers: what a process finds or compiles is the same question.
PREDICT = """
import hashlib
from tests.problems import problem
data = problem(8, 20, 1, 6000, "tanh", "float32")
print(hashlib.sha256(data.network.predict(data.X, n_threads=4).tobytes()).hexdigest())
"""
EVALUATE = (
    PREDICT
    + """
import batchprop
loss, gradient = batchprop.loss_and_gradient(data.network, data.X, data.T, n_threads=4)
print(loss, hashlib.sha256(gradient.theta.tobytes()).hexdigest())
"""
)
PREDICTED = COUNT_COMPILATIONS + PREDICT + "print(counted() > 0)\n"


def test_sixteen_processes_start_at_once_on_an_empty_cache(tmp_path):
    running = [start(EVALUATE, NUMBA_CACHE_DIR=tmp_path) for _ in range(16)]
    (found,) = {finish(process, 300) for process in running}
    assert found == run(EVALUATE)
    names = [path.name for path in (tmp_path / "batchprop-kernels").iterdir()]
    assert all(name.endswith(".kernel") for name in names), "nothing half-written, no lock is left"
    counted = COUNT_COMPILATIONS + EVALUATE + "print(counted() > 0)"
    assert run(counted, NUMBA_CACHE_DIR=tmp_path) == f"{found}False\n"


@pytest.fixture(scope="module")
def predicted():
    """What the forward pass comes to; its kernels are on disk afterwards."""
    return run(PREDICT).strip()


def read_only_package(tmp_path, warm):
    """Copy the package to where nothing can be written, with its kernels or without."""
    package = tmp_path / "site" / "batchprop"
    shutil.copytree(SRC / "batchprop", package, ignore=shutil.ignore_patterns("__pycache__"))
    own = package / "__pycache__"
    if warm:
        shutil.copytree(kernel_cache.writable(), own / "batchprop-kernels")
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
    homes = dict.fromkeys(("HOME", "USERPROFILE"), home)
    caches = dict.fromkeys(("XDG_CACHE_HOME", "LOCALAPPDATA"), home / "cache")
    return homes | caches | {"NUMBA_CACHE_DIR": None}


@pytest.fixture(autouse=True)
def _deletable(tmp_path):
    yield
    for path in tmp_path.rglob("*"):
        if path.is_dir():
            path.chmod(0o755)


def test_read_only_home_and_read_only_install(tmp_path, nowhere, predicted):
    package = read_only_package(tmp_path, warm=False)
    assert run(PREDICTED, package=package, **nowhere).split() == [predicted, "True"]


def test_read_only_install_with_its_kernels(tmp_path, nowhere, predicted):
    package = read_only_package(tmp_path, warm=True)
    assert run(PREDICTED, package=package, **nowhere).split() == [predicted, "False"]


def test_read_only_install_and_a_home(tmp_path, nowhere, predicted):
    package = read_only_package(tmp_path, warm=False)
    nowhere["XDG_CACHE_HOME"] = nowhere["LOCALAPPDATA"] = tmp_path / "cache"
    shutil.copytree(kernel_cache.writable(), tmp_path / "cache" / "batchprop-kernels")
    assert run(PREDICTED, package=package, **nowhere).split() == [predicted, "False"]


@pytest.mark.parametrize("was_on", [True, False])
def test_the_collector_of_cycles_is_as_it_was_after_compiling(was_on):
    """It is put off while a kernel is compiled, and stays off where the user switched it off."""
    seen = []

    def note(typing):
        seen.append(gc.isenabled())
        return types.void(), lambda context, *args: context.get_dummy_value()

    noted = intrinsic(note)

    @kernel
    def compiled_here():
        noted()

    before = gc.isenabled()
    (gc.enable if was_on else gc.disable)()
    try:
        compiled_here()
        assert gc.isenabled() is was_on
    finally:
        (gc.enable if before else gc.disable)()
    assert seen
    assert not any(seen)
