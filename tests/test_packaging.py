"""The lock, the metadata and the environment agree; no file names a machine or a host."""

from __future__ import annotations

import re
import sys
import tomllib
from importlib import metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import batchprop
from tests.project import ROOT, files, imported, name_of

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
LOCK = (ROOT / "requirements.lock").read_text("utf-8").splitlines()
LOCKED = {
    canonicalize_name(requirement.name): requirement
    for requirement in (Requirement(line) for line in LOCK if not line.startswith("#"))
}
REQUIREMENTS = [
    Requirement(line)
    for group in (
        PROJECT["build-system"]["requires"],
        PROJECT["project"]["dependencies"],
        *PROJECT["project"]["optional-dependencies"].values(),
        *PROJECT["dependency-groups"].values(),
    )
    for line in group
]
TEXT = {"", ".cff", ".csv", ".ipynb", ".json", ".lock", ".md", ".py", ".svg", ".toml", ".typed"}
# Absolute paths of a developer's machine, and package indexes, which the installing user chooses.
MACHINE = re.compile(r"(?<![\w.~$})/:-])/(?:root|home|Users|work|mnt|opt)/")
HOST = re.compile(r"py(?:pi|thonhosted)\.org|(?:extra-)?index-url|find-links|debian\.org", re.I)


def locked_version(name):
    (pin,) = LOCKED[canonicalize_name(name)].specifier
    assert pin.operator == "=="
    return pin.version


def test_lock_holds_one_version_of_each_and_no_address():
    rows = [line for line in LOCK if not line.startswith("#")]
    assert len(rows) == len(LOCKED)
    assert rows == sorted(rows)
    for name, requirement in LOCKED.items():
        assert requirement.url is None
        assert locked_version(name)
    assert not [line for line in LOCK if "//" in line or line.startswith("-")]


def test_lock_satisfies_the_metadata():
    offenders = [
        str(requirement)
        for requirement in REQUIREMENTS
        if not requirement.specifier.contains(locked_version(requirement.name))
    ]
    assert not offenders


def test_lock_holds_what_the_wanted_packages_need():
    todo, seen = [canonicalize_name(requirement.name) for requirement in REQUIREMENTS], set()
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        for line in metadata.requires(name) or ():
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                todo.append(canonicalize_name(needed.name))
    assert seen <= set(LOCKED)


def test_every_import_of_the_checkout_is_declared():
    owners = metadata.packages_distributions()
    declared = {canonicalize_name(requirement.name) for requirement in REQUIREMENTS}
    own = {"batchprop", *(path.parent.name for path in files()), *(path.stem for path in files())}
    # libraries that benchmarks compare with have their own environment and requirements file
    benchmarks = ROOT / "benchmarks"
    rivals = {benchmarks / name for name in ("coming_from", "peers", "time_to_loss")}
    listed = [
        line
        for path in (benchmarks / "peers", benchmarks / "coming_from")
        for line in (path / "requirements.txt").read_text("utf-8").splitlines()
    ]
    measured = {Requirement(line).name for line in listed if not line.startswith("#")}
    for path in files():
        if path.suffix == ".py":
            tops = {name.split(".")[0] for name in imported(path)} - sys.stdlib_module_names - own
            allowed = declared | measured if rivals & set(path.parents) else declared
            for top in tops - {"llvmlite"}:  # numba pins its version
                names = {canonicalize_name(name) for name in owners.get(top, [top])}
                assert allowed & names, f"{name_of(path)} imports {top}"


def test_version_has_one_source():
    assert "version" not in PROJECT["project"]
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert ROOT / PROJECT["tool"]["hatch"]["version"]["path"] == ROOT / "src/batchprop/version.py"
    assert re.fullmatch(r"\d+\.\d+\.\d+", batchprop.__version__)


def test_runtime_dependencies_are_three():
    names = {Requirement(line).name for line in PROJECT["project"]["dependencies"]}
    assert names == {"numpy", "numba", "scipy"}


def test_no_file_names_a_machine_or_a_package_host():
    offenders = []
    for path in files():
        if path.suffix in TEXT:
            for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
                names_host = path.name != "test_packaging.py" and HOST.search(line)
                if MACHINE.search(line) or names_host:
                    offenders.append(f"{name_of(path)}:{number} {line.strip()[:100]}")
    assert not offenders
