"""The second process: what it compiles, when it is started, and when it ends."""

from __future__ import annotations

import os
import pickle
import sys
from types import SimpleNamespace

import pytest
from numba import types

from batchprop.compiler import compile_lock, second_process
from batchprop.compiler.compile_lock import CompileLock
from batchprop.linalg import panel_products
from tests.engines.fused.processes import run

pytestmark = pytest.mark.skipif(
    compile_lock._flock is None, reason="needs locks of files: not on Windows"
)

FLAT = types.Array(types.float64, 1, "C")
AFFINE = (FLAT, types.int64, types.int64, types.int64, types.int64, FLAT, types.int64, FLAT)
PRODUCTS = FLAT, FLAT, types.int64, types.int64, FLAT
NORMS = FLAT, types.int64, FLAT, types.int64, FLAT, FLAT
KERNELS = [
    (panel_products.affine_panels, AFFINE),
    (panel_products.add_products, PRODUCTS),
    (panel_products.squared_norms, NORMS),
]


class Folder:
    """A cache that holds the kernels of some names."""

    def __init__(self, path, stored=()):
        self.path, self.stored = path, stored

    def kernel(self, name):
        place = None if name in self.stored else self.path / name
        cache = SimpleNamespace(place_if_missing=lambda signature, context: place)
        function = SimpleNamespace(__module__="some.module", __qualname__=name)
        return SimpleNamespace(_cache=cache, targetctx=None, py_func=function), ()


class Process:
    """A second process that was started, and what happened to it."""

    pid = 12

    def __init__(self):
        self.calls = []

    def kill(self):
        self.calls.append("kill")

    def wait(self):
        self.calls.append("wait")


@pytest.fixture(autouse=True)
def _main_process(monkeypatch):
    main = SimpleNamespace(name="MainProcess")
    monkeypatch.setattr(second_process, "current_process", lambda: main)


@pytest.fixture
def started(monkeypatch):
    """What second processes were asked to compile, and these processes."""
    asked = []

    def start(command, stdin, **options):
        path, parent, kernels = pickle.load(stdin)
        assert all(map(os.path.isabs, path))
        assert parent == os.getpid()
        asked.append(([name for _, name, _ in kernels], Process()))
        return asked[-1][1]

    monkeypatch.setattr(second_process.subprocess, "Popen", start)
    return asked


def beside(folder, names, perhaps="", has_room=lambda: True):
    kernels, others = (list(map(folder.kernel, each)) for each in (names, perhaps))
    return second_process.compiling_beside(kernels, has_room, others)


def ask(folder, names):
    with beside(folder, names):
        pass


def test_it_begins_at_the_end_and_leaves_the_first_to_this_process(tmp_path, started):
    with beside(Folder(tmp_path), "abc"):
        ((names, process),) = started
        assert names == ["c", "b"]
        assert process.calls == []
    assert process.calls == ["kill", "wait"]


def test_what_may_not_be_needed_comes_last(tmp_path, started):
    with beside(Folder(tmp_path), "abc", "de"):
        assert started.pop()[0] == list("cbde")
    with beside(Folder(tmp_path, "bc"), "abc", "de"):
        assert not started, "they alone are not worth a process"


def test_it_ends_if_this_process_fails(tmp_path, started):
    with pytest.raises(KeyboardInterrupt), beside(Folder(tmp_path), "ab"):
        raise KeyboardInterrupt
    assert started[0][1].calls == ["kill", "wait"]
    assert not list(tmp_path.iterdir())


def test_what_it_leaves_never_costs_a_result(tmp_path, started, monkeypatch):
    def fail(*arguments):
        raise OSError("the folder is gone")

    monkeypatch.setattr(second_process, "_clean_up", fail)
    with beside(Folder(tmp_path), "ab"):
        pass
    assert started[0][1].calls == ["kill", "wait"]


