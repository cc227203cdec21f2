"""What runs without being asked: the workflow of every change, and the hook before a commit."""

from __future__ import annotations

import re
import tomllib

import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from tests.project import ROOT, SRC, files

WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/tests.yml").read_text("utf-8"))
HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
JOBS = WORKFLOW["jobs"]
# Linux on x86-64 and on arm64, macOS, Windows
SYSTEMS = {"ubuntu-latest", "ubuntu-24.04-arm", "macos-latest", "windows-latest"}


def commands(job):
    return [step["run"] for step in JOBS[job]["steps"] if "run" in step]


def made_by(lines):
    """Return the targets of the calls of make."""
    calls = [words[1:] for words in map(str.split, lines) if words[:1] == ["make"]]
    return {word for words in calls for word in words if "=" not in word}


def installed(job):
    """Return the packages that a job installs beside those of the lock."""
    (line,) = [line for line in commands(job) if "pip install" in line]
    words = line.replace('"', "").partition(" install ")[2].split()
    return {Requirement(word) for word in words if not word.startswith("-")}, line


def run_time():
    lines = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["sklearn"]]
    return [Requirement(line) for line in lines]


def test_every_system_and_every_python():
    matrix = JOBS["locked"]["strategy"]["matrix"]
    first, last = map(int, re.search(r"\(3, (\d+)\) <= .* <= \(3, (\d+)\)", MAKEFILE).groups())
    assert set(matrix["os"]) == SYSTEMS
    assert set(matrix["python"]) == {f"3.{first}", f"3.{last}"}  # on each of the systems
    pythons = {*matrix["python"], *(pair["python"] for pair in matrix["include"])}
    assert pythons == {f"3.{minor}" for minor in range(first, last + 1)}
    assert PROJECT["requires-python"] == f">=3.{first}"


def test_the_oldest_versions_are_the_lowest_that_are_allowed():
    lowest = {Requirement(f"{r.name}=={_bound(r.specifier)}.*") for r in run_time()}
    assert installed("oldest")[0] == lowest


def _bound(specifier: SpecifierSet) -> str:
    (lower,) = (bound.version for bound in specifier if bound.operator == ">=")
    return lower


def test_the_newest_versions_are_also_those_to_come():
    names, line = installed("newest")
    assert {wanted.name for wanted in names} == {wanted.name for wanted in run_time()}
    assert {"--upgrade", "--pre"} <= set(line.split())


def test_the_workflow_does_what_a_change_needs():
    targets = set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE)) | {".venv/.ready"}
    made = set().union(*(made_by(commands(job)) for job in JOBS))
    needed = made_by((ROOT / ".ci/run").read_text("utf-8").splitlines())
    assert needed
    assert needed | {"coverage"} <= made <= targets


def test_the_quick_tests_have_some_of_every_folder():
    text = MAKEFILE.partition("\nQUICK := ")[2].partition("\n\n")[0]
    words = [word for word in text.split() if word != "\\"]
    paths = [ROOT / word.removeprefix("--ignore=") for word in words]
    assert not [str(path) for path in paths if not path.exists()]
    chosen = {word.split("/")[1] for word in words if not word.startswith("--")}
    folders = {path.parent.name for path in (SRC / "batchprop").glob("*/__init__.py")}
    assert folders
    assert not folders - chosen


def test_before_a_commit_the_linters_see_what_they_judge():
    (repository,) = HOOKS["repos"]
    (hook,) = repository["hooks"]
    assert (repository["repo"], hook["entry"]) == ("local", "make lint")
    assert not hook["pass_filenames"]
    judged = {".py": "python", ".ipynb": "jupyter", ".toml": "toml"}  # pyproject.toml has the rules
    suffixes = {path.suffix for path in files()}
    assert {kind for suffix, kind in judged.items() if suffix in suffixes} <= set(hook["types_or"])
