"""The file of a model: what is written is read, also by Network.load and Predictive.load."""

from __future__ import annotations

import json

import numpy as np
import pytest

from batchprop import Network, Predictive, train
from batchprop.cli import model
from batchprop.cli.model import InputColumn, Model, TableDescription

NETWORK = Network.initialize(3, 4, 2)
TABLE = TableDescription(
    inputs=(InputColumn("größe", None, -1.5, 2.0), InputColumn("kind", ("u", "v"))),
    targets=["y", "z"],
    header=True,
    n_columns=5,
    n_rows=10,
    target_means=[0.5, float("nan")],
    measures={"held_out": None, "rows": 10},
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.npz"


def test_what_is_written_is_read(path):
    model.save(path, Model(NETWORK, TABLE))
    loaded = model.load(path)
    np.testing.assert_array_equal(loaded.network.theta, NETWORK.theta)
    assert loaded.predictive is None
    assert repr(loaded.table) == repr(TABLE)
    assert loaded.table.network_inputs == ["größe", "kind=u", "kind=v"]


def test_the_library_reads_the_network(path):
    model.save(path, Model(NETWORK, TABLE))
    np.testing.assert_array_equal(Network.load(path).theta, NETWORK.theta)
    with pytest.raises(ValueError, match="source: missing"):
        Predictive.load(path)
    with np.load(path, allow_pickle=False) as archive:
        assert json.loads(str(archive["table"]))["targets"] == ["y", "z"]


def test_the_library_reads_how_sure_it_is(path):
    rng = np.random.default_rng(0)
    X = rng.uniform(-1.0, 1.0, (1, 60))
    T = X**2 + 0.1 * rng.normal(size=X.shape)
    result = train(X, T, hidden_size=3, alpha=0.1, uncertainty="laplace")
    table = TableDescription((InputColumn("x"),), ["y"], True, 2, 60, [0.0])
    model.save(path, Model(result.network, table, result.predictive))
    expected = result.predictive.interval(X, 0.9)
    for predictive in (model.load(path).predictive, Predictive.load(path)):
        np.testing.assert_array_equal(predictive.interval(X, 0.9), expected)


def changed(path, **entries):
    """Write a model whose description has other entries; None leaves one out."""
    model.save(path, Model(NETWORK, TABLE))
    with np.load(path) as archive:
        arrays = dict(archive)
    content = json.loads(str(arrays["table"])) | entries
    content = {name: value for name, value in content.items() if value is not None}
    np.savez(path, **(arrays | {"table": np.array(json.dumps(content))}))


@pytest.mark.parametrize(
    "entries",
    [
        {"targets": ["y"]},
        {"targets": "yz"},
        {"targets": [1, 2]},
        {"inputs": []},
        {"inputs": [{"name": "a"}]},
        {"inputs": [1, 2, 3]},
        {"inputs": None},
        {"header": 1},
        {"n_rows": "many"},
        {"target_means": [1.0]},
        {"measures": []},
        {"more": 1},
    ],
)
def test_other_descriptions_are_refused(path, entries):
    changed(path, **entries)
    with pytest.raises(ValueError, match=r"made by batchprop train; got .*damaged \(table: "):
        model.load(path)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "[" * 100_000])
def test_descriptions_that_are_no_json(path, text):
    changed(path)
    with np.load(path) as archive:
        arrays = dict(archive)
    np.savez(path, **(arrays | {"table": np.array(text)}))
    with pytest.raises(ValueError, match="table: "):
        model.load(path)


def test_other_files_are_refused(path):
    NETWORK.save(path)
    with pytest.raises(ValueError, match="without the columns of its table"):
        model.load(path)
    path.write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="no .npz file"):
        model.load(path)
    with pytest.raises(FileNotFoundError):
        model.load(path.with_name("nowhere"))
