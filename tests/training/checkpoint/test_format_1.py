"""Checkpoints that version 0.2 wrote: their runs go on with the same arrays, and only with them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from batchprop import Checkpoint, train
from batchprop.training.checkpoint import fingerprint

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 3000))  # more numbers than version 1 reads
T = np.sin(X[:1]) + X[1:2]
WEIGHT = RNG.uniform(size=3000)
DATA = {"sample_weight": WEIGHT, "X_val": X[:, :100], "T_val": T[:, :100]}
OPTIONS = {"hidden_size": 3, "alpha": 0.0, "solver": "lbfgs", "tol": 0, "seed": 0}


@pytest.fixture(scope="module")
def old_file(tmp_path_factory):
    """A file as version 0.2 wrote it, after 4 epochs."""
    path = tmp_path_factory.mktemp("old") / "run.npz"
    train(X, T, max_epochs=4, **OPTIONS, **DATA).checkpoint.save(path)
    with np.load(path) as archive:
        arrays = dict(archive)
    header = json.loads(str(arrays["header"]))
    for name, array in (DATA | {"X": X, "T": T}).items():
        header["samples"][name] = fingerprint.of(array, version=1)[:3]
    np.savez(path, **arrays | {"format": np.array(1), "header": np.array(json.dumps(header))})
    return path


def test_the_run_goes_on(old_file):
    resumed = train(X, T, resume=old_file, max_epochs=5, **DATA)
    longer = train(X, T, max_epochs=9, **OPTIONS, **DATA)
    assert resumed.n_epochs == 9
    np.testing.assert_array_equal(resumed.network.theta, longer.network.theta)
    assert {mark.version for mark in resumed.checkpoint.samples.values()} == {2}


def test_it_is_written_in_the_new_format(old_file, tmp_path):
    checkpoint = Checkpoint.load(old_file)
    assert {mark.version for mark in checkpoint.samples.values()} == {1}
    checkpoint.save(tmp_path / "new.npz")
    with np.load(tmp_path / "new.npz") as archive:
        assert int(archive["format"]) == 2
    assert Checkpoint.load(tmp_path / "new.npz").samples == checkpoint.samples
    assert train(X, T, resume=tmp_path / "new.npz", max_epochs=1, **DATA).n_epochs == 5


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("X", {"X": X[:, ::-1]}),
        ("T", {"T": 2 * T}),
        ("sample_weight", {"sample_weight": WEIGHT[::-1]}),
        ("X_val", {"X_val": X[:, 1:101]}),
    ],
)
def test_other_data_are_refused(old_file, name, data):
    arguments = DATA | {"X": X, "T": T} | data
    with pytest.raises(ValueError, match=f"^{name} must be what the resumed run .* other values"):
        train(resume=old_file, max_epochs=5, **arguments)


@pytest.mark.parametrize("version", [0, 3, 2.0, True, "2", None])
def test_an_unknown_version_is_damage(old_file, tmp_path, version):
    with np.load(old_file) as archive:
        arrays = dict(archive)
    header = json.loads(str(arrays["header"]))
    header["samples"]["X"].append(version)
    path = tmp_path / "run.npz"
    np.savez(path, **arrays | {"header": np.array(json.dumps(header))})
    with pytest.raises(ValueError, match=r"samples\.X: must have a known version"):
        Checkpoint.load(path)
