"""Compiled kernels on disk: found again, never stale, and only ever a convenience."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import os
import pickle
import shutil
import sys

import numba
import numpy as np
import pytest
from numba.core import config, event

from batchprop.engines.fused import cache
from tests.engines.fused.processes import COUNT_COMPILATIONS, finish, run, start
from tests.project import SRC

ANSWER = """
from batchprop.engines.fused.jit import kernel

@kernel
def answer(x):
    return x + 1.5
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder for this test's kernels."""
    place = tmp_path / "kernels"
    place.mkdir()
    monkeypatch.setattr(cache, "places", lambda: (place,))
    monkeypatch.setattr(cache, "writable", lambda: place)
    # Python takes a file of the same size, written in the same second, for the same file
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return place


def answer(tmp_path, argument=1.0, text=ANSWER):
    """Run the small kernel as a process that has just imported it; tell whether it compiled."""
    path = tmp_path / "user_kernels.py"
    path.write_text(text)
    spec = importlib.util.spec_from_file_location("user_kernels", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with event.install_recorder("numba:compile") as recorder:
        value = module.answer(argument)
    return value, bool(recorder.buffer)


def test_a_kernel_is_compiled_once_and_then_found(tmp_path, folder):
    assert answer(tmp_path) == (2.5, True)
    assert [path.suffix for path in folder.iterdir()] == [".kernel"]
    assert answer(tmp_path) == (2.5, False)
    assert answer(tmp_path, np.float32(1)) == (2.5, True)  # another signature
    assert len(list(folder.iterdir())) == 2


def test_a_kernel_outside_the_package_is_not_stale_either(tmp_path, folder):
    answer(tmp_path)
    assert answer(tmp_path, text=ANSWER.replace("1.5", "2.5")) == (3.5, True)
    assert answer(tmp_path) == (2.5, False)


def other_pickle(data):
    content = pickle.dumps("something else")
    return hashlib.sha256(content).digest() + content


DAMAGE = {
    "empty": lambda data: b"",
    "truncated": lambda data: data[: len(data) // 2],
    "one bit": lambda data: data[:100] + bytes([data[100] ^ 1]) + data[101:],
    "nothing but zeros": lambda data: bytes(len(data)),
    "another thing": other_pickle,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_ignored_and_replaced(tmp_path, folder, damage):
    answer(tmp_path)
    (path,) = folder.iterdir()
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    assert answer(tmp_path) == (2.5, True)
    assert answer(tmp_path) == (2.5, False)


def test_whatever_stands_in_the_file_s_place_is_no_error(tmp_path, folder):
    answer(tmp_path)
    (path,) = folder.iterdir()
    path.unlink()
    path.mkdir()
    assert answer(tmp_path) == (2.5, True)
    assert list(folder.iterdir()) == [path]  # neither a half-written file is left nor a lock


def test_a_source_that_changed_since_the_import_is_not_compiled_for_others(
    tmp_path, folder, monkeypatch
):
    answer(tmp_path)
    monkeypatch.setattr(cache, "changed", lambda module: True)
    assert answer(tmp_path) == (2.5, True)
    (path,) = folder.iterdir()
    path.unlink()
    assert answer(tmp_path) == (2.5, True)
    assert not list(folder.iterdir())


@pytest.mark.parametrize("setting", ["OPT", "SLP_VECTORIZE", "DEBUGINFO_DEFAULT"])
def test_settings_of_the_compiler_count(tmp_path, folder, monkeypatch, setting):
    answer(tmp_path)
    monkeypatch.setattr(config, setting, 1 - bool(getattr(config, setting)))
    assert answer(tmp_path) == (2.5, True)


def test_versions_count(tmp_path, folder, monkeypatch):
    answer(tmp_path)
    monkeypatch.setattr(numba, "__version__", "0.999.0")
    assert answer(tmp_path) == (2.5, True)


def test_no_more_than_some_files_of_a_kernel_are_kept(tmp_path, folder, monkeypatch):
    monkeypatch.setattr(cache, "_KEPT", 3)
    (folder / "other-1.kernel").touch()
    texts = [ANSWER.replace("1.5", f"{k}.5") for k in range(5)]
    for age, text in enumerate(texts):
        answer(tmp_path, text=text)
        for path in folder.iterdir():  # a file system may keep whole seconds only
            os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 10))
        if age >= 1:
            assert not answer(tmp_path, text=texts[0])[1], "what is in use is not deleted"
    assert len(list(folder.glob("user_kernels.answer-*.kernel"))) == 3
    assert (folder / "other-1.kernel").exists()


@pytest.mark.parametrize("chosen", [True, False])
def test_folders_in_their_order(tmp_path, monkeypatch, chosen):
    monkeypatch.setattr(cache, "PACKAGE", tmp_path / "package")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    if chosen:
        monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "chosen"))
    else:
        monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setattr(cache, "places", cache.places.__wrapped__)
    tops = [tmp_path / "chosen"] if chosen else [tmp_path / "package", tmp_path / "home"]
    names = [path.relative_to(tmp_path).as_posix() for path in cache.places()]
    if chosen:
        assert names == ["chosen/batchprop-kernels"]
    else:
        assert names == ["package/__pycache__/batchprop-kernels", "home/batchprop-kernels"]
    for top, folder in zip(tops, cache.places(), strict=True):
        assert cache.writable.__wrapped__() == folder
        shutil.rmtree(top)
        top.write_text("a file, so that no folder can be made here")
    assert cache.writable.__wrapped__() is None


