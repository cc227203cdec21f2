"""``batchprop export``: every format predicts what the model predicts."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from batchprop.cli import model as models
from batchprop.cli.identifiers import identifiers
from tests.cli.test_predict_command import inputs_of


@pytest.fixture
def network(model):
    return models.load("model.npz").network


def test_python(run, model, network):
    outcome = run("export", "model.npz", "--to", "python", "-o", "formula.py")
    assert (outcome.code, outcome.out) == (0, "")
    assert "names in the formulas: kind_u is kind=u, kind_v is kind=v" in outcome.err
    assert "column=category is 1 in rows of this category" in outcome.err
    functions = {}
    exec((run.folder / "formula.py").read_text(), functions)
    X = inputs_of(model)
    for o, target in enumerate("yz"):
        predicted = [
            functions[target](a=x[0], b=x[1], kind_u=x[2], kind_v=x[3], kind_w=x[4])
            for x in X.T.tolist()
        ]
        np.testing.assert_allclose(predicted, network.predict(X)[o], rtol=1e-12, atol=1e-14)


def test_other_languages_go_to_standard_output(run, model, network):
    for language, text in (("r", "function(a, b, kind_u"), ("matlab", "@(a, b, kind_u")):
        outcome = run("export", "model.npz", "--to", language, "--quiet")
        assert (outcome.code, outcome.err) == (0, "")
        assert text in outcome.out
    outcome = run("export", "model.npz", "--to", "excel")
    assert outcome.out.startswith("=")
    assert "A2, B2, ... are: a, b, kind=u, kind=v, kind=w" in outcome.err


def test_onnx(run, model, network):
    runtime = pytest.importorskip("onnxruntime")
    outcome = run("export", "model.npz", "--to", "onnx", "-o", "m.onnx")
    assert outcome.code == 0, outcome.err
    assert "inputs, in this order: a, b, kind=u, kind=v, kind=w" in outcome.err
    session = runtime.InferenceSession("m.onnx", providers=["CPUExecutionProvider"])
    X = inputs_of(model)
    (Y,) = session.run(None, {"X": np.ascontiguousarray(X.T)})
    np.testing.assert_allclose(Y.T, network.predict(X), rtol=1e-12, atol=1e-13)


def test_safetensors_and_c(run, model, network):
    load_file = pytest.importorskip("safetensors.numpy").load_file
    options = ("--to", "safetensors", "-o", "m.safetensors", "--dtype", "float32")
    assert run("export", "model.npz", *options).code == 0
    tensors = load_file("m.safetensors")
    np.testing.assert_array_equal(tensors["W_h"], network.W_h.astype("f4"))
    assert run("export", "model.npz", "--to", "c", "-o", "car.h").code == 0
    assert "car_predict(const double x[5], double y[2])" in (run.folder / "car.h").read_text()


@pytest.mark.parametrize(
    ("options", "code", "text"),
    [
        (("--to", "onnx"), 2, "--to onnx writes a file. Name it by -o"),
        (("--to", "cobol"), 2, "invalid choice"),
        ((), 2, "--to"),
        (("--to", "c", "-o", "nowhere/m.h"), 2, "Make 'nowhere' first"),
        (("--to", "c", "-o", "2 + 2.h"), 2, "name"),
        (("--to", "python", "-o", "nowhere/m.py"), 3, "nowhere/m.py: No such file"),
    ],
)
def test_mistakes(run, model, options, code, text):
    outcome = run("export", "model.npz", *options)
    assert outcome.code == code
    assert text in outcome.err
    assert "Traceback" not in outcome.err


def test_a_package_that_is_not_installed(run, model, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    outcome = run("export", "model.npz", "--to", "onnx", "-o", "m.onnx")
    assert outcome.code == 3
    assert 'pip install "batchprop[onnx]"' in outcome.err


def test_names_become_identifiers():
    names = ["a", "engine size", "engine_size", "2nd", "größe", "", "for", "a"]
    assert identifiers(names, {"for"}) == [
        *("a", "engine_size", "engine_size_2", "x2nd", "gr_e", "x", "for_2", "a_2")
    ]
