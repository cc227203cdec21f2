"""docs/architecture.md names every part, and each place that it names exists."""

from __future__ import annotations

import ast
import re

from tests.project import ROOT, SRC, tree
from tests.test_house_rules import LAYERS

TEXT = (ROOT / "docs" / "architecture.md").read_text("utf-8")
PACKAGE = SRC / "batchprop"
PLACES = sorted(set(re.findall(r"`([\w/]+\.py):(\w+)`", TEXT)))
FILES = sorted(set(re.findall(r"`([\w/]+\.py)`", TEXT)))


def defined(path):
    kinds = ast.FunctionDef | ast.ClassDef
    return {node.name for node in ast.walk(tree(path)) if isinstance(node, kinds)}


def test_a_formula_is_where_the_page_says():
    assert not [f"{file}:{name}" for file, name in PLACES if name not in defined(PACKAGE / file)]


def test_every_file_that_is_named_exists():
    assert len(PLACES) > 30
    known = {path.name for path in PACKAGE.rglob("*.py")}
    for file in FILES:
        if "/" in file:
            assert (PACKAGE / file).exists() or (ROOT / file).exists(), file
        else:
            assert file in known, file


def test_every_part_is_on_the_map():
    table = TEXT[TEXT.index("## The map") : TEXT.index("## The path of X")]
    for layer in LAYERS:
        assert f"`{layer}/`" in table or f"`{layer}.py`" in table, layer