def test_a_user_without_a_home_has_no_cache_folder(monkeypatch):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    assert [folder.parent.name for folder in cache.places.__wrapped__()] == ["__pycache__"]


def test_kernels_are_found_where_nothing_can_be_written(tmp_path, folder, monkeypatch):
    """As in an image that was warmed up when it was built and is read-only when it runs."""
    answer(tmp_path)
    monkeypatch.setattr(cache, "places", lambda: (tmp_path / "nothing here", folder))
    monkeypatch.setattr(cache, "writable", lambda: None)
    assert answer(tmp_path) == (2.5, False)
    assert answer(tmp_path, np.float32(1)) == (2.5, True)
    assert len(list(folder.iterdir())) == 1


def test_a_damaged_file_does_not_hide_a_good_one(tmp_path, folder, monkeypatch):
    answer(tmp_path)
    (path,) = folder.iterdir()
    other = tmp_path / "other"
    other.mkdir()
    (other / path.name).write_bytes(b"damaged")
    monkeypatch.setattr(cache, "places", lambda: (other, folder))
    assert answer(tmp_path) == (2.5, False)


USE_EVERYTHING = """
import numpy as np, batchprop
X = np.linspace(-1, 1, 300).reshape(3, 100)
for dtype in ("float32", "float64"):
    net = batchprop.train(X, X[:2], hidden_size=5, max_epochs=3, dtype=dtype).network
    loss, gradient = batchprop.loss_and_gradient(net, X, X[:2])
    net.predict(X)
"""


def test_a_second_process_compiles_nothing():
    run(USE_EVERYTHING)
    assert run(COUNT_COMPILATIONS + USE_EVERYTHING + "print(counted())").split() == ["0"]


SHOW = (
    COUNT_COMPILATIONS
    + """
import numpy as np, batchprop
X = np.linspace(-1, 1, 300).reshape(3, 100)
net = batchprop.Network.initialize(3, 5, 2, "tanh")
loss, gradient = batchprop.loss_and_gradient(net, X, X[:2])
print(counted() > 0, np.abs(net.predict(X)).sum(), np.abs(gradient.b_h).sum())
"""
)


def without(name, file):
    """Return a definition that, put at the end of a file, makes one of its helpers do nothing."""
    (found,) = (
        node
        for node in ast.parse(file.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name == name
    )
    found.body = [ast.Pass()]
    return f"\n\n{ast.unparse(found)}\n"


def edited(folder, name, text):
    """Copy the package, with text added to one file of the engine."""
    copy = folder / "batchprop"
    shutil.copytree(SRC / "batchprop", copy, ignore=shutil.ignore_patterns("__pycache__"))
    with (copy / "engines" / "fused" / name).open("a", encoding="utf-8") as file:
        file.write(text)
    return folder


def test_an_edited_kernel_file_is_never_stale(tmp_path):
    kernels, home = tmp_path / "kernels", SRC / "batchprop" / "engines" / "fused"
    run(SHOW)
    shutil.copytree(cache.writable(), kernels / "batchprop-kernels")
    edits = {
        "sigma.py": "\nFORMULAS['tanh'] = (lambda z: z, tanh_slope)\n",
        "hidden.py": without("delta_of_outputs", home / "hidden.py"),
        "products.py": without("affine", home / "products.py"),
        "process.py": "",
    }
    running = {
        name: start(SHOW, package=edited(tmp_path / name, name, text), NUMBA_CACHE_DIR=kernels)
        for name, text in edits.items()
    }
    found = {name: finish(process).split() for name, process in running.items()}
    compiled, outputs, db_h = found.pop("process.py")
    assert compiled == "False", "a copy of the same sources shares the kernels"
    assert all(compiled == "True" for compiled, *_ in found.values())
    assert float(found["sigma.py"][1]) != float(outputs)
    assert float(found["hidden.py"][2]) == 0 < float(db_h)
    assert float(found["products.py"][1]) == 0 < float(outputs)
