"""What a public project publishes beside its code agrees with the code."""

from __future__ import annotations

import datetime
import re
import tomllib

import pytest
import yaml

import batchprop
from tests.project import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
RECIPE = yaml.safe_load((ROOT / "conda/recipe.yaml").read_text("utf-8"))
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")
RELEASE = re.compile(r"^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d{2}-\d{2})$", re.MULTILINE)
FORMS = sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml"))
# Packages whose name on conda-forge is not that of the Python package.
CONDA_NAMES = {"matplotlib": "matplotlib-base"}


def conda(requirements):
    """Return "name >=version" of pyproject's requirements."""
    pairs = (re.fullmatch(r"([a-z-]+)(>=[\d.]+)", line).groups() for line in requirements)
    return {f"{CONDA_NAMES.get(name, name)} {bound}" for name, bound in pairs}


def test_the_version_is_the_same_everywhere():
    assert RECIPE["package"]["version"] == CITATION["version"] == batchprop.__version__
    assert RELEASE.findall(CHANGELOG)[0][0] == batchprop.__version__


def test_the_citation_has_the_date_of_the_release():
    date = RELEASE.findall(CHANGELOG)[0][1]
    assert CITATION["date-released"] == date
    assert datetime.date.fromisoformat(date).year >= 2026


def test_the_citation_describes_the_project():
    assert CITATION["license"] == PROJECT["license"]
    assert CITATION["repository-code"] == PROJECT["urls"]["Repository"]
    assert CITATION["url"] == PROJECT["urls"]["Documentation"]
    assert [author["name"] for author in CITATION["authors"]] == [
        author["name"] for author in PROJECT["authors"]
    ]


def test_the_conda_recipe_needs_what_the_package_needs():
    run = set(RECIPE["requirements"]["run"])
    assert run == conda(PROJECT["dependencies"]) | {f"python {PROJECT['requires-python']}"}
    extras = PROJECT["optional-dependencies"]
    constraints = conda([*extras["sklearn"], *extras["plot"]])
    assert set(RECIPE["requirements"]["run_constraints"]) == constraints


def test_the_conda_recipe_is_for_every_platform():
    build = RECIPE["build"]
    assert build["noarch"] == "python"
    scripts = {f"{name} = {target}" for name, target in PROJECT["scripts"].items()}
    assert set(build["python"]["entry_points"]) == scripts
    assert (ROOT / RECIPE["about"]["license_file"]).is_file()


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_issue_forms_are_complete(path):
    form = yaml.safe_load(path.read_text("utf-8"))
    if path.name == "config.yml":
        assert all({"name", "url", "about"} <= set(link) for link in form["contact_links"])
        return
    assert form["name"]
    assert form["description"]
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    names = [field["id"] for field in fields]
    assert names
    assert len(set(names)) == len(names)
    assert all(field["attributes"]["label"] for field in fields)


def test_security_names_the_kernel_cache():
    text = (ROOT / "SECURITY.md").read_text("utf-8")
    assert "NUMBA_CACHE_DIR" in text
    assert "vulnerability" in text
