"""safetensors files: the same bits, read by the package itself."""

from __future__ import annotations

import os

import numpy as np
import pytest

from batchprop import Network, __version__
from batchprop.export import safetensors_file
from batchprop.parameters import split
from tests.bad_input import FORM
from tests.export.raw_units import ACTIVATIONS, DTYPES, UNITS, raw_network

safetensors = pytest.importorskip("safetensors")
reader = pytest.importorskip("safetensors.numpy")


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_network_comes_back_bit_by_bit(activation, dtype, unit, tmp_path):
    path = tmp_path / "network.safetensors"
    for n_outputs in (1, 3):
        network, X = raw_network(activation, dtype, unit, n_outputs)
        network.to_safetensors(path)
        tensors = reader.load_file(path)
        assert set(tensors) == {"W_h", "b_h", "W_y", "b_y"}
        for name, block in split(network.theta, network.shape)._asdict().items():
            assert (tensors[name].dtype, tensors[name].shape) == (block.dtype, block.shape)
            assert tensors[name].tobytes() == block.tobytes()
        with safetensors.safe_open(path, framework="numpy") as file:
            metadata = file.metadata()
        assert metadata == {
            "producer": "batchprop",
            "version": __version__,
            "activation": activation,
        }
        again = Network(**tensors, activation=metadata["activation"])
        Y = again.predict(X, engine="vectorized")
        np.testing.assert_array_equal(Y, network.predict(X, engine="vectorized"))


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "network.safetensors"
    raw_network().network.to_safetensors(path)
    content = path.read_bytes()

    def refused(*_):
        raise OSError("no space")

    monkeypatch.setattr(os, "replace", refused)
    with pytest.raises(OSError, match="no space"):
        raw_network("relu").network.to_safetensors(path)
    assert path.read_bytes() == content
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize(("path", "error"), [(3, TypeError), ("no/such/n", ValueError)])
def test_bad_paths(path, error, monkeypatch):
    monkeypatch.setattr(safetensors_file, "optional_package", None)  # no work has begun
    with pytest.raises(error) as raised:
        raw_network().network.to_safetensors(path)
    assert FORM.match(str(raised.value))
