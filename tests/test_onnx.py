"""skl2onnx converts the estimator, and pipelines that contain it, after one call."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import batchprop.onnx
from batchprop.activations import ACTIVATIONS

skl2onnx = pytest.importorskip("skl2onnx")
onnxruntime = pytest.importorskip("onnxruntime")
pandas = pytest.importorskip("pandas")

from sklearn.compose import ColumnTransformer  # noqa: E402
from sklearn.ensemble import VotingRegressor  # noqa: E402
from sklearn.exceptions import ConvergenceWarning, NotFittedError  # noqa: E402
from sklearn.model_selection import GridSearchCV  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import OneHotEncoder, StandardScaler  # noqa: E402

from batchprop.sklearn import BatchMLPRegressor  # noqa: E402

RNG = np.random.default_rng(0)
X = RNG.uniform(-1, 1, (60, 3))
Y = np.column_stack([X[:, 0] * X[:, 1], X[:, 2] ** 2, np.sin(X[:, 0])])
TARGETS = {"1-d": Y[:, 0], "one column": Y[:, :1], "three columns": Y}

pytestmark = pytest.mark.filterwarnings(
    f"ignore::{ConvergenceWarning.__module__}.{ConvergenceWarning.__name__}"
)


@pytest.fixture(autouse=True)
def _registered():
    batchprop.onnx.register()


def regressor(activation="tanh", **more):
    options = {"hidden_size": 4, "alpha": 0.01, "max_iter": 20, "random_state": 0}
    return BatchMLPRegressor(activation=activation, engine="vectorized", **(options | more))


def run(model, inputs):
    with warnings.catch_warnings():  # skl2onnx's and onnx's own
        warnings.simplefilter("ignore")
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), providers=["CPUExecutionProvider"]
        )
    (output,) = session.run(None, inputs)
    return output


def assert_same(model, converted, X, inputs=None, tolerance=1e-13):
    output = run(converted, {"X": X} if inputs is None else inputs)
    expected = model.predict(X)
    np.testing.assert_allclose(
        output, expected.reshape(len(expected), -1), rtol=tolerance, atol=tolerance
    )
    return output


@pytest.mark.parametrize("targets", TARGETS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_alone(activation, targets):
    model = regressor(activation).fit(X, TARGETS[targets])
    output = assert_same(model, skl2onnx.to_onnx(model, X[:1]), X)
    assert output.dtype == np.float64
    one = np.ascontiguousarray(X[:1])
    assert_same(model, skl2onnx.to_onnx(model, X[:1]), one)


@pytest.mark.parametrize("fitted", ["float32", "float64"])
@pytest.mark.parametrize("given", ["float32", "float64"])
def test_in_a_pipeline_in_each_dtype(fitted, given):
    model = make_pipeline(StandardScaler(), regressor("softplus"))
    model.fit(X.astype(fitted), Y)
    converted = skl2onnx.to_onnx(model, X[:1].astype(given))
    tolerance = 1e-13 if fitted == given == "float64" else 1e-5
    output = run(converted, {"X": X.astype(given)})
    assert output.dtype == given
    np.testing.assert_allclose(output, model.predict(X), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_raw_units_without_a_scaler(unit):
    """Inputs are float32, but the network computes in float64, so that its units do not cancel."""
    inputs = (unit * (1000.0 + X)).astype(np.float32).astype(np.float64)
    model = regressor().fit(inputs, unit * Y)
    output = run(skl2onnx.to_onnx(model, inputs[:1].astype("float32")), {"X": inputs.astype("f")})
    np.testing.assert_allclose(output / unit, model.predict(inputs) / unit, rtol=1e-6, atol=1e-6)


def test_text_columns():
    table = pandas.DataFrame({"a": X[:, 0], "b": X[:, 1], "c": RNG.choice(["x", "y", "z"], 60)})
    columns = ColumnTransformer(
        [("numbers", StandardScaler(), ["a", "b"]), ("text", OneHotEncoder(), ["c"])],
        sparse_threshold=0.0,
    )
    model = make_pipeline(columns, regressor()).fit(table, Y[:, 0])
    inputs = {name: table[[name]].to_numpy() for name in table}
    assert_same(model, skl2onnx.to_onnx(model, table[:1]), table, inputs)


def test_integers_are_cast():
    table = np.rint(10 * X).astype(np.int64)
    model = regressor().fit(table, Y[:, 0])
    assert_same(model, skl2onnx.to_onnx(model, table[:1]), table)


def test_two_of_them_in_one_graph():
    model = VotingRegressor([("a", regressor()), ("b", regressor("elu", hidden_size=3))])
    model.fit(X, Y[:, 0])
    assert_same(model, skl2onnx.to_onnx(model, X[:1]), X)


def test_the_best_of_a_search():
    model = GridSearchCV(regressor(), {"hidden_size": [2, 3]}, cv=2).fit(X, Y[:, 0])
    assert_same(model, skl2onnx.to_onnx(model, X[:1]), X)


def test_convert_sklearn_at_an_older_opset():
    model = regressor("elu").fit(X, Y)
    types = [("table", skl2onnx.common.data_types.DoubleTensorType([None, 3]))]
    converted = skl2onnx.convert_sklearn(model, initial_types=types, target_opset=12)
    assert converted.opset_import[0].version <= 12
    assert_same(model, converted, X, {"table": X})


def test_a_model_that_is_not_fitted():
    with pytest.raises(NotFittedError):
        skl2onnx.to_onnx(regressor(), X[:1])
