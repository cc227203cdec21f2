"""The recipes of docs/deployment.md, for every activation, dtype and unit that they are for.

That the code of the page runs and prints what the page shows is tested elsewhere.  Here the
functions that it defines are called for other networks.
"""

from __future__ import annotations

import ast
import re

import numpy as np
import pytest

import batchprop
from tests.export.raw_units import ACTIVATIONS, DTYPES, TOLERANCE, UNITS, difference, raw_network
from tests.project import ROOT
from tests.test_documented import FENCE

PAGE = ROOT / "docs" / "deployment.md"
CONSTANT = re.compile("[A-Z][A-Z_]+")
DEFINITIONS = ast.Import | ast.ImportFrom | ast.FunctionDef


def definitions(heading):
    """Return what a section of the page defines: its imports, functions and constants."""
    text = PAGE.read_text("utf-8")
    section = text[text.index(f"\n## {heading}\n") + 1 :].split("\n## ")[0]
    names = {"np": np, "batchprop": batchprop}
    for language, code in FENCE.findall(section):
        for node in ast.parse(code).body if language == "python" else ():
            is_constant = isinstance(node, ast.Assign) and CONSTANT.fullmatch(
                ast.unparse(node.targets[0])
            )
            if "gurobipy" not in code and (is_constant or isinstance(node, DEFINITIONS)):
                exec(compile(ast.Module([node], []), str(PAGE), "exec"), names)
    return names


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_casadi_computes_the_prediction(activation, dtype, unit):
    casadi = pytest.importorskip("casadi")
    outputs = definitions("CasADi")["casadi_outputs"]
    for n_outputs in (1, 3):
        network, X = raw_network(activation, dtype, unit, n_outputs)
        x = casadi.MX.sym("x", 3)
        function = casadi.Function("network", [x], [outputs(network, x)])
        Y = function(X.astype(np.float64)).full().astype(dtype)
        assert difference(Y, network, X) < TOLERANCE[dtype]


@pytest.mark.parametrize("activation", ["logistic", "tanh", "softplus"])
def test_casadi_has_its_derivatives(activation):
    casadi = pytest.importorskip("casadi")
    network, X = raw_network(activation, n_outputs=3)
    x = casadi.MX.sym("x", 3)
    y = definitions("CasADi")["casadi_outputs"](network, x)
    derivative = casadi.Function("derivative", [x], [casadi.jacobian(y, x)])
    expected = network.jacobian(X, engine="vectorized")
    for i in range(X.shape[1]):
        np.testing.assert_allclose(derivative(X[:, i]).full(), expected[:, :, i], rtol=1e-9)


def omlt_block(network, bounds, formulation, tmp_path=None):
    """Return a Pyomo model with the network, read from an ONNX file if there is a folder for it."""
    import omlt.io
    import pyomo.environ as pyo

    if tmp_path is None:
        definition = definitions("Pyomo through OMLT")["omlt_definition"](network, bounds)
    else:
        path = str(tmp_path / "network.onnx")
        network.to_onnx(path)
        omlt.io.write_onnx_model_with_bounds(path, input_bounds=bounds)
        definition = omlt.io.load_onnx_neural_network_with_bounds(path)
    model = pyo.ConcreteModel()
    model.surrogate = omlt.OmltBlock()
    model.surrogate.build_formulation(formulation(definition))
    return model


