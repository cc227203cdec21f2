"""What a kernel is made of: every file that its module imports, and no file that stands above."""

from __future__ import annotations

import ast
import importlib.util
import os
import shutil

import pytest

from batchprop.compiler import source_digest
from tests.platforms import needs_links
from tests.project import SRC, files_in, imported, module, tree

MODULES = {module(path): path for path in files_in("src", ".py")}
PACKAGE = SRC / "batchprop"


def kernels(path):
    """Return the names of the functions of a file that are compiled as kernels."""
    return [
        node.name
        for node in tree(path).body
        if isinstance(node, ast.FunctionDef)
        and any(getattr(decorator, "id", "") == "kernel" for decorator in node.decorator_list)
    ]


WITH_KERNELS = [name for name, path in MODULES.items() if kernels(path)]


def everything_imported(start):
    """Return a module and all that it imports from the package, directly or not; its face aside."""
    found, todo = {start}, [start]
    while todo:
        for name in imported(MODULES[todo.pop()]):
            if name in MODULES and name != "batchprop" and name not in found:
                found.add(name)
                todo.append(name)
    return found


def load_copy(tmp_path):
    """Import the list of sources of a copy of the package, as a new process would see it."""
    copy = tmp_path / "batchprop"
    if not copy.exists():
        shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    place = copy / "compiler" / "source_digest.py"
    spec = importlib.util.spec_from_file_location("copied_sources", place)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def test_there_are_kernels_in_engine_and_solvers():
    assert len(WITH_KERNELS) >= 3
    assert {name.split(".")[1] for name in WITH_KERNELS} == {"engines", "linalg", "solvers"}


@pytest.mark.parametrize("name", WITH_KERNELS)
def test_all_that_a_kernel_can_be_made_of_counts(name):
    needed = {MODULES[each].relative_to(PACKAGE).as_posix() for each in everything_imported(name)}
    assert needed <= set(source_digest.source_files(name))


@pytest.mark.parametrize("name", WITH_KERNELS)
def test_what_stands_above_does_not_count(name):
    files = source_digest.source_files(name)
    assert not [file for file in files if file.startswith(("validation/", "gradient_check/"))]
    assert not [file for file in files if file.startswith("training/")]
    if ".solvers." not in name:
        assert not [file for file in files if file.startswith("solvers/")]


def test_a_kernel_outside_the_package_may_be_made_of_solvers():
    outside = source_digest.source_files("tests.solvers.lbfgs.test_iteration")
    assert "solvers/stopping.py" in outside
    assert outside == source_digest.source_files("batchprop.solvers.lbfgs.lbfgs_run")


def test_editing_any_counted_file_is_another_state(tmp_path):
    before = load_copy(tmp_path)
    for name in WITH_KERNELS:
        seen = {before.digest(name)}
        for file in before.source_files(name):
            path = tmp_path / "batchprop" / file
            original = path.read_bytes()
            path.write_bytes(original + b"\n")
            seen.add(load_copy(tmp_path).digest(name))
            path.write_bytes(original)
        assert len(seen) == 1 + len(before.source_files(name))
    assert load_copy(tmp_path).digest(name) == before.digest(name)


def test_a_new_file_counts_until_it_is_named_as_apart(tmp_path):
    before = load_copy(tmp_path)
    (tmp_path / "batchprop" / "engines" / "fused" / "brand_new.py").write_text("")
    (tmp_path / "batchprop" / "brand_new.py").write_text("")
    after = load_copy(tmp_path)
    for name in WITH_KERNELS:
        assert len(after.source_files(name)) == len(before.source_files(name)) + 2
        assert after.digest(name) != before.digest(name)


def test_editing_what_stands_above_keeps_the_kernels(tmp_path):
    before = load_copy(tmp_path)
    for file in (
        "__init__.py",
        "training/train.py",
        "validation/arrays.py",
        "engines/naive/activation_formulas.py",
    ):
        path = tmp_path / "batchprop" / file
        path.write_bytes(path.read_bytes() + b"\n")
    after = load_copy(tmp_path)
    for name in WITH_KERNELS:
        assert after.digest(name) == before.digest(name)
        assert not before.changed(name)


def test_an_edit_after_the_import_is_noticed(tmp_path):
    loaded = load_copy(tmp_path)
    path = tmp_path / "batchprop" / "solvers" / "first_order" / "update_rules.py"
    text = path.read_bytes()
    path.write_bytes(text.replace(b"0", b"1", 1))
    assert loaded.changed("batchprop.solvers.first_order.first_order_run")
    assert not loaded.changed("batchprop.engines.fused.thread_team")
    path.write_bytes(text)
    os.utime(path, ns=(0, 0))
    assert loaded.changed("batchprop.solvers.first_order.first_order_run")


def test_without_sources_nothing_is_known(tmp_path, monkeypatch):
    monkeypatch.setattr(source_digest, "_FILES", {})
    source_digest.source_files.cache_clear()
    try:
        assert source_digest.changed("batchprop.engines.fused.thread_team")
    finally:
        source_digest.source_files.cache_clear()


@needs_links
def test_a_broken_link_among_the_sources_is_no_error(tmp_path):
    before = load_copy(tmp_path)  # editors leave such links beside a file that is open
    (tmp_path / "batchprop" / "engines" / "fused" / ".#packing.py").symlink_to("nobody@nowhere.1")
    assert load_copy(tmp_path).digest("batchprop.solvers.x") == before.digest("batchprop.solvers.x")
