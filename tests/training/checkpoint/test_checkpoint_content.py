"""What a checkpoint holds is checked to the last number before a run goes on from there."""

from __future__ import annotations

import json

import numpy as np
import pytest

from batchprop import Checkpoint, train
from tests.crafted import taken_apart, together
from tests.problems import problem

CASE = problem(e=2, m=3, s=1, n_samples=12)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.npz"


@pytest.fixture
def arrays(path):
    """Return the arrays of a run with a given network, left at its first evaluation."""
    result = train(CASE.X, CASE.T, network=CASE.network, solver="gd", callback=lambda _: True)
    result.checkpoint.save(path)
    found = taken_apart(path.read_bytes()).arrays
    assert "given" in found
    assert found["state.evaluations"] == [1]
    return found


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("given", np.full(13, np.nan), "given: must be finite"),
        ("loss_curve", np.full(1, np.nan), "loss_curve: must be finite"),
        ("format", np.array(0), "format: 0"),
        ("more", np.zeros(2), "unexpected member"),
    ],
)
def test_a_run_that_was_left_at_its_first_evaluation(path, arrays, name, value, told):
    path.write_bytes(together(arrays))
    Checkpoint.load(path)
    path.write_bytes(together(arrays | {name: value}))
    with pytest.raises(ValueError, match=told):
        Checkpoint.load(path)


def test_a_total_beyond_all_numbers(path, arrays):
    """JSON has no word for infinity, but numbers that are read as one."""
    header = json.loads(str(arrays["header"]))
    header["samples"]["X"][2] = 12345.5
    text = json.dumps(header).replace("12345.5", "1e999")
    path.write_bytes(together(arrays | {"header": np.array(text)}))
    with pytest.raises(ValueError, match=r"samples\.X: must have a finite total"):
        Checkpoint.load(path)
