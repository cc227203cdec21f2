"""CONTRIBUTING.md names files that exist, and every file that a new activation must be added to."""

from __future__ import annotations

import ast
import re

from batchprop.activations import ACTIVATIONS
from tests.project import ROOT, SRC, files, files_in, name_of, tree

TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
RECIPE = TEXT[TEXT.index("## Add an activation") : TEXT.index("## Add a solver")]
NAMED = set(re.findall(r"(?<![\w*/])[\w/]+\.(?:py|md|toml|lock)\b", TEXT))


def names_in(path):
    """Return the activations that a file of Python names in code, docstrings aside."""
    strings = {node.value for node in ast.walk(tree(path)) if isinstance(node, ast.Constant)}
    return strings & set(ACTIVATIONS)


def lists_all(path):
    """Tell whether the text of a file has all names."""
    return set(ACTIVATIONS) <= set(re.findall(r"\w+", path.read_text("utf-8")))


def test_every_file_that_is_named_exists():
    assert len(NAMED) > 20
    for name in NAMED:
        assert (ROOT / name).exists() or (SRC / "batchprop" / name).exists(), name


def test_the_recipe_for_an_activation_names_every_place():
    places = [path for path in files_in("src", ".py") if "softsign" in names_in(path)]
    for folder in ("tests", "tools"):
        places += [path for path in files_in(folder, ".py") if names_in(path) == set(ACTIVATIONS)]
    places += [path for path in files() if path.suffix == ".md" and lists_all(path)]
    assert len(places) > 15
    for path in places:
        assert name_of(path).removeprefix("src/batchprop/") in RECIPE


def test_the_recipe_names_the_docstrings_that_list_activations():
    texts = [path for path in files_in("src", ".py") if "softsign" not in names_in(path)]
    assert {path.stem for path in texts if lists_all(path)} == {"train", "network", "estimator"}
    for name in ("`train`", "`Network`", "`BatchMLPRegressor`"):
        assert name in RECIPE
