"""The Portuguese page and notebooks have the structure and the results of the English ones."""

from __future__ import annotations

import doctest
import re
from dataclasses import fields

import nbformat
import pytest

from tests.test_derivation_doc import slug
from tests.translations import (
    DOCS,
    PAIRS,
    Structure,
    differences,
    of_notebook,
    of_page,
    structure_of,
)

PAGE = "derivation.md"
TEXT = (DOCS / PAGE).read_text("utf-8")
NOTEBOOKS = [name for name in PAIRS if name.endswith(".ipynb")]


@pytest.mark.parametrize("name", PAIRS)
def test_translation_has_the_structure_of_the_original(name):
    faults = list(differences(structure_of(name), structure_of(PAIRS[name])))
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("name", [*PAIRS, *PAIRS.values()])
def test_pictures_and_linked_files_exist(name):
    structure = structure_of(name)
    assert all(path.exists() for path in structure.pictures)
    assert all(path.exists() for section in structure.links for path in section)


def test_anchors_of_the_translation_lead_to_headings():
    translation = (DOCS / PAIRS[PAGE]).read_text("utf-8")
    anchors = {slug(heading) for heading in re.findall(r"^#+ (.+)$", translation, re.MULTILINE)}
    links = set(re.findall(r"\]\(#([^)]+)\)", translation))
    assert len(links) > 10
    assert links <= anchors


@pytest.mark.parametrize("name", PAIRS)
def test_every_part_of_the_structure_is_there(name):
    structure = structure_of(name)
    assert all(getattr(structure, part.name) for part in fields(Structure))
    assert sum(structure.pauses) >= 3
    assert len(structure.exercises) == sum(structure.answers) >= 3
    assert structure.exercises == [str(1 + n) for n in range(len(structure.exercises))]


def test_every_translation_is_compared():
    pages = {path for path in (DOCS / "pt").rglob("*") if path.suffix in (".md", ".ipynb")}
    assert pages == {DOCS / "pt" / "index.md", *(DOCS / name for name in PAIRS.values())}


CHANGES = {  # what a translation must not do, and the part that tells
    "a heading of another level": (
        r"^### Names?.*|^### Exercises on the chain",
        "## X",
        "headings",
    ),
    "a result without its number": ("## Result 8:", "## Result 7:", "numbered"),
    "another equation": (r"\\sigma'\(z_i\[3\]\) \\, x_i\n```", "x_i\n```", "equations"),
    "another formula in the text": (
        r"twice\n?.*\$2 \\cdot 0\.01|\$u v\^\\top\$",
        "$v$",
        "formulas",
    ),
    "other code": (r"step=1e-5", "step=1e-4", "code"),
    "another result": (r"^measured 0\.20869", "measured 0.2088", "printed"),
    "no pause": (r"^> \*\*Pause and think\.\*\*", "> ", "pauses"),
    "an exercise less": (r"^\*\*Exercise 5\.\*\*", "", "exercises"),
    "an answer less": (r"^<details><summary>Answer</summary>", "", "answers"),
    "another picture": (
        r"images/derivation-chain\.png",
        "images/derivation-network.png",
        "pictures",
    ),
    "another link": (r"naive/chain_rule\.py", "naive/scalar.py", "links"),
    "a row less": (r"^\| relu .*\n", "", "tables"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_noticed(change):
    """Negative control: each change is of one place, and the part that it concerns differs."""
    pattern, replacement, part = CHANGES[change]
    changed, count = re.subn(pattern, replacement, TEXT, count=1, flags=re.MULTILINE)
    assert count == 1
    faults = list(differences(of_page(DOCS / PAGE, TEXT), of_page(DOCS / PAGE, changed)))
    assert [line for line in faults if line.startswith(part)]


def test_a_change_of_a_notebook_is_noticed():
    path = DOCS / NOTEBOOKS[0]
    notebook = nbformat.read(path, as_version=4)
    original = of_notebook(path, notebook)
    cell = next(cell for cell in notebook.cells if "learning_rate=0.1" in cell.source)
    cell.source = cell.source.replace("learning_rate=0.1", "learning_rate=0.2")
    assert list(differences(original, of_notebook(path, notebook)))
    cell.source = cell.source.replace("learning_rate=0.2", "learning_rate=0.1")
    cell.source = cell.source.replace("steps: L", "passos: L")
    assert not list(differences(original, of_notebook(path, notebook)))  # words may differ


def test_words_are_translated():
    """No sentence of the original stands in the translation."""
    translation = (DOCS / PAIRS[PAGE]).read_text("utf-8")
    for text in (TEXT, translation):
        assert len(text) > 20_000
    english = re.compile(r"\b(the|is|are|which|with|weight of|says)\b", re.IGNORECASE)
    prose = re.sub(r"```.*?^```|`[^`]*`|<!--.*?-->", "", translation, flags=re.S | re.M)
    assert not english.findall(prose)


def test_what_the_translation_prints_is_what_it_shows():
    translation = (DOCS / PAIRS[PAGE]).read_text("utf-8")
    faults, names = [], {}
    runner = doctest.DocTestRunner(verbose=False)
    for code in re.findall(r"^```pycon\n(.*?)^```", translation, flags=re.M | re.S):
        block = doctest.DocTestParser().get_doctest(code, names, "block", PAIRS[PAGE], 0)
        runner.run(block, out=faults.append, clear_globs=False)
        names = block.globs
    assert not faults, "".join(faults)
    assert runner.tries > 50
