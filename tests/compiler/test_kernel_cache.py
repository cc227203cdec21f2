"""Compiled kernels on disk: found again, never stale, and only ever a convenience."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import os
import pickle
import re
import shutil
import sys

import numba
import numpy as np
import pytest
from numba import types
from numba.core import config, event

from batchprop.compiler import kernel_cache
from batchprop.compiler.jit import kernel
from tests.engines.fused.processes import COUNT_COMPILATIONS, finish, run, start
from tests.project import SRC

ANSWER = """
from batchprop.compiler.jit import kernel

@kernel
def answer(x):
    return x + 1.5
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder for this test's kernels."""
    place = tmp_path / "kernels"
    place.mkdir()
    monkeypatch.setattr(kernel_cache, "candidate_folders", lambda: (place,))
    monkeypatch.setattr(kernel_cache, "writable", lambda: place)
    # Python takes a file of the same size, written in the same second, for the same file
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return place


def answer(tmp_path, argument=1.0, text=ANSWER, name="user_kernels"):
    """Run the small kernel as a process that has just imported it; tell whether it compiled."""
    path = tmp_path / "user_kernels.py"
    path.write_text(text)
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # numba asks for it there
    try:
        spec.loader.exec_module(module)
        with event.install_recorder("numba:compile") as recorder:
            value = module.answer(argument)
    finally:
        del sys.modules[name]
    return value, bool(recorder.buffer)


def test_a_kernel_is_compiled_once_and_then_found(tmp_path, folder):
    assert answer(tmp_path) == (2.5, True)
    assert [path.suffix for path in folder.iterdir()] == [".kernel"]
    assert answer(tmp_path) == (2.5, False)
    assert answer(tmp_path, np.float32(1)) == (2.5, True)  # another signature
    assert len(list(folder.iterdir())) == 2


def test_where_a_kernel_will_be_stored_and_whether_it_is(tmp_path, folder, monkeypatch):
    @kernel
    def twice(x):
        return 2.0 * x

    signature = (types.float64,)
    place = twice._cache.place_if_missing(signature, twice.targetctx)
    assert place.parent == folder
    twice(1.0)
    assert list(folder.iterdir()) == [place]
    assert twice._cache.place_if_missing(signature, twice.targetctx) is None
    place.unlink()
    with monkeypatch.context() as edited:
        edited.setattr(kernel_cache, "changed", lambda module: True)
        assert twice._cache.place_if_missing(signature, twice.targetctx) is None
    monkeypatch.setattr(kernel_cache, "writable", lambda: None)
    assert twice._cache.place_if_missing(signature, twice.targetctx) is None


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
    monkeypatch.setattr(kernel_cache, "changed", lambda module: True)
    assert answer(tmp_path) == (2.5, True)
    (path,) = folder.iterdir()
    path.unlink()
    assert answer(tmp_path) == (2.5, True)
    assert not list(folder.iterdir())


def of_the_package(name, constant):
    """Compile a kernel as if it stood in a module of the package, whose sources are one state."""
    namespace = {"__name__": name}
    place = str(kernel_cache.PACKAGE / "engines" / "fused" / "backward.py")
    exec(compile(ANSWER.replace("1.5", f"{constant}"), place, "exec"), namespace)
    return namespace["answer"]


def test_kernels_of_two_modules_with_one_last_name_are_two(folder):
    names = (
        "batchprop.engines.fused.backward",
        "batchprop.engines.another.backward",
    )
    for _ in range(2):  # compiled, then found
        for constant, name in enumerate(names):
            assert of_the_package(name, constant + 0.5)(1.0) == 1.5 + constant
    assert len(list(folder.glob("backward.answer-*.kernel"))) == 2


def test_what_is_kept_of_one_is_not_counted_for_the_other(tmp_path, folder, monkeypatch):
    monkeypatch.setattr(kernel_cache, "_MAX_FILES", 1)
    for k, name in enumerate(("first.user_kernels", "second.user_kernels")):
        for text in (ANSWER, ANSWER.replace("1.5", "2.5")):
            answer(tmp_path, text=text, name=name)
        assert len(list(folder.glob("user_kernels.answer-*.kernel"))) == k + 1


FACTORY = """
from batchprop.compiler.jit import kernel

def make(constant):
    @kernel
    def answer(x):
        return x + constant
    return answer

def answer(x):
    return 10 * make({first})(x) + make(2.0)(x)
"""


