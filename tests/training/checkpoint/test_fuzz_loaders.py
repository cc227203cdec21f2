"""Thousands of files that were made to do harm: each is refused with a word, or works.

A crash, a hang and memory out of proportion end the process in which they are loaded, or are told.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from tests.crafted import CHANGES, OF_HEADERS, archive, members_of, mutants, taken_apart, together
from tests.project import ROOT, SRC

COUNT = 2200


@pytest.mark.parametrize("seed", [0])
def test_no_file_does_harm(seed):
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz_process", str(seed), str(COUNT)],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": f"{SRC}{os.pathsep}{ROOT}"}, check=False,
        capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["faults"] == []
    ended = told["ended"]
    assert ended["loaded"] + ended["refused"] >= 2000
    assert min(ended["refused"], ended["went on"]) > COUNT / 10  # it is about both


FILE = taken_apart(
    together({"kind": np.array("tanh"), "header": np.array('{"a": [1, 0.9]}'), "W_h": np.ones(3)})
)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_change_of_each_kind_changes_the_file(change):
    made = [change(FILE, np.random.default_rng(k)) for k in range(30)]
    assert sum(content != FILE.content for content in made) > 20
    again = [change(FILE, np.random.default_rng(k)) for k in range(30)]
    assert made == again


def test_mutants_are_the_same_each_time_and_of_every_kind():
    first, second = (list(mutants(FILE, 5, 300)) for _ in range(2))
    assert first == second
    assert {name for name, _ in first} == {change.__name__ for change in CHANGES}
    plain = taken_apart(together({"activation": np.array("tanh"), "W_h": np.ones(3)}))
    of_headers = {change.__name__ for change in OF_HEADERS}
    assert not of_headers & {name for name, _ in mutants(plain, 5, 300)}


def test_put_together_again_it_is_what_it_was():
    with np.load(io.BytesIO(archive(members_of(FILE.arrays)))) as found:
        assert {name: found[name].tolist() for name in found} == {
            name: array.tolist() for name, array in FILE.arrays.items()
        }
