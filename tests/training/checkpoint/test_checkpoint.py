"""Checkpoints in files: they come back as they were, and nothing else is taken for one."""

from __future__ import annotations

import json
import os
import pickle

import numpy as np
import pytest

from batchprop import Checkpoint, train
from batchprop.solvers.settings import SOLVERS
from batchprop.training.checkpoint.checkpoint_file import FORMATS, KIND, arrays_of
from tests.files.test_network_file import Trap
from tests.problems import problem
from tests.resumed import assert_same_checkpoint

CASE = problem(e=2, m=4, s=1, n_samples=30)
DAMAGED = r"path must name a checkpoint; got .*run\.npz.* something else or damaged"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.npz"


def trained(**options):
    return train(CASE.X, CASE.T, **({"alpha": 0.0, "hidden_size": 4, "max_epochs": 20} | options))


MADE = trained(solver="adam", X_val=CASE.X[:, :9], T_val=CASE.T[:, :9], network=None).checkpoint


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"dtype": "float32", "scale": False, "alpha": 0.5},
        {"network": CASE.network, "hidden_size": None},
        {"max_epochs": 0, "sample_weight": np.ones(30)},
        {"X_val": CASE.X[:, 3:], "T_val": CASE.T[:, 3:], "patience": np.int64(7), "tol": None},
    ],
)
def test_what_is_saved_comes_back(path, solver, options):
    made = trained(solver=solver, **options).checkpoint
    made.save(path)
    assert_same_checkpoint(Checkpoint.load(path), made)
    assert os.listdir(path.parent) == [path.name]


def test_the_networks_are_those_of_the_result(path):
    for options in ({}, {"callback": lambda progress: progress.epoch == 3}, {"scale": False}):
        result = trained(solver="momentum", **options)
        result.checkpoint.save(path)
        loaded = Checkpoint.load(path)
        assert loaded.n_epochs == result.n_epochs
        for name in ("network", "last_network"):
            theta = getattr(result, name).theta
            np.testing.assert_array_equal(getattr(loaded, name).theta, theta)


def test_what_it_says():
    assert (
        repr(MADE) == "Checkpoint(2-4-1, 'tanh', float64, solver 'adam', 20 epochs, 'max_epochs')"
    )


def test_numpy_reads_the_file_without_pickle(path):
    MADE.save(path)
    with np.load(path, allow_pickle=False) as archive:
        assert (str(archive["kind"]), int(archive["format"])) == (KIND, FORMATS[-1])
        assert json.loads(str(archive["header"]))["arguments"] == MADE.arguments
        np.testing.assert_array_equal(archive["loss_curve"], MADE.loss_curve)
        np.testing.assert_array_equal(archive["state.theta"], MADE.state.theta)


def test_the_size_is_what_the_documents_say(path):
    sizes = []
    for epochs in (1000, 3000):
        trained(tol=None, gradient_tol=None, max_epochs=epochs).checkpoint.save(path)
        sizes.append(path.stat().st_size)
    assert sizes[1] - sizes[0] == 2000 * 8


@pytest.mark.parametrize("share", [0.0, 0.001, 0.2, 0.5, 0.9, 0.999])
def test_a_file_that_was_cut(path, share):
    MADE.save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=DAMAGED):
        Checkpoint.load(path)


def test_a_byte_that_was_changed(path):
    """Every change is seen, or is in a byte that says nothing, as the time of an entry."""
    MADE.save(path)
    content, seen = path.read_bytes(), 0
    places = np.random.default_rng(0).integers(0, len(content), 150)
    for place in places:
        path.write_bytes(content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :])
        try:
            loaded = Checkpoint.load(path)
        except ValueError:
            seen += 1
        else:
            assert_same_checkpoint(loaded, MADE)
    assert seen > 100


@pytest.mark.parametrize(
    "content",
    [b"", b"no checkpoint", b"PK\x03\x04", pickle.dumps({"kind": KIND}), bytes(1000)],
    ids=["empty", "text", "a beginning", "a pickle", "zeros"],
)
def test_another_file(path, content):
    path.write_bytes(content)
    with pytest.raises(ValueError, match=DAMAGED):
        Checkpoint.load(path)


def test_a_network_is_no_checkpoint_nor_the_other_way_round(path):
    CASE.network.save(path)
    with pytest.raises(ValueError, match=DAMAGED):
        Checkpoint.load(path)
    MADE.save(path)
    with pytest.raises(ValueError, match="path must name a file made by Network.save"):
        type(CASE.network).load(path)


def test_no_such_file(path):
    with pytest.raises(FileNotFoundError):
        Checkpoint.load(path)


def written(path, header_changed=None, **changed):
    """Write what a checkpoint's file holds, with some of it changed or, as None, left out."""
    MADE.save(path)
    with np.load(path) as archive:
        content = dict(archive) | changed
    if header_changed is not None:
        header = json.loads(str(content["header"])) | header_changed
        content["header"] = np.array(json.dumps(header))
    np.savez(path, **{name: value for name, value in content.items() if value is not None})


def parts():
    return [*arrays_of(MADE), "kind", "format", "header"]


@pytest.mark.parametrize("missing", parts())
def test_a_part_that_is_missing(path, missing):
    written(path, **{missing: None})
    with pytest.raises(ValueError, match=DAMAGED):
        Checkpoint.load(path)


@pytest.mark.parametrize("name", arrays_of(MADE))
@pytest.mark.parametrize("change", [lambda a: a[:-1], lambda a: a.astype("f2"), lambda a: a[None]])
def test_a_part_of_another_form(path, name, change):
    written(path, **{name: change(arrays_of(MADE)[name])})
    with pytest.raises(ValueError, match=DAMAGED):
        Checkpoint.load(path)


@pytest.mark.parametrize(
    "header",
    [
        {"shape": [2, 5, 1]},
        {"shape": "2-4-1"},
        {"arguments": {}},
        {"arguments": MADE.arguments | {"dtype": "float32"}},
        {"arguments": MADE.arguments | {"solver": "unknown"}},
        {"arguments": MADE.arguments | {"activation": "unknown"}},
        {"arguments": MADE.arguments | {"learning_rate": -1.0}},
        {"samples": {}},
        {"samples": {"X": 3}},
    ],
)
def test_a_header_that_does_not_fit(path, header):
    written(path, header)
    with pytest.raises(ValueError, match=DAMAGED):
        Checkpoint.load(path)


@pytest.mark.parametrize(
    ("name", "value"), [("epoch", 25), ("evaluations", 19), ("best_epoch", 30), ("epoch", -1)]
)
def test_counts_that_contradict_one_another(path, name, value):
    written(path, **{f"state.{name}": np.full(1, value)})
    with pytest.raises(ValueError, match=DAMAGED):
        Checkpoint.load(path)


@pytest.mark.parametrize("name", ["kind", "header", "state.theta"])
def test_nothing_in_a_file_is_run(path, name):
    written(path, **{name: np.array([Trap()], object)})
    with pytest.raises(ValueError, match=DAMAGED):
        Checkpoint.load(path)


def test_a_newer_format(path):
    written(path, format=np.array(FORMATS[-1] + 1))
    with pytest.raises(
        ValueError, match=r"of format 2 or older; got .* of format 3\. Load it with"
    ):
        Checkpoint.load(path)
