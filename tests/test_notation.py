"""docs/notation.md lists symbols that the code has, and the docs use each letter as it says."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from batchprop import parameters
from tests.project import ROOT, SRC, files, files_in, name_of, tree
from tests.test_architecture import defined

PACKAGE = SRC / "batchprop"
PAGE = ROOT / "docs" / "notation.md"
ROWS = [
    [cell.strip() for cell in line.split("|")[1:-1]]
    for line in PAGE.read_text("utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| symbol")
]
SYMBOLS = [(row[0], re.findall(r"`(\w+)`", row[3]), row[4].strip("`")) for row in ROWS]

TEXTS = [path for path in files() if path.suffix == ".md"] + files_in("src", ".py")
# What a letter must not stand for, and where.
OTHERWISE = {
    "J is the Jacobian, the objective is F": (
        r"∂J\b|\bJ\(θ\)|\bJ = L|\bminimi[sz]es (this )?J\b|\bpenalised J\b|\bJ (falls|has not)\b"
        r"|\b(falls?|rounding|decrease|evaluations?|minimum) of J\b"
        r"|\bis J\b|^(?!.*(Jacobian|JᵀJ)).*\bJ[,;)](\s|$)",
        "",
    ),
    "σ is the activation, a deviation is std": (r"σ²|σ_[xt]\b|1/σ\b|/ σ\b|where σ is 0", ""),
    "λ is the damping, μ the momentum": ("μ", "src/batchprop/solvers/levenberg_marquardt/"),
    "L-BFGS has pairs Δθ, Δg": (r"\bsᵀy|yᵀy|\(s, y\)|\bH₀", ""),
    "Z is the pre-activations, the evidence has no letter": (r"log Z\b|evidence Z\b", "docs/"),
    "γ is the number of effective parameters": (r"γ I\b|factor γ", ""),
    "K is the precision, not a number": (r"\bK (networks|directions|starts)|K·m|\(K,\)", ""),
    "the three sums are Q_hh, Q_hy, Q_yy": (r"\b[ABD]\[[kl],", ""),
}


@cache
def identifiers(path):
    """Return the names of variables, arguments, attributes and functions in a file."""
    fields = ("id", "arg", "attr", "name")
    values = {getattr(node, field, None) for node in ast.walk(tree(path)) for field in fields}
    return {value for value in values if isinstance(value, str)}


@cache
def all_identifiers():
    return set().union(*map(identifiers, files_in("src", ".py")))


def test_the_page_has_rows():
    assert len(SYMBOLS) > 40
    assert all(len(row) == 5 for row in ROWS)


@pytest.mark.parametrize(("symbol", "names", "place"), SYMBOLS, ids=[row[0] for row in SYMBOLS])
def test_a_symbol_has_the_name_that_the_page_says(symbol, names, place):
    file, name = place.split(":")
    assert name in defined(PACKAGE / file), place
    assert set(names) <= all_identifiers()
    assert not names or set(names) & identifiers(PACKAGE / file)


def test_the_docstring_has_the_symbols_of_the_page():
    short = re.findall(r"[^\s,()=]+", parameters.__doc__ or "")
    for symbol, _, _ in SYMBOLS:
        if symbol not in ("~", "C", "y″"):
            assert set(symbol.split(", ")) <= set(short), symbol


@pytest.mark.parametrize("rule", OTHERWISE)
def test_no_letter_stands_for_something_else(rule):
    pattern, folder = OTHERWISE[rule]
    texts = {name_of(path): path.read_text("utf-8") for path in TEXTS}
    assert not [
        f"{name}:{number}: {line}"
        for name, text in texts.items()
        for number, line in enumerate(text.splitlines(), 1)
        if name.startswith(folder) and re.search(pattern, line)
    ]