def test_there_may_be_another_once_it_has_ended(tmp_path, started):
    """The lock is the second process's: here, one that ends at once."""
    with beside(Folder(tmp_path), "ab"):
        assert (tmp_path / "second-process.lock").exists()
        with beside(Folder(tmp_path), "cd"):
            assert [names for names, _ in started] == [["b"], ["d"]]


def test_it_leaves_neither_a_lock_nor_half_a_kernel(tmp_path, started):
    """Nothing of other processes is removed: neither locks that are held nor their files."""
    held, foreign = CompileLock(), tmp_path / "123-4.tmp"
    held.acquire(tmp_path / "a.lock")
    with beside(Folder(tmp_path), "abc"):
        for path in (tmp_path / "b.lock", tmp_path / "12-3.tmp", foreign):
            path.touch()
    assert sorted(tmp_path.iterdir()) == [foreign, tmp_path / "a.lock"]
    held.release()


@pytest.mark.parametrize("names", ["", "a", "ab"])
def test_one_missing_kernel_needs_no_second_process(tmp_path, started, names):
    ask(Folder(tmp_path, stored=("a",)), names)
    assert not started


def test_room_is_asked_for_only_if_kernels_are_missing(tmp_path, started):
    asked = []

    def has_room():
        asked.append(True)
        return False

    for stored, expected in (("ab", 0), ("", 1)):
        with beside(Folder(tmp_path, stored), "ab", has_room=has_room):
            assert len(asked) == expected
    assert not started


def test_one_at_a_time(tmp_path, started):
    lock = CompileLock()
    for is_held, expected in ((True, 0), (False, 1)):
        if is_held:
            lock.acquire(tmp_path / "second-process.lock")
        else:
            lock.release()
        ask(Folder(tmp_path), "ab")
        assert len(started) == expected
    assert not list(tmp_path.iterdir())


def test_not_in_a_worker_process(tmp_path, started, monkeypatch):
    worker = SimpleNamespace(name="LokyProcess-1")
    monkeypatch.setattr(second_process, "current_process", lambda: worker)
    ask(Folder(tmp_path), "ab")
    assert not started


@pytest.mark.parametrize("executable", [None, "", "/usr/sbin/uwsgi", "C:/Program/blender.exe"])
def test_not_where_the_interpreter_is_part_of_another_program(
    tmp_path, started, monkeypatch, executable
):
    monkeypatch.setattr(sys, "executable", executable)
    ask(Folder(tmp_path), "ab")
    assert not started


def test_not_in_a_frozen_program(tmp_path, started, monkeypatch):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    ask(Folder(tmp_path), "ab")
    assert not started


def test_not_where_processes_cannot_wait_for_each_other(tmp_path, started, monkeypatch):
    monkeypatch.setattr(compile_lock, "_flock", None)
    ask(Folder(tmp_path), "ab")
    assert not started


def test_a_process_that_cannot_be_started_is_no_error(tmp_path, monkeypatch):
    tried = []

    def fail(*arguments, **options):
        tried.append(arguments)
        raise OSError("no more processes")

    monkeypatch.setattr(second_process.subprocess, "Popen", fail)
    ask(Folder(tmp_path), "ab")
    assert len(tried) == 1
    assert not list(tmp_path.iterdir())


def test_a_list_that_cannot_be_sent_is_no_error(tmp_path, started):
    kernel, _ = Folder(tmp_path).kernel("b")
    kernels = [Folder(tmp_path).kernel("a"), (kernel, lambda: None)]
    with second_process.compiling_beside(kernels, lambda: True):
        assert not started


# Waits for the second process, and prints which kernels are on disk then.
WAIT = """
from batchprop.compiler import kernel_cache, second_process
from batchprop.compiler.compile_lock import CompileLock
from tests.compiler.test_second_process import KERNELS
lock = CompileLock()
lock.acquire(kernel_cache.writable() / "a.lock")
process = second_process._start(KERNELS[:0:-1], kernel_cache.writable(), lock.descriptor)
print(process.wait())
lock.release()
names = [path.name.split("-")[0] for path in kernel_cache.writable().iterdir()]
print(*sorted(names))
"""
BOTH = "panel_products.add_products panel_products.squared_norms"


