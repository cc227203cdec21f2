"""ONNX files: onnxruntime predicts what the network predicts, and the error is reported."""

from __future__ import annotations

import os
import warnings

import numpy as np
import pytest

from batchprop import Network, __version__
from batchprop.export import onnx_file
from tests.bad_input import FORM
from tests.export.raw_units import ACTIVATIONS, DTYPES, TOLERANCE, UNITS, difference, raw_network

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "network.onnx"


def run(path, X):
    """Return what onnxruntime computes from the file, for samples in columns."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (Y,) = session.run(["Y"], {"X": np.ascontiguousarray(X.T)})
    return Y.T


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_onnxruntime_predicts_the_same(activation, dtype, unit, path):
    for n_outputs in (1, 3):
        network = raw_network(activation, dtype, unit, n_outputs).network
        export = network.to_onnx(path)
        assert export == (path, dtype, 13, export.error, 1000)
        assert export.error < TOLERANCE[dtype]
        for n_samples in (1, 7):
            X = raw_network(activation, dtype, unit, n_outputs, n_samples).X
            assert difference(run(path, X), network, X) < TOLERANCE[dtype]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_other_dtype(activation, path):
    network, X = raw_network(activation, n_samples=200)
    export = network.to_onnx(path, dtype="float32", X=X)
    Y = run(path, X.astype(np.float32))
    error = np.abs(Y - network.predict(X, engine="vectorized")).max()
    std = network.predict(X, engine="vectorized").std()
    assert export.dtype == "float32"
    assert export.n_samples == 200
    assert 1e-8 < export.error < TOLERANCE["float32"]
    assert error / std < 3 * export.error + 1e-7  # onnxruntime rounds elsewhere
    wide = network.astype("float32")
    assert wide.to_onnx(path, dtype="float64").dtype == "float64"
    assert difference(run(path, X), Network(*map(np.float64, blocks(wide)), activation), X) < 1e-13


def blocks(network):
    return network.W_h, network.b_h, network.W_y, network.b_y


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_opset_runs(activation, dtype, path):
    network, X = raw_network(activation, dtype)
    for opset in onnx_file.OPSETS:
        if opset <= onnx.defs.onnx_opset_version():
            assert network.to_onnx(path, opset=opset).opset == opset
            assert onnx.load(path).opset_import[0].version == opset
            assert difference(run(path, X), network, X) < TOLERANCE[dtype]


@pytest.mark.parametrize("size", [0.0, 1e-300, 1e-12, 1.0, 30.0, 50.0, 800.0, 1e30, 1e300])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_far_out_and_near_zero_each_digit_is_right(activation, size, path):
    """The hidden unit itself is the output: nothing hides its error."""
    network = Network([[1.0]], [0.0], [[1.0]], [0.0], activation)
    X = np.array([[-size, size]])
    network.to_onnx(path, X=np.array([[-1.0, 0.0, 1.0]]))
    expected = network.predict(X, engine="vectorized")
    # (1 + tanh(z/2)) / 2, the network's own form of logistic, is exact beside 1, not beside 0
    atol = 2e-16 if activation == "logistic" else 0.0
    np.testing.assert_allclose(run(path, X), expected, rtol=3e-15, atol=atol)


def test_a_file_says_what_it_is(path):
    network = raw_network("softplus", n_outputs=2).network
    network.to_onnx(path)
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert (model.producer_name, model.producer_version) == ("batchprop", __version__)
    assert model.ir_version == 7
    properties = {entry.key: entry.value for entry in model.metadata_props}
    assert properties == {"activation": "softplus", "n_hidden": "8"}
    (x,), (y,) = model.graph.input, model.graph.output
    dims = [[d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim] for v in (x, y)]
    assert dims == [["N", 3], ["N", 2]]
    for node in model.graph.node:
        if node.op_type == "Gemm":
            names = {attribute.name for attribute in node.attribute}
            assert names == {"alpha", "beta", "transA", "transB"}


def test_cancelling_units_are_measured_and_told(path):
    """Inputs near 10⁶ that vary by 1: float32 resolves a sixteenth of that."""
    network, X = raw_network(mean=1e6, n_samples=300)
    with pytest.warns(
        UserWarning, match=r"float32 file differ.* Export with dtype=\"float64\""
    ) as told:
        export = network.to_onnx(path, dtype="float32", X=X)
    assert told[0].filename == __file__
    expected = network.predict(X, engine="vectorized")
    error = np.abs(run(path, X.astype(np.float32)) - expected).max() / expected.std()
    assert 0.03 < error < 3
    assert error / 3 < export.error < 3 * error
    with pytest.warns(UserWarning, match="samples drawn where the hidden units respond"):
        drawn = network.to_onnx(path, dtype="float32")
    assert export.error / 5 < drawn.error < 5 * export.error  # samples drawn say nearly the same
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert network.to_onnx(path, X=X).error < 1e-8
    assert difference(run(path, X), network, X) < 1e-8


def test_the_remedy_for_float64_is_another_one():
    text = onnx_file._warning(0.25, np.dtype(np.float64), is_drawn=False)
    assert "differ from the network's by up to 0.25 standard deviations of an output, on X" in text
    assert text.endswith("Subtract the means from the columns before training.")


def test_a_file_is_replaced_whole_or_not_at_all(path, monkeypatch):
    network = raw_network().network
    network.to_onnx(path)
    content = path.read_bytes()

    def refused(*_):
        raise OSError("no space")

    monkeypatch.setattr(os, "replace", refused)
    with pytest.raises(OSError, match="no space"):
        raw_network("relu").network.to_onnx(path)
    assert path.read_bytes() == content
    assert os.listdir(path.parent) == [path.name]


X = np.ones((3, 4))


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"opset": 6}, ValueError, "opset must be an integer from 7 to 26; got 6"),
        ({"opset": 27}, ValueError, "opset must be an integer from 7 to 26; got 27"),
        ({"opset": "13"}, TypeError, "opset must be an integer"),
        ({"dtype": "float16"}, ValueError, "dtype must be float32 or float64; got 'float16'"),
        ({"path": 3}, TypeError, "path must be the name of a file; got 3"),
        ({"path": "no/such/folder/n.onnx"}, ValueError, "path must be in a folder that exists"),
        ({"path": "."}, ValueError, "path must be the name of a file; got the folder"),
        ({"X": X.T}, ValueError, "X must have shape (3, N)"),
        ({"X": np.full((3, 2), np.nan)}, ValueError, "X must be finite"),
        ({"X": 1e39 * X, "dtype": "float32"}, ValueError, "X must stay within ±3.4e+38"),
    ],
)
def test_bad_arguments(arguments, error, words, path, monkeypatch):
    monkeypatch.setattr(onnx_file, "optional_package", None)  # no work has begun
    with pytest.raises(error) as raised:
        raw_network().network.to_onnx(**({"path": path} | arguments))
    assert words in str(raised.value)
    assert FORM.match(str(raised.value))
    assert not path.exists()


def test_parameters_that_are_not_finite(path):
    network = raw_network().network
    network.W_h[1, 2] = np.nan
    for write in (network.to_onnx, network.to_safetensors):
        with pytest.raises(ValueError, match=r"W_h must be finite; got nan at W_h\[1, 2\]"):
            write(path)
    assert not path.exists()


def test_parameters_beyond_float32(path):
    network = Network([[1e-40]], [0.0], [[1e40]], [0.0])
    with pytest.raises(ValueError, match="W_y must stay within .* Pass dtype="):
        network.to_onnx(path, dtype="float32")
    assert network.to_onnx(path).error < 1e-12


def test_an_opset_that_the_installed_onnx_does_not_know(path, monkeypatch):
    monkeypatch.setattr(onnx.defs, "onnx_opset_version", lambda: 12)
    with pytest.raises(
        ValueError, match="opset must be at most 12, the newest that onnx .* got 13"
    ):
        raw_network().network.to_onnx(path)


def test_a_network_too_large_for_the_format(path, monkeypatch):
    monkeypatch.setattr(onnx_file, "_LARGEST_FILE", 8 * (3 * 8 + 8 + 8 + 1) - 1)
    with pytest.raises(ValueError, match="network must need less than 2 GiB"):
        raw_network().network.to_onnx(path)
    raw_network().network.to_onnx(path, dtype="float32")


def test_samples_are_evaluated_block_by_block(path, monkeypatch):
    network, X = raw_network(n_samples=25)
    whole = network.to_onnx(path, dtype="float32", X=X)
    monkeypatch.setattr(onnx_file, "_BLOCK", 10)
    parts = network.to_onnx(path, dtype="float32", X=X)
    assert parts.n_samples == 25
    assert 0.3 < parts.error / whole.error < 3
