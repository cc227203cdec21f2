"""The script that changes the code in one place: what it finds, what it says, what it leaves."""

from __future__ import annotations

import pytest

from tests.project import ROOT
from tools import mutate
from tools.mutate import KILLED, PACKAGE, STALE, SURVIVED, Mutant

CODE = "def double(x):\n    return 2 * x\n\n\ndef half(x):\n    return x / 2\n"
NARROW = "from batchprop.numbers import double\n\n\ndef test_2():\n    assert double(2) == 4\n"
WIDER = "from batchprop.numbers import double\n\n\ndef test_3():\n    assert double(3) == 6\n"
TESTS = "tests/test_narrow.py"


@pytest.fixture
def checkout(tmp_path):
    """A checkout of one file, two tests, and a table of changes in a folder of its own."""
    for path, text in {
        "src/batchprop/__init__.py": "",
        "src/batchprop/numbers.py": CODE,
        "tests/test_narrow.py": NARROW,
        "tests/test_wider.py": WIDER,
        "tables/wider.toml": '[tests]\n"" = "tests/test_narrow.py"\n"num" = "tests/test_wider.py"',
    }.items():
        place = tmp_path / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return tmp_path


def tried(checkout, old, new, tests=TESTS):
    mutant = Mutant("numbers.py", old, new, tests)
    return mutate.outcome(mutant, checkout, checkout / "kernels", checkout / "tables", False)


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("2 * x", "3 * x", KILLED),
        ("return x / 2", "return x", SURVIVED),  # what no test looks at
        ("4 * x", "5 * x", STALE),
        ("return", "yield", STALE),  # twice in the file
        ("2 * x", "2 * x", STALE),
        ("2 * x", "(", STALE),  # no Python any more
    ],
)
def test_what_becomes_of_a_change(old, new, found, checkout):
    assert tried(checkout, old, new) == found
    assert (checkout / PACKAGE / "numbers.py").read_text() == CODE


def test_wider_tests_run_where_the_narrow_ones_pass(checkout):
    assert tried(checkout, "2 * x", "x + 2") == KILLED
    assert mutate.wider_tests("numbers.py", checkout / "tables") == ["tests/test_wider.py"]
    assert mutate.wider_tests("other.py", checkout / "tables") == ["tests/test_narrow.py"]


def test_a_test_that_is_gone_makes_a_change_stale(checkout):
    assert tried(checkout, "2 * x", "3 * x", "tests/test_gone.py") == STALE
    assert mutate.files_of("tests/test_a.py::test_b tests/c") == ["tests/test_a.py", "tests/c"]


def test_a_name_that_pytest_does_not_know_is_an_error(checkout):
    with pytest.raises(SystemExit, match="pytest could not run"):
        tried(checkout, "2 * x", "3 * x", "tests/test_narrow.py::test_nothing")


def test_tests_that_fail_anyway_judge_nothing(checkout):
    (checkout / "tests" / "test_narrow.py").write_text(NARROW.replace("4", "5"))
    with pytest.raises(SystemExit, match="fail without any change"):
        mutate.check_unchanged(
            [Mutant("numbers.py", "", "", TESTS)], checkout, checkout / "kernels"
        )


def test_an_endless_loop_is_noticed(checkout, monkeypatch):
    monkeypatch.setattr(mutate, "TIMEOUT", 2)
    assert tried(checkout, "return 2 * x", "while True:\n        pass") == KILLED


def test_the_tables_can_be_read():
    mutants = mutate.read_tables(mutate.TABLES)
    assert len({(one.file, one.old, one.new) for one in mutants}) == len(mutants) > 100
    for one in mutants:
        assert (ROOT / PACKAGE / one.file).suffix == ".py"
        assert mutate.wider_tests(one.file, mutate.TABLES)


def test_the_changes_can_be_listed_and_chosen(capsys):
    assert mutate.main(["--list", "--only", "levenberg_marquardt/damping.py"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 2
    assert all(line.startswith("solvers/levenberg_marquardt/damping.py: ") for line in lines)