def test_its_kernels_are_stored_for_this_process(tmp_path):
    assert run(WAIT, NUMBA_CACHE_DIR=tmp_path).splitlines() == ["0", BOTH]


def test_files_in_the_working_directory_are_not_imported(tmp_path):
    """Python looks there first in a program on the command line."""
    for name in ("pickle", "numba", "colorsys", "batchprop"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(3)")
    imports = "from tests.compiler import test_second_process\n"
    code = f"{imports}import os, sys\nassert '' in sys.path\nos.chdir({str(tmp_path)!r})\n{WAIT}"
    assert run(code, NUMBA_CACHE_DIR=tmp_path / "cache").splitlines() == ["0", BOTH]


# What the second process does, in this one: kernels of which one is stored and one is compiled
# by somebody else, and then kernels of a parent that is gone.
LEAVES_OUT = """
import os, pickle
from batchprop.compiler import kernel_cache, second_process
from tests.compiler.test_second_process import KERNELS
def names():
    return sorted(path.name.split("-")[0] for path in kernel_cache.writable().glob("*.kernel"))
sent = [(k.py_func.__module__, k.py_func.__qualname__, pickle.dumps(t)) for k, t in KERNELS]
second_process.compile_kernels(os.getpid(), sent)
print(names())
kernel_cache.lock_of(second_process._place(KERNELS[1])).touch()
second_process.compile_kernels(os.getppid(), sent)
print(names())
"""


def test_what_another_compiles_is_left_out_and_all_without_a_parent(tmp_path):
    gone, found = run(LEAVES_OUT, NUMBA_CACHE_DIR=tmp_path).splitlines()
    assert gone == "[]"
    assert found == "['panel_products.affine_panels', 'panel_products.squared_norms']"


COLD = """
import os
import numpy as np
from batchprop import loss_and_gradient, Network, train
from batchprop.compiler import kernel_cache, second_process
from batchprop.machine import second_process_room
pids, start = [], second_process._start
def noted(*arguments):
    process = start(*arguments)
    pids.append(process.pid)
    return process
second_process._start = noted
second_process_room.available = lambda: int(os.environ["PROCESSORS"])
second_process_room.NEEDED_BYTES = int(os.environ["BYTES"])
data = np.linspace(-1.0, 1.0, 20)[np.newaxis]
if os.environ["CALL"] == "train":
    print(train(data, data, hidden_size=2, solver="gd", alpha=0.0, max_epochs=3, seed=0).loss)
else:
    print(loss_and_gradient(Network.initialize(1, 2, 1, seed=0), data, data)[0])
print(len(pids), sum(os.path.exists(f"/proc/{pid}") for pid in pids))
print(sum(path.suffix != ".kernel" for path in kernel_cache.writable().iterdir()))
"""


def cold(folder, processors, n_bytes=0, call="loss_and_gradient"):
    variables = {"PROCESSORS": processors, "BYTES": n_bytes, "CALL": call}
    return run(COLD, NUMBA_CACHE_DIR=folder, **variables).splitlines()


def test_one_helps_with_a_whole_training(tmp_path):
    first = cold(tmp_path, processors=2, call="train")
    assert first[1:] == ["1 0", "0"]
    assert cold(tmp_path, processors=2, call="train") == [first[0], "0 0", "0"]


def test_a_first_call_with_two_processors_starts_one_and_leaves_none(tmp_path):
    alone = cold(tmp_path / "a", processors=1)
    assert alone[1:] == ["0 0", "0"]
    assert cold(tmp_path / "b", processors=2) == [alone[0], "1 0", "0"]
    assert cold(tmp_path / "b", processors=2) == alone, "all kernels are stored now"
    assert cold(tmp_path / "c", processors=2, n_bytes=1 << 60) == alone, "no memory for another"