def test_kernels_that_one_function_makes_are_two(tmp_path, folder):
    """They have name, line and instructions in common, not what they captured."""
    assert answer(tmp_path, text=FACTORY.format(first="1.0")) == (23.0, True)
    assert answer(tmp_path, text=FACTORY.format(first="1.0")) == (23.0, False)
    kept = list(folder.iterdir())
    assert len(kept) == 2
    assert all(re.fullmatch(r"[\w.]+-[0-9a-f]+-[0-9a-f]+\.kernel", path.name) for path in kept)


def test_a_kernel_whose_captured_value_says_nothing_is_not_kept(tmp_path, folder):
    text = FACTORY.format(first="1.0").replace("make(2.0)", "make(numpy.array([2.0]))")
    text = text.replace("x + constant", "x + constant[0]").replace("make(1.0)", "make((1.0,))")
    assert answer(tmp_path, text=f"import numpy{text}") == (23.0, True)
    assert len(list(folder.iterdir())) == 1


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
    monkeypatch.setattr(kernel_cache, "_MAX_FILES", 3)
    (folder / "other-1.kernel").touch()
    texts = [ANSWER.replace("1.5", f"{k}.5") for k in range(5)]
    for age, text in enumerate(texts):
        answer(tmp_path, text=text)
        for path in folder.iterdir():  # a file system may keep whole seconds only
            os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 10))
        if age >= 1:
            assert not answer(tmp_path, text=texts[0])[1], "what is in use is not deleted"
    assert len(list(folder.glob("user_kernels.answer-*-*.kernel"))) == 3
    assert (folder / "other-1.kernel").exists()


def test_kernels_are_found_where_nothing_can_be_written(tmp_path, folder, monkeypatch):
    """As in an image that was warmed up when it was built and is read-only when it runs."""
    answer(tmp_path)
    monkeypatch.setattr(
        kernel_cache, "candidate_folders", lambda: (tmp_path / "nothing here", folder)
    )
    monkeypatch.setattr(kernel_cache, "writable", lambda: None)
    assert answer(tmp_path) == (2.5, False)
    assert answer(tmp_path, np.float32(1)) == (2.5, True)
    assert len(list(folder.iterdir())) == 1


def test_a_damaged_file_does_not_hide_a_good_one(tmp_path, folder, monkeypatch):
    answer(tmp_path)
    (path,) = folder.iterdir()
    other = tmp_path / "other"
    other.mkdir()
    (other / path.name).write_bytes(b"damaged")
    monkeypatch.setattr(kernel_cache, "candidate_folders", lambda: (other, folder))
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
    """Copy the package, with text added to one file."""
    copy = folder / "batchprop"
    shutil.copytree(SRC / "batchprop", copy, ignore=shutil.ignore_patterns("__pycache__"))
    with (copy / name).open("a", encoding="utf-8") as file:
        file.write(text)
    return folder


def test_an_edited_kernel_file_is_never_stale(tmp_path):
    kernels, home = tmp_path / "kernels", SRC / "batchprop"
    run(SHOW)
    shutil.copytree(kernel_cache.writable(), kernels / "batchprop-kernels")
    edits = {
        "engines/fused/activation_kernels.py": "\nFORMULAS['tanh'] = (lambda z: z, tanh_delta)\n",
        "engines/fused/hidden_layer.py": without(
            "delta_several_outputs", home / "engines/fused/hidden_layer.py"
        ),
        "linalg/matmul.py": without("affine", home / "linalg/matmul.py"),
        "engines/fused/backward.py": "",
    }
    running = {
        name: start(SHOW, package=edited(tmp_path / str(k), name, text), NUMBA_CACHE_DIR=kernels)
        for k, (name, text) in enumerate(edits.items())
    }
    found = {name: finish(process).split() for name, process in running.items()}
    compiled, outputs, db_h = found.pop("engines/fused/backward.py")
    assert compiled == "False", "a copy of the same sources shares the kernels"
    assert all(compiled == "True" for compiled, *_ in found.values())
    assert float(found["engines/fused/activation_kernels.py"][1]) != float(outputs)
    assert float(found["engines/fused/hidden_layer.py"][2]) == 0 < float(db_h)
    assert float(found["linalg/matmul.py"][1]) == 0 < float(outputs)


def test_functions_that_differ_in_a_name_alone_are_two():
    """One line of one module, with the same instructions."""
    made = []
    for name in ("real", "imag"):
        space = {"__name__": "some.module"}
        exec(f"def answer(x):\n    return x.{name}", space)
        made.append(space["answer"])
    first, second = made
    assert first.__code__.co_code == second.__code__.co_code
    assert kernel_cache._identity(first) != kernel_cache._identity(second)
