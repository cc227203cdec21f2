"""``register``: lets skl2onnx convert ``BatchMLPRegressor``, alone or inside a pipeline."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from batchprop.export.onnx_graph import network_graph
from batchprop.export.optional_package import optional_package
from batchprop.parameters import split

_CALLER = "batchprop.onnx.register"


def register() -> None:
    """Register ``BatchMLPRegressor`` with skl2onnx.

    After it, ``skl2onnx.to_onnx`` and ``skl2onnx.convert_sklearn`` convert a fitted estimator, and
    every pipeline or search that contains one and that skl2onnx can convert.  Calling it again does
    no harm.

    Raises
    ------
    ImportError
        skl2onnx or scikit-learn is not installed.

    Notes
    -----
    The graph takes and returns the type of its input, float or double, and computes in the dtype of
    the fitted network: float64, unless it was fitted to float32 samples.  Its output "variable"
    has the shape (N, s), also where ``predict`` returns (N,).  It holds the prediction alone,
    without standard deviations.

    Examples
    --------
    >>> import numpy as np
    >>> import skl2onnx
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> import batchprop.onnx
    >>> from batchprop.sklearn import BatchMLPRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.uniform(-1.0, 1.0, (100, 2))
    >>> model = make_pipeline(StandardScaler(), BatchMLPRegressor(hidden_size=5, random_state=0))
    >>> model = model.fit(X, X[:, 0] * X[:, 1])
    >>> batchprop.onnx.register()
    >>> onnx_model = skl2onnx.to_onnx(model, X[:1])
    >>> [output.name for output in onnx_model.graph.output]
    ['variable']
    """
    skl2onnx = optional_package("skl2onnx", _CALLER, "skl2onnx")
    from batchprop.sklearn import BatchMLPRegressor

    skl2onnx.update_registered_converter(
        BatchMLPRegressor, "BatchpropBatchMLPRegressor", _output_type, _convert
    )


def _output_type(operator: Any) -> None:
    """Set the type and the shape (N, s) of the output of skl2onnx's ``operator``."""
    types, utils = (import_module(f"skl2onnx.common.{name}") for name in ("data_types", "utils"))
    utils.check_input_and_output_numbers(operator, input_count_range=1, output_count_range=1)
    input_type = operator.inputs[0].type
    float_types = types.FloatTensorType, types.DoubleTensorType
    network = _network(operator)
    if isinstance(input_type, float_types):
        output_type = type(input_type)
    else:  # integers and booleans
        output_type = float_types[network.dtype == np.float64]
    n_samples = operator.inputs[0].get_first_dimension()
    operator.outputs[0].type = output_type([n_samples, network.shape.n_outputs])


def _convert(scope: Any, operator: Any, container: Any) -> None:
    """Add the nodes of the fitted network to skl2onnx's ``container``."""
    types = import_module("skl2onnx.common.data_types")
    network = _network(operator)
    x, y = operator.inputs[0], operator.outputs[0]
    prefix = scope.get_unique_variable_name("batchprop") + "_"
    element = import_module("onnx.helper").np_dtype_to_tensor_dtype(network.dtype)
    y_element = types.guess_proto_type(y.type)
    same_input = isinstance(x.type, types.FloatTensorType | types.DoubleTensorType) and (
        types.guess_proto_type(x.type) == element
    )
    x_name = x.full_name if same_input else prefix + "X"
    y_name = y.full_name if y_element == element else prefix + "Y"
    if not same_input:
        container.add_node("Cast", x.full_name, x_name, name=prefix + "cast_X", to=element)
    graph = network_graph(
        split(network.theta, network.shape),
        network.activation,
        network.dtype,
        x=x_name,
        y=y_name,
        prefix=prefix,
    )
    for name, array in graph.constants.items():
        container.add_initializer(name, element, array.shape, array.ravel())
    for node in graph.nodes:
        container.add_node(
            node.operator, list(node.inputs), node.output, name=node.output, **node.attributes
        )
    if y_name != y.full_name:
        container.add_node("Cast", y_name, y.full_name, name=prefix + "cast_Y", to=y_element)


def _network(operator: Any) -> Any:
    """Return the network of the fitted estimator, or raise scikit-learn's own error."""
    from sklearn.utils.validation import check_is_fitted

    check_is_fitted(operator.raw_operator)
    return operator.raw_operator.network_
