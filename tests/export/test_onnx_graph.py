"""The graph without onnx: names, order, and operators that exist in float64."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop.export.onnx_graph import network_graph
from batchprop.parameters import split
from tests.export.raw_units import ACTIVATIONS, DTYPES, raw_network

IN_FLOAT64 = {"Abs", "Add", "Div", "Exp", "Gemm", "Log", "Mul", "Neg", "Relu", "Sigmoid", "Sub"}
IN_FLOAT64 |= {"Tanh"}

NUMPY = {
    "Abs": np.abs,
    "Add": np.add,
    "Div": np.divide,
    "Exp": np.exp,
    "Log": np.log,
    "Mul": np.multiply,
    "Neg": np.negative,
    "Relu": lambda z: np.maximum(z, 0),
    "Sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "Sub": np.subtract,
    "Tanh": np.tanh,
    "Gemm": lambda x, W, b, alpha, beta, transA, transB: alpha * x @ W.T + beta * b,
}


def graph_of(network, dtype="float64", **names):
    return network_graph(
        split(network.theta, network.shape), network.activation, dtype, x="X", y="Y", **names
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_nodes_compute_the_prediction_in_order(activation, dtype):
    network, X = raw_network(activation, n_outputs=2)
    graph = graph_of(network, dtype)
    values = graph.constants | {"X": X.T.astype(dtype)}
    for node in graph.nodes:
        assert node.operator in IN_FLOAT64
        values[node.output] = NUMPY[node.operator](
            *(values[name] for name in node.inputs), **node.attributes
        )
    assert values["Y"].dtype == dtype
    tolerance = 1e-5 if dtype == "float32" else 1e-14
    expected = network.predict(X, engine="vectorized").T
    np.testing.assert_allclose(values["Y"], expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_names_are_unique_and_begin_with_the_prefix(activation):
    graph = graph_of(raw_network(activation).network, prefix="a_")
    names = [node.output for node in graph.nodes] + list(graph.constants)
    assert len(set(names)) == len(names)
    assert [name for name in names if not name.startswith("a_")] == ["Y"]
    read = {name for node in graph.nodes for name in node.inputs}
    assert read == {"X", *names} - {"Y"}


def test_constants_are_copies_in_the_dtype_asked_for():
    network = raw_network("softplus").network
    graph = graph_of(network, "float32")
    assert {array.dtype.name for array in graph.constants.values()} == {"float32"}
    assert {name: array.shape for name, array in graph.constants.items()} == {
        "W_h": (8, 3),
        "b_h": (8,),
        "one": (1,),
        "W_y": (1, 8),
        "b_y": (1,),
    }
