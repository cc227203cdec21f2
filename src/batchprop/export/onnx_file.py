"""The network as an ONNX file: written, checked, and compared with the network."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop import validation
from batchprop.export.onnx_graph import Graph, network_graph
from batchprop.export.optional_package import optional_package
from batchprop.export.rounding_error import largest_error, predictions, responsive_samples
from batchprop.files import atomic_file
from batchprop.parameters import Blocks
from batchprop.validation.error_text import message, written
from batchprop.version import __version__

Array = npt.NDArray[Any]

# Since opset 7, Gemm broadcasts its bias.  onnxruntime loads each of these in both dtypes.
OPSETS = range(7, 27)
TOLERABLE = 1e-3  # largest error without a warning, in standard deviations of an output

_OLDEST_IR = 4  # the first format in which a constant need not also be an input
_LARGEST_FILE = 2**31 - 2**16  # bytes: protobuf has no larger messages
_BLOCK = 10_000  # samples that are evaluated at a time
_INPUT, _OUTPUT = "X", "Y"


class OnnxExport(NamedTuple):
    """What was written, and how exact it is.

    Attributes
    ----------
    path : Path
        The file.
    dtype : str
        Dtype of the file's input, output and parameters.
    opset : int
        Version of ONNX's operator set.
    error : float
        Largest difference between the file's predictions and the network's, over all samples and
        outputs, in units of the standard deviation of the output (for an output that does not
        vary, in units of its largest value).
    n_samples : int
        Number of samples that ``error`` was measured on.
    """

    path: Path
    dtype: str
    opset: int
    error: float
    n_samples: int


def write(
    path: str | os.PathLike[str],
    rounded: Blocks,
    exact: Blocks,
    activation: str,
    opset: int,
    X: npt.ArrayLike | None,
    stacklevel: int,
) -> OnnxExport:
    """Write an ONNX file atomically and return what it is; see ``Exportable.to_onnx``.

    Parameters
    ----------
    path : str or path-like
        The file's name, used as it is; an existing file is replaced.
    rounded, exact : Blocks
        Parameters in the file's dtype, and in the network's.
    activation : str
        Name of the activation.
    opset : int
        Version of ONNX's operator set.
    X : array_like, shape (e, N), or None
        Inputs on which the file is compared with the network.
    stacklevel : int
        What the caller of this function would pass to ``warnings.warn``.
    """
    path = validation.file_path("path", path)
    dtype = rounded.W_h.dtype
    _check_opset(opset)
    samples = _samples(exact, X, dtype)
    _check_size(sum(block.nbytes for block in rounded))
    onnx = optional_package("onnx", "network.to_onnx", "batchprop[onnx]")
    _check_installed(onnx, opset)
    graph = network_graph(rounded, activation, dtype, x=_INPUT, y=_OUTPUT)
    model = _model(onnx, graph, rounded, activation, opset)
    onnx.checker.check_model(model, full_check=True)
    error = _error(model, exact, activation, samples, dtype)
    atomic_file.write_bytes(path, model.SerializeToString())
    if error > TOLERABLE:
        text = _warning(error, dtype, is_drawn=X is None)
        warnings.warn(text, UserWarning, stacklevel=stacklevel + 1)
    return OnnxExport(path, dtype.name, opset, error, samples.shape[1])


def _check_opset(opset: object) -> None:
    """Reject what is not a version of the operator set that this module writes."""
    expected = f"be an integer from {OPSETS[0]} to {OPSETS[-1]}"
    if validation.count("opset", opset) not in OPSETS:
        remedy = "Pass 13, the default, unless the reader of the file asks for another one."
        raise ValueError(message("opset", expected, written(opset), remedy))


def _check_installed(onnx: Any, opset: int) -> None:
    """Reject an operator set that is newer than the installed onnx, which could not check it."""
    newest = onnx.defs.onnx_opset_version()
    if opset > newest:
        expected = f"be at most {newest}, the newest that onnx {onnx.__version__} knows"
        remedy = "Pass a lower one, or install a newer onnx."
        raise ValueError(message("opset", expected, written(opset), remedy))


def _check_size(n_bytes: int) -> None:
    if n_bytes > _LARGEST_FILE:
        expected = "need less than 2 GiB of parameters for an ONNX file"
        remedy = "Export float32, or use to_safetensors or save."
        raise ValueError(message("network", expected, f"{n_bytes / 2**30:.3g} GiB", remedy))


def _samples(blocks: Blocks, X: npt.ArrayLike | None, dtype: np.dtype[Any]) -> Array:
    """Return the inputs (e, N), in float64, on which the file is compared with the network."""
    if X is None:
        return responsive_samples(blocks)
    samples = validation.inputs(X, blocks.W_h.shape[1])
    validation.in_range("X", samples, dtype, "Pass dtype='float64'.")
    return samples.astype(np.float64, copy=False)


def _model(onnx: Any, graph: Graph, blocks: Blocks, activation: str, opset: int) -> Any:
    """Return the graph as ONNX's own object, with metadata."""
    helper = onnx.helper
    m, e = blocks.W_h.shape
    s = blocks.b_y.size
    element = helper.np_dtype_to_tensor_dtype(blocks.W_h.dtype)
    nodes = [
        helper.make_node(node.operator, node.inputs, [node.output], node.output, **node.attributes)
        for node in graph.nodes
    ]
    onnx_graph = helper.make_graph(
        nodes,
        "batchprop",
        [helper.make_tensor_value_info(_INPUT, element, ["N", e])],
        [helper.make_tensor_value_info(_OUTPUT, element, ["N", s])],
        [onnx.numpy_helper.from_array(array, name) for name, array in graph.constants.items()],
    )
    opsets = [helper.make_opsetid("", opset)]
    model = helper.make_model(
        onnx_graph,
        opset_imports=opsets,
        ir_version=max(_OLDEST_IR, helper.find_min_ir_version_for(opsets)),
        producer_name="batchprop",
        producer_version=__version__,
        doc_string=f"Y = W_y σ(W_h x + b_h) + b_y for each row x of X (N, {e}); Y (N, {s})",
    )
    helper.set_model_props(model, {"activation": activation, "n_hidden": str(m)})
    return model