@pytest.mark.parametrize("from_file", [True, False])
@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "softplus"])
def test_omlts_constraints_hold_at_the_prediction(activation, unit, from_file, tmp_path):
    pytest.importorskip("omlt")
    from omlt.neuralnet import ReducedSpaceSmoothNNFormulation

    if activation == "softplus" and from_file:
        pytest.skip("OMLT knows softplus, but not as the operators that the file consists of")
    network, X = raw_network(activation, "float64", unit, n_outputs=3)
    names = definitions("Pyomo through OMLT")
    lower, upper = X.min(axis=1), X.max(axis=1)
    in_box = names["on_unit_box"](network, lower, upper)
    bounds = dict.fromkeys(range(3), (0.0, 1.0))
    folder = tmp_path if from_file else None
    model = omlt_block(in_box, bounds, ReducedSpaceSmoothNNFormulation, folder)
    assert {i: model.surrogate.inputs[i].bounds for i in range(3)} == bounds
    size = np.abs(network.W_y).max()
    for x, y in zip(X.T, network.predict(X, engine="vectorized").T, strict=True):
        u = (x - lower) / (upper - lower)
        assert names["violation"](model.surrogate, u, y) < 1e-12 * size
        assert names["violation"](model.surrogate, u, y + 0.01 * size) > 0.009 * size


def test_omlts_mixed_integer_model_has_the_networks_minimum(tmp_path):
    """SciPy's solver minimises the linear model that OMLT makes of a relu network."""
    pytest.importorskip("omlt")
    from omlt.neuralnet import ReluBigMFormulation
    from pyomo import environ as pyo
    from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler
    from scipy.optimize import Bounds, LinearConstraint, milp

    network, _ = raw_network("relu")
    model = omlt_block(network, dict.fromkeys(range(3), (-1.0, 1.0)), ReluBigMFormulation, tmp_path)
    model.objective = pyo.Objective(expr=model.surrogate.outputs[0])
    form = LinearStandardFormCompiler().write(model)
    low, high = np.array([variable.bounds for variable in form.columns], float).T
    bounds = Bounds(np.nan_to_num(low, nan=-np.inf), np.nan_to_num(high, nan=np.inf))
    integer = np.array([variable.is_binary() for variable in form.columns])
    solution = milp(
        form.c.toarray()[0],
        constraints=LinearConstraint(form.A, ub=form.rhs),
        bounds=bounds,
        integrality=integer,
    )
    value = dict(zip(map(id, form.columns), solution.x, strict=True))
    x = np.array([[value[id(model.surrogate.inputs[i])]] for i in range(3)])
    smallest = network.predict(x, engine="vectorized")[0, 0]
    assert value[id(model.surrogate.outputs[0])] == pytest.approx(smallest, abs=1e-6)
    assert smallest <= smallest_on_a_grid(network, -np.ones(3), np.ones(3)) + 1e-6


def smallest_on_a_grid(network, lower, upper, n=25):
    """Return the smallest prediction of the first output on a grid of n³ inputs."""
    axes = (np.linspace(*ends, n) for ends in zip(lower, upper, strict=True))
    X = np.stack([axis.ravel() for axis in np.meshgrid(*axes)])
    return network.predict(X, engine="vectorized")[0].min()


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("mean", [0.0, 3.0])  # 3: some units are never, or always, 0 in the box
def test_big_m_has_the_networks_minimum(mean, dtype, unit):
    from scipy.optimize import Bounds, LinearConstraint, milp

    network, _ = raw_network("relu", dtype, unit, mean=mean)
    lower, upper = (mean - 1.5) * unit * np.ones(3), (mean + 1.5) * unit * np.ones(3)
    names = definitions("Gurobi and other MIP solvers")
    c, A, b, low, high, integer = names["big_m"](network, lower, upper)
    size = np.abs(c).max()
    for sign in (1, -1):  # the largest prediction as well
        solution = milp(
            sign * c / size,
            constraints=LinearConstraint(A, ub=b),
            bounds=Bounds(low, high),
            integrality=integer,
        )
        assert solution.success
        exact = batchprop.Network(
            *(np.float64(block) for block in (network.W_h, network.b_h)),
            *(sign * np.float64(block) for block in (network.W_y, network.b_y)),
            "relu",
        )
        x = lower + (upper - lower) * solution.x[:3]
        smallest = exact.predict(x[:, np.newaxis], engine="vectorized")[0, 0]
        promised = solution.fun * size + exact.b_y[0]
        assert abs(promised - smallest) < 1e-5 * size
        assert smallest <= smallest_on_a_grid(exact, lower, upper) + 1e-5 * size
