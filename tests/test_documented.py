"""Every public name is documented, and what the documents name exists."""

from __future__ import annotations

import ast
import doctest
import importlib
import importlib.util
import inspect
import re

import pytest

import batchprop
from batchprop.sklearn import BatchMLPRegressor
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


def test_every_argument_is_documented_and_no_other():
    offenders = {}
    for public in batchprop.__all__:
        for name, value in callables_of(public):
            expected = set(inspect.signature(value).parameters) - {"self"}
            offenders[name] = documented_parameters(value.__doc__ or "") ^ expected
            assert value.__doc__, name
    assert offenders
    assert not {name: arguments for name, arguments in offenders.items() if arguments}


def examples():
    """Return the docstring's examples of each public function, class and method."""
    named = [pair for public in batchprop.__all__ for pair in callables_of(public)]
    named.append(("BatchMLPRegressor", BatchMLPRegressor))
    text = {name: "\n".join(section(value.__doc__, "Examples")) for name, value in named}
    parser = doctest.DocTestParser()
    return [parser.get_doctest(text[name], {}, name, name, 0) for name in text]


def test_every_public_name_has_examples():
    assert len(examples()) > 10
    assert not [found.name for found in examples() if not found.examples]


def test_examples_give_what_they_say(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # some write files
    runner = doctest.DocTestRunner(
        optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE, verbose=False
    )
    told = []
    for example in examples():
        runner.run(example, out=told.append)
    assert not told, "".join(told)
    assert runner.tries > 50


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


def exists(module, name):
    """Return whether a module has a name, or a module of that name inside it."""
    home = importlib.import_module(module)
    is_package = hasattr(home, "__path__")
    return hasattr(home, name) or (
        is_package and importlib.util.find_spec(f"{module}.{name}") is not None
    )


def missing_names(tree):
    """Yield what some code imports from batchprop or reads of it, and is not there."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("batchprop"):
                    importlib.import_module(alias.name)
        elif isinstance(node, ast.ImportFrom) and str(node.module).startswith("batchprop"):
            yield from (alias.name for alias in node.names if not exists(node.module, alias.name))
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "batchprop":
            yield from [] if hasattr(batchprop, node.attr) else [node.attr]


def test_python_in_documents_names_what_exists():
    offenders = []
    for path in DOCUMENTS:
        for code in fences(path, {"py", "python", "pycon"}):
            missing = missing_names(ast.parse(python_of(code)))
            offenders += [f"{name_of(path)}: {name}" for name in missing]
    assert not offenders


def test_missing_names_are_found():
    code = "import batchprop\nfrom batchprop import train, no\nbatchprop.train(batchprop.nothing)"
    assert list(missing_names(ast.parse(code))) == ["no", "nothing"]


def test_make_commands_in_documents_are_targets():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    used = set()
    for path in DOCUMENTS:
        text = path.read_text("utf-8")
        commands = "\n".join(fences(path, SHELL | {""}) + re.findall(r"`([^`\n]+)`", text))
        names = re.findall(r"^\s*(?:\$ )?make ([a-z][a-z-]*)", commands, re.MULTILINE)
        used |= {(name_of(path), name) for name in names}
    assert used
    assert not [(path, name) for path, name in sorted(used) if name not in targets]


def test_links_between_documents_lead_somewhere():
    links = [
        (path, link)
        for path in DOCUMENTS
        for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text("utf-8"))
        if not re.match(r"[a-z]+:|#", link)
    ]
    assert links
    offenders = [
        f"{name_of(path)}: {link}"
        for path, link in links
        if not (path.parent / link.split("#")[0]).exists()
    ]
    assert not offenders
