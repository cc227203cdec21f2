"""The file of a ``Predictive``: what is written is read, and nothing else is."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop import Network, Predictive
from batchprop.predictive import predictive_file
from tests import crafted
from tests.predictive.test_predictive import equal, made


def contents(predictive, path):
    predictive.save(path)
    with np.load(path) as archive:
        return dict(archive)


@pytest.mark.parametrize("K", [1, 3])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("n_residuals", [0, 50])
def test_what_is_written_is_read(tmp_path, K, dtype, n_residuals):
    known = made(n_residuals, dtype, K)
    if K > 1:  # the network of an average has the units of all
        blocks = known.network.W_h, known.network.b_h, known.network.W_y
        W_h, b_h = (np.concatenate([block] * K) for block in blocks[:2])
        network = Network(W_h, b_h, np.hstack([blocks[2]] * K), known.network.b_y)
        known = made(n_residuals, dtype, K, network=network)
    known.save(tmp_path / "a file")
    equal(known, Predictive.load(tmp_path / "a file"))


def test_nan_is_a_number_of_parameters(tmp_path):
    made(n_effective=float("nan")).save(tmp_path / "p")
    assert np.isnan(Predictive.load(tmp_path / "p").n_effective)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"kind": np.array("batchprop network")}, "kind: not a predictive"),
        ({"source": np.array("elsewhere")}, "source: not one of folds, validation, none"),
        ({"activation": np.array("cosine")}, "activation must be one of"),
        ({"more": np.zeros(3)}, "unexpected member"),
        ({"thetas": np.zeros((1, 21))}, "thetas: shape"),
        ({"thetas": np.zeros((2, 22))}, "thetas: shape .* for 4 hidden units"),
        ({"thetas": np.zeros((0, 22))}, "thetas: shape"),
        ({"thetas": np.zeros(22)}, "thetas: shape"),
        ({"factors": np.zeros((1, 3, 3))}, "factors: shape"),
        ({"factors": np.zeros((2, 22, 22))}, "factors: must have shape"),
        ({"factors": np.zeros(())}, "factors: shape"),
        ({"factors": np.full((1, 22, 22), np.nan)}, "factors: not finite"),
        ({"x_mean": np.zeros(3)}, "x_mean: must have shape"),
        ({"t_scale": -np.ones(2)}, "t_scale: negative"),
        ({"intercept": np.array([-1.0, 1.0])}, "intercept: negative"),
        ({"residuals": np.zeros((2, 49))}, "must have shape"),
        ({"residuals": np.zeros(())}, "must have shape"),
        ({"claimed": np.full((2, 50), np.inf)}, "claimed: not finite"),
        ({"noise_variance": np.zeros(2, "f4")}, "noise_variance: must have shape"),
        ({"W_y": np.zeros((2, 4), "f4")}, "W_y: float32; all are float32, or all float64"),
        ({"b_y": np.array([np.nan, 0.0])}, "b_y"),
        ({"weight": -np.ones(50)}, "weight: negative"),
        ({"format": np.array(0)}, "format: 0"),
    ],
)
def test_other_contents_are_refused(tmp_path, changes, text):
    path = tmp_path / "p"
    arrays = contents(made(), path)
    np.savez(path.with_suffix(".npz"), **(arrays | changes))
    with pytest.raises(ValueError, match=f"path must name a file made by Predictive.save.*{text}"):
        Predictive.load(path.with_suffix(".npz"))


def test_a_newer_format(tmp_path):
    arrays = contents(made(), tmp_path / "p")
    np.savez(tmp_path / "q.npz", **(arrays | {"format": np.array(predictive_file.FORMAT + 1)}))
    with pytest.raises(ValueError, match="of format 2. Load it with the version"):
        Predictive.load(tmp_path / "q.npz")


def test_files_of_other_kinds(tmp_path):
    Network.initialize(1, 2, 1).save(tmp_path / "network")
    with pytest.raises(ValueError, match="kind: not a predictive"):
        Predictive.load(tmp_path / "network")
    with pytest.raises(FileNotFoundError):
        Predictive.load(tmp_path / "nowhere")
    (tmp_path / "text").write_text("no archive")
    with pytest.raises(ValueError, match="no .npz file"):
        Predictive.load(tmp_path / "text")
    with pytest.raises(TypeError, match="path"):
        Predictive.load(3)


def test_crafted_files_are_read_or_refused(tmp_path):
    path = tmp_path / "p"
    made().save(path)
    file = crafted.taken_apart(path.read_bytes())
    refused = 0
    for _, content in crafted.mutants(file, seed=0, count=300):
        path.write_bytes(content)
        try:
            known = Predictive.load(path)
        except ValueError:
            refused += 1
            continue
        with np.errstate(all="ignore"):
            _, std = known.predict(np.zeros((2, 3)), return_std=True)
        assert std.shape == (2, 3)
    assert refused > 150