def _error(
    model: Any, blocks: Blocks, activation: str, samples: Array, dtype: np.dtype[Any]
) -> float:
    """Return the largest error of the model, as ONNX's reference implementation evaluates it."""
    reference = optional_package("onnx.reference", "network.to_onnx", "batchprop[onnx]")
    evaluator = reference.ReferenceEvaluator(model)
    Y = np.empty((blocks.b_y.size, samples.shape[1]))
    expected = np.empty_like(Y)
    for start in range(0, samples.shape[1], _BLOCK):
        block = slice(start, start + _BLOCK)
        with np.errstate(all="ignore"):  # beyond the range of float32: the error tells
            rows = np.ascontiguousarray(samples[:, block].T, dtype)
            Y[:, block] = evaluator.run(None, {_INPUT: rows})[0].T
        expected[:, block] = predictions(blocks, activation, samples[:, block])
    return largest_error(Y, expected)


def _warning(error: float, dtype: np.dtype[Any], is_drawn: bool) -> str:
    """Return the warning about a large error, with the remedy."""
    where = "samples drawn where the hidden units respond" if is_drawn else "X"
    text = (
        f"The predictions of the {dtype} file differ from the network's by up to {error:.2g} "
        f"standard deviations of an output, on {where}: {dtype} does not resolve these units. "
    )
    if dtype == np.float32:
        text += 'Export with dtype="float64", or subtract'
    else:
        text += "Subtract"
    text += " the means from the columns before training."
    return f"{text} Pass X= to measure on your own samples." if is_drawn else text
