"""The network as nodes of an ONNX graph, in ONNX's convention: rows are samples.

    Z = X W_hᵀ + b_h        H = σ(Z)        Y = H W_yᵀ + b_y

Both products are one ``Gemm`` each, with all four attributes written out.  σ consists of operators
for which onnxruntime has float64 kernels.  It has none for Softplus, Elu and Softsign, so they are
composed of others, in forms that neither overflow nor cancel:

    softplus z = max(z, 0) + log1p u        u = exp(−|z|)
    log1p u    = log v + (u − (v − 1)) / v  v = 1 + u, rounded; the quotient is what rounding lost
    elu z      = max(z, 0) + expm1 n        n = z − max(z, 0), the negative part
    expm1 n    = tanh(n/2) (exp n + 1)
    softsign z = z / (1 + |z|)

Nothing here imports onnx: ``onnx_file`` and ``batchprop.onnx`` turn the nodes into its objects.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop.parameters import Blocks

Array = npt.NDArray[Any]


class Node(NamedTuple):
    """One operator of the graph; its output's name is also the node's name.

    Attributes
    ----------
    operator : str
        Name of the ONNX operator.
    inputs : tuple of str
        Names of what it reads.
    output : str
        Name of what it computes.
    attributes : dict
        The operator's attributes.
    """

    operator: str
    inputs: tuple[str, ...]
    output: str
    attributes: dict[str, Any]


class Graph(NamedTuple):
    """The nodes, each after those it reads, and the constants by name."""

    nodes: list[Node]
    constants: dict[str, Array]


class _Builder:
    """Collects nodes and constants; the names in the graph begin with ``prefix``."""

    def __init__(self, dtype: npt.DTypeLike, prefix: str) -> None:
        self.nodes: list[Node] = []
        self.constants: dict[str, Array] = {}
        self._dtype = np.dtype(dtype)
        self._prefix = prefix

    def constant(self, name: str, value: npt.ArrayLike) -> str:
        """Add a constant, in the dtype of the graph, and return its name in the graph."""
        name = self._prefix + name
        self.constants[name] = np.ascontiguousarray(value, self._dtype)
        return name

    def node(self, operator: str, *inputs: str, name: str, **attributes: Any) -> str:
        """Add a node whose inputs are names in the graph, and return the name of its output."""
        return self.node_to(self._prefix + name, operator, *inputs, **attributes)

    def node_to(self, output: str, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with an output of exactly this name."""
        self.nodes.append(Node(operator, inputs, output, attributes))
        return output

    def scalar(self, name: str, value: float) -> str:
        """Add a constant of shape (1,), which every operator broadcasts, and return its name."""
        return self.constant(name, [value])


def network_graph(
    blocks: Blocks, activation: str, dtype: npt.DTypeLike, *, x: str, y: str, prefix: str = ""
) -> Graph:
    """Return the graph of a network.

    Parameters
    ----------
    blocks : Blocks
        The network's parameters.
    activation : str
        Name of the activation.
    dtype : dtype
        float32 or float64: the dtype of all constants, of the input and of the output.
    x, y : str
        Names of the input (N, e) and of the output (N, s).
    prefix : str
        What all other names begin with, so that they differ from those of a surrounding graph.
    """
    builder = _Builder(dtype, prefix)
    Z = _dense(builder, x, prefix + "Z", "h", blocks.W_h, blocks.b_h)
    H = _ACTIVATIONS[activation](builder, Z)
    _dense(builder, H, y, "y", blocks.W_y, blocks.b_y)
    return Graph(builder.nodes, builder.constants)


def _dense(builder: _Builder, x: str, output: str, layer: str, W: Array, b: Array) -> str:
    """Add the rows x Wᵀ + b.  OMLT reads attributes that are written out, and no defaults."""
    weights, biases = builder.constant(f"W_{layer}", W), builder.constant(f"b_{layer}", b)
    gemm = {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 1}
    return builder.node_to(output, "Gemm", x, weights, biases, **gemm)


def _identity(builder: _Builder, Z: str) -> str:
    return Z


def _operator(name: str) -> Callable[[_Builder, str], str]:
    """Return the activation that is one operator of ONNX."""

    def activation(builder: _Builder, Z: str) -> str:
        return builder.node(name, Z, name="H")

    return activation


def _softplus(builder: _Builder, Z: str) -> str:
    one = builder.scalar("one", 1.0)
    positive = builder.node("Relu", Z, name="positive")
    absolute = builder.node("Abs", Z, name="absolute")
    u = builder.node("Exp", builder.node("Neg", absolute, name="minus_absolute"), name="u")
    v = builder.node("Add", u, one, name="v")
    rounded_u = builder.node("Sub", v, one, name="rounded_u")
    lost = builder.node("Sub", u, rounded_u, name="lost")
    correction = builder.node("Div", lost, v, name="correction")
    log1p = builder.node("Add", builder.node("Log", v, name="log_v"), correction, name="log1p_u")
    return builder.node("Add", positive, log1p, name="H")


def _elu(builder: _Builder, Z: str) -> str:
    one, half = builder.scalar("one", 1.0), builder.scalar("half", 0.5)
    positive = builder.node("Relu", Z, name="positive")
    negative = builder.node("Sub", Z, positive, name="negative")
    tangent = builder.node("Tanh", builder.node("Mul", negative, half, name="halved"), name="tanh")
    factor = builder.node("Add", builder.node("Exp", negative, name="exp"), one, name="exp_plus_1")
    expm1 = builder.node("Mul", tangent, factor, name="expm1")
    return builder.node("Add", positive, expm1, name="H")


def _softsign(builder: _Builder, Z: str) -> str:
    one = builder.scalar("one", 1.0)
    absolute = builder.node("Abs", Z, name="absolute")
    return builder.node("Div", Z, builder.node("Add", absolute, one, name="denominator"), name="H")


_ACTIVATIONS: dict[str, Callable[[_Builder, str], str]] = {
    "identity": _identity,
    "logistic": _operator("Sigmoid"),
    "tanh": _operator("Tanh"),
    "relu": _operator("Relu"),
    "softplus": _softplus,
    "elu": _elu,
    "softsign": _softsign,
}
