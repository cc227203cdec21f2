"""The structure of a page or notebook, by which a translation is compared with its original."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path

import nbformat

from tests.project import ROOT

# Pages and notebooks that exist in two languages, below docs.
PAIRS = {
    "derivation.md": "pt/derivacao.md",
    "notebooks/1-scalar-backpropagation.ipynb": "pt/notebooks/1-retropropagacao-escalar.ipynb",
    "notebooks/2-matrix-form.ipynb": "pt/notebooks/2-forma-matricial.ipynb",
}
DOCS = ROOT / "docs"
PAUSE = re.compile(r"^> \*\*(?:Pause and think|Pare e pense)\.\*\*", re.MULTILINE)
EXERCISE = re.compile(r"^\*\*(?:Exercise|Exercício) (\d+)\.\*\*", re.MULTILINE)
ANSWER = re.compile(
    r"^<details><summary>(?:Answer|Resposta)</summary>|^\*\*(?:Answer|Resposta) \d+\.\*\*",
    re.MULTILINE,
)
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
DISPLAY = re.compile(r"\$\$(.*?)\$\$", re.DOTALL)
INLINE = re.compile(r"\$([^$\n]+)\$")
LINK = re.compile(r"(?<!!)\[[^\[\]]*(?:\[[^\]]*\][^\[\]]*)*\]\(([^)#\s]+)")
PICTURE = re.compile(r"!\[(.*)\]\(([^)\s]+)\)")


@dataclass
class Structure:
    """What a page and its translation have in common."""

    headings: list[int] = field(default_factory=list)  # their levels
    numbered: list[str] = field(default_factory=list)  # numbers in headings
    equations: list[str] = field(default_factory=list)
    formulas: list[Counter[str]] = field(default_factory=list)  # in the text, section by section
    code: list[str] = field(default_factory=list)
    printed: list[list[float]] = field(default_factory=list)  # the numbers in its output
    pauses: list[int] = field(default_factory=list)  # section by section
    exercises: list[str] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    pictures: list[Path] = field(default_factory=list)
    links: list[Counter[Path]] = field(default_factory=list)  # the files that a section leads to
    tables: list[int] = field(default_factory=list)  # rows of tables, section by section


class _NoWords(ast.NodeTransformer):
    """Replaces the text in strings, which a translation may change."""

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        return ast.Constant("") if isinstance(node.value, str) else node


def without_words(code: str) -> str:
    """Return some code without the text in its strings and without its layout."""
    return ast.dump(_NoWords().visit(ast.parse(code)))


def typed(code: str) -> tuple[str, str]:
    """Return what is typed at the prompts of a block, and what is shown below them."""
    lines = code.splitlines()
    source = [line[4:] for line in lines if line.startswith((">>>", "..."))]
    shown = [line for line in lines if not line.startswith((">>>", "..."))]
    return "\n".join(source), "\n".join(shown)


def numbers(text: str) -> list[float]:
    """Return the numbers of an output."""
    return [float(number) for number in re.findall(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?", text)]


def target(path: Path, link: str) -> Path:
    """Return the file that a link leads to, below docs or above; of a translation, its original."""
    file = (path.parent / link).resolve()
    for original, translation in PAIRS.items():
        if file == DOCS / translation:
            return DOCS / original
    return file


def add_text(structure: Structure, path: Path, text: str) -> None:
    """Add the prose of a page, or of a cell, section by section."""
    for section in re.split(r"^(?=#+ )", text, flags=re.MULTILINE):
        if not section.strip():
            continue
        heading = re.match(r"(#+) (.*)", section)
        if heading:
            structure.headings.append(len(heading[1]))
            structure.numbered += re.findall(r"\d+", heading[2])
        structure.equations += [" ".join(formula.split()) for formula in DISPLAY.findall(section)]
        prose = DISPLAY.sub("", section)
        structure.formulas.append(Counter(INLINE.findall(prose)))
        structure.pauses.append(len(PAUSE.findall(prose)))
        structure.exercises += EXERCISE.findall(prose)
        structure.answers.append(len(ANSWER.findall(prose)))
        pictures = PICTURE.findall(prose)
        assert all(words.strip() for words, _ in pictures), "a picture without alternative text"
        structure.pictures += [target(path, link) for _, link in pictures]
        links = [link for link in LINK.findall(prose) if not re.match(r"[a-z]+:", link)]
        structure.links.append(Counter(target(path, link) for link in links))
        structure.tables.append(len(re.findall(r"^\|", prose, re.MULTILINE)))


def add_code(structure: Structure, code: str, shown: str) -> None:
    """Add a block of code and its output."""
    structure.code.append(without_words(code))
    structure.printed.append(numbers(shown))


def of_page(path: Path, text: str) -> Structure:
    """Return the structure of a page."""
    structure = Structure()
    for language, body in FENCE.findall(text):
        if language == "math":
            structure.equations.append(" ".join(body.split()))
        elif language == "pycon":
            add_code(structure, *typed(body))
        elif language == "python":
            structure.code.append(body)
    add_text(structure, path, FENCE.sub("", text))
    return structure


def of_notebook(path: Path, notebook: nbformat.NotebookNode) -> Structure:
    """Return the structure of a notebook; numbers of seconds are not compared."""
    structure = Structure()
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            add_text(structure, path, cell.source)
        else:
            output = "".join(part.get("text", "") for part in cell.outputs)
            timed = re.sub(r"[\d.]+ m?s\b", "", output)
            rounding = re.sub(r"\d(?:\.\d+)?e-\d+", "", timed)
            add_code(structure, cell.source, rounding)
    return structure


def structure_of(name: str) -> Structure:
    """Return the structure of a file below docs."""
    path = DOCS / name
    if path.suffix == ".md":
        return of_page(path, path.read_text("utf-8"))
    return of_notebook(path, nbformat.read(path, as_version=4))


def differences(original: Structure, translation: Structure) -> Iterator[str]:
    """Yield the parts in which two structures differ, with the first entries that do."""
    for part in fields(Structure):
        ours, theirs = getattr(original, part.name), getattr(translation, part.name)
        if ours == theirs:
            continue
        yield f"{part.name}: {len(ours)} and {len(theirs)} entries"
        for number, (entry, translated) in enumerate(zip(ours, theirs, strict=False)):
            if entry != translated:
                yield f"{part.name}, entry {number}: {entry} and {translated}"
                break
