"""Every public name is documented, and what the documents name exists."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import re

import pytest

import batchprop
from tests.project import ROOT, files, name_of

DOCUMENTS = [path for path in files() if path.suffix == ".md"]
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
SHELL = {"bash", "console", "sh", "shell"}


def callables_of(name):
    """Yield (name, callable) for what users call under a public name: itself and its methods."""
    value = getattr(batchprop, name)
    if callable(value):
        yield name, value
    for attribute in dir(value) if inspect.isclass(value) else ():
        method = getattr(value, attribute)
        if not attribute.startswith("_") and inspect.isroutine(method):
            yield f"{name}.{attribute}", method


def section(docstring, title):
    """Return the lines of one numpydoc section."""
    lines = inspect.cleandoc(docstring).splitlines()
    for start, line in enumerate(lines[:-1]):
        if line == title and set(lines[start + 1]) == {"-"}:
            body = lines[start + 2 :]
            ends = [i for i in range(1, len(body)) if body[i] and set(body[i]) == {"-"}]
            return body[: ends[0] - 1] if ends else body
    return []


def documented_parameters(docstring):
    names = set()
    lines = section(docstring, "Parameters") or section(docstring, "Attributes")  # of a result
    for line in lines:
        if line and not line[0].isspace():
            head = line.split(" : ")[0]
            names.update(name.strip().lstrip("*") for name in head.split(","))
    return names


def fences(path, languages):
    return [code for kind, code in FENCE.findall(path.read_text("utf-8")) if kind in languages]


def python_of(code):
    if ">>>" in code:
        return "".join(example.source for example in doctest.DocTestParser().get_examples(code))
    return code


@pytest.mark.parametrize("public", batchprop.__all__)
def test_every_argument_is_documented_and_no_other(public):
    for name, value in callables_of(public):
        assert value.__doc__, name
        expected = set(inspect.signature(value).parameters) - {"self"}
        assert documented_parameters(value.__doc__) == expected, name


def test_section_parser_reads_numpydoc():
    docstring = """Do.

    Parameters
    ----------
    a, b : int
        Two, both : counted.
    **rest : object
        More.

    Returns
    -------
    c : int
    """
    assert documented_parameters(docstring) == {"a", "b", "rest"}


def test_every_public_name_resolves():
    assert sorted(set(batchprop.__all__)) == sorted(batchprop.__all__)
    assert set(batchprop.__all__) <= set(dir(batchprop))
    with pytest.raises(AttributeError, match="no attribute 'nothing_of_the_kind'"):
        _ = batchprop.nothing_of_the_kind


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_python_in_documents_names_what_exists(path):
    for code in fences(path, {"py", "python", "pycon"}):
        tree = ast.parse(python_of(code))
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names if alias.name.startswith("batchprop")]
                for name in names:
                    importlib.import_module(name)
            elif isinstance(node, ast.ImportFrom) and str(node.module).startswith("batchprop"):
                home = importlib.import_module(str(node.module))
                for alias in node.names:
                    assert hasattr(home, alias.name), alias.name
            elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "batchprop":
                assert hasattr(batchprop, node.attr), node.attr


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_make_commands_in_documents_are_targets(path):
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    text = path.read_text("utf-8")
    spans = fences(path, SHELL | {""}) + re.findall(r"`([^`\n]+)`", text)
    commands = "\n".join(spans)
    used = set(re.findall(r"^\s*(?:\$ )?make ([a-z][a-z-]*)", commands, re.MULTILINE))
    assert used <= targets


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_links_between_documents_lead_somewhere(path):
    for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text("utf-8")):
        if not re.match(r"[a-z]+:|#", link):
            assert (path.parent / link.split("#")[0]).exists(), link
