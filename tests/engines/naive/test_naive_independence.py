"""The definition shares nothing with what it is used to judge."""

from __future__ import annotations

import ast
from pathlib import Path

from batchprop.engines import naive

FILES = sorted(Path(naive.__file__).parent.glob("*.py"))
PLAIN = {"__future__", "collections.abc", "math", "typing"}
OWN = "batchprop.engines.naive"
BOUNDARY = "__init__.py"  # the one file that sees arrays


def imported_modules(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            yield node.module


def is_own(module):
    return module == OWN or module.startswith(OWN + ".")


def test_imports_nothing_but_plain_python():
    offenders = {}
    for path in FILES:
        modules = set(imported_modules(ast.parse(path.read_text("utf-8"))))
        allowed = PLAIN | {"batchprop.parameters"}
        if path.name == BOUNDARY:
            allowed |= {"numpy", "numpy.typing"}
        offenders[path.name] = {name for name in modules if not is_own(name)} - allowed
    assert offenders
    assert not {name: modules for name, modules in offenders.items() if modules}


def test_only_the_boundary_and_the_layout_know_the_rest_of_the_package():
    for path in FILES:
        modules = set(imported_modules(ast.parse(path.read_text("utf-8"))))
        if path.name not in (BOUNDARY, "theta_layout.py"):
            assert "batchprop.parameters" not in modules, path.name


def test_numpy_is_used_for_conversion_only():
    tree = ast.parse((Path(naive.__file__).parent / BOUNDARY).read_text("utf-8"))
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "np"
    }
    assert used == {"dtype", "empty", "errstate"}
    arithmetic = [node for node in ast.walk(tree) if isinstance(node, ast.BinOp)]
    unions = [node for node in arithmetic if isinstance(node.op, ast.BitOr)]  # "int | None"
    assert arithmetic == unions


def test_only_the_shape_is_taken_from_the_parameters():
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "batchprop.parameters":
                assert [alias.name for alias in node.names] == ["Shape"]
