"""The page "In scikit-learn" names every parameter, attribute and default of ``MLPRegressor``."""

from __future__ import annotations

import re

import numpy as np
import pytest
from sklearn.neural_network import MLPRegressor

from batchprop.sklearn import BatchMLPRegressor, dense_inputs
from tests.project import ROOT

PAGE = (ROOT / "docs" / "sklearn.md").read_text("utf-8")
X = np.random.default_rng(0).normal(size=(40, 2))
Y = X[:, 0] * X[:, 1]


def rows(title):
    """Return the rows of the table below a title, each a list of cells."""
    text = PAGE.split(f"### {title}\n")[1].split("\n#")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def quoted(cells):
    return {name for cell in cells for name in re.findall(r"`(\w+)", cell)}


def test_every_parameter_is_named():
    named = quoted(row[0] for row in rows("Parameters"))
    assert set(MLPRegressor().get_params()) <= named
    assert quoted(row[1] for row in rows("Parameters")) & set(BatchMLPRegressor().get_params())


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_every_attribute_is_named():
    named = quoted(row[0] for row in rows("Attributes"))
    model = MLPRegressor(hidden_layer_sizes=(3,), max_iter=3, early_stopping=True).fit(X, Y)
    theirs = {name for name in vars(model) if name.endswith("_") and not name.startswith("_")}
    assert theirs - {"feature_names_in_"} <= named
    ours = BatchMLPRegressor(hidden_size=3, max_iter=3, early_stopping=True).fit(X, Y)
    the_same = [row[0] for row in rows("Attributes") if row[1].startswith("the same")]
    assert len(the_same) > 3
    assert not [
        name for name in quoted(the_same) - {"feature_names_in_"} if not hasattr(ours, name)
    ]


def test_all_defaults_that_differ_are_there():
    theirs, ours = MLPRegressor().get_params(), BatchMLPRegressor().get_params()
    table = {}
    for name, *values in rows("Other defaults"):
        names = re.findall(r"`(\w+)`", name)
        table[names[0] if names else "hidden_layer_sizes"] = [value.strip("`") for value in values]
    for name, value in theirs.items():
        if name in ours and name != "learning_rate" and value != ours[name]:
            assert table[name] == [repr(value), repr(ours[name])]
    for name in table:
        assert table[name][0].rstrip(")").rstrip(",") == repr(theirs[name]).rstrip(")").rstrip(",")
    assert table["hidden_layer_sizes"][1] == repr(ours["hidden_size"])
    assert table["learning_rate_init"][1] == repr(ours["learning_rate"])


def test_the_largest_dense_array_is_the_one_that_is_stated():
    assert dense_inputs.MAX_DENSE_BYTES == 2**30
    assert "at most 1 GiB" in " ".join(PAGE.split())
