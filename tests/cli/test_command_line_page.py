"""The page on the command line: its commands run and print what it shows, up to the digits."""

from __future__ import annotations

import re
import shlex
import shutil

import pytest

from batchprop.cli.errors import MEANINGS
from tests.cli.command_lines import AUTO_MPG
from tests.project import ROOT

PAGE = (ROOT / "docs" / "command-line.md").read_text("utf-8")
CONSOLE = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands():
    """Yield each command of the page with the output that the page shows."""
    for block in CONSOLE.findall(PAGE):
        for part in block.split("$ ")[1:]:
            command, _, output = part.partition("\n")
            yield shlex.split(command), output


def without_digits(text):
    """Return words alone: numbers differ in their last digits between processors."""
    return [re.sub(r"-?\d[\d,.]*", "#", line).split() for line in text.splitlines()]


def test_commands_print_what_the_page_shows(run):
    shutil.copy(AUTO_MPG, run.folder)
    ran = []
    for words, output in commands():
        if words[0] == "head":
            lines = (run.folder / words[-1]).read_text().splitlines()
            assert without_digits("\n".join(lines[: int(words[2])])) == without_digits(output)
            continue
        assert words[0] == "batchprop"
        outcome = run(*words[1:])
        assert outcome.code == 0, outcome.err
        assert without_digits(outcome.out) == without_digits(output)
        ran.append(words[1])
    assert ran == ["train", "predict", "evaluate", "export"]
    assert (run.folder / "report.html").exists()
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    names = {}
    exec(code, names)
    first = (run.folder / "predictions.csv").read_text().splitlines()[1]
    expected = [names["mpg"].item(), names["lower"].item(), names["upper"].item()]
    assert list(map(float, first.split(","))) == pytest.approx(expected, rel=1e-12)


def test_exit_codes_of_the_page_are_those_of_the_program():
    table = PAGE[PAGE.index("| exit code |") :]
    assert re.findall(r"^\| (\d+) \|", table, re.MULTILINE) == list(map(str, MEANINGS))


def test_every_option_of_the_page_exists(run):
    helps = "".join(
        run(command, "--help").out
        for command in ("train", "predict", "evaluate", "export", "check-gradient", "info")
    )
    options = set(re.findall(r"--[a-z][a-z-]+", PAGE))
    assert len(options) > 20
    assert {option for option in options if option not in helps} == set()
