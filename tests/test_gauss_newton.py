"""`gauss_newton`: loss, gradient and JᵀJ against a Jacobian of complex steps."""

from __future__ import annotations

import numpy as np
import pytest

import batchprop
from batchprop import gauss_newton, loss_and_gradient
from batchprop.activations import ACTIVATIONS
from batchprop.engines import vectorized
from batchprop.engines.fused import blocking
from batchprop.loss import GaussNewton
from batchprop.parameters import Gradient
from tests.jacobians import block_errors, expected
from tests.problems import problem, relative_error, relative_errors

BOUND = 1e-13


def compare(data, engine, **options):
    """Return the largest relative errors of loss, gradient and JᵀJ, block by block."""
    net, X, T, weight = data
    found = gauss_newton(net, X, T, engine=engine, sample_weight=weight, **options)
    loss, gradient, JTJ = expected(data)
    return (
        abs(found.loss / loss - 1),
        max(relative_errors(found.gradient.theta, gradient, net.shape).values()),
        max(block_errors(found.JTJ, JTJ, net.shape).values()),
    )


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("s", [1, 2, 3])
@pytest.mark.parametrize("engine", batchprop.ENGINES)
def test_every_block_pair_is_that_of_the_definition(engine, s, activation):
    for weighted in (False, True):
        data = problem(3, 7, s, 37, activation, weighted=weighted)
        assert max(compare(data, engine)) < BOUND


@pytest.mark.parametrize("n_samples", [1, 2, 7, 8, 9, 31, 32, 33, 63, 65, 257, 513])
@pytest.mark.parametrize(
    ("sizes", "strips_from"),
    [
        *(((1, 1, 1), 96), ((1, 6, 2), 96), ((5, 4, 1), 96), ((9, 13, 3), 96), ((17, 3, 1), 96)),
        *(((20, 7, 1), 1), ((33, 13, 2), 1)),
    ],
    ids=str,
)
def test_ragged_sizes(sizes, strips_from, n_samples, monkeypatch):
    monkeypatch.setattr(blocking, "STRIPS_FROM_UNITS", strips_from)
    data = problem(*sizes, n_samples, "softplus", weighted=n_samples % 2 == 0)
    assert max(compare(data, "fused")) < BOUND


@pytest.mark.parametrize("e", [1, 2, 3, 4, 8, 10])
def test_all_small_numbers_of_units(e):
    """Tiles of six rows and two or four columns end in every possible way."""
    for m in range(1, 15):
        assert max(compare(problem(e, m, 1 + m % 2, 41, "softplus"), "fused")) < BOUND


@pytest.mark.parametrize("engine", ["vectorized", "fused"])
def test_float32_networks_are_computed_in_float64(engine):
    data = problem(4, 6, 2, 300, dtype="float32", weighted=True)
    found = gauss_newton(data.network, data.X, data.T, engine=engine)
    assert found.JTJ.dtype == found.gradient.dtype == np.float64
    assert max(compare(data, engine)) < BOUND


def test_engines_agree_on_blocks_of_samples():
    """More samples than the vectorized engine's Jacobian and the fused kernels' blocks hold."""
    net, X, T, weight = problem(6, 40, 2, 5000, "softplus", weighted=True)
    rival = gauss_newton(net, X, T, engine="vectorized", sample_weight=weight)
    ours = gauss_newton(net, X, T, sample_weight=weight)
    assert abs(ours.loss / rival.loss - 1) < BOUND
    assert relative_error(ours.gradient.theta, rival.gradient.theta) < BOUND
    assert max(block_errors(ours.JTJ, rival.JTJ, net.shape).values()) < BOUND


@pytest.mark.parametrize("wrong", ["twice", "no bias", "no weights", "one output", "sum"])
def test_a_wrong_matrix_is_rejected(wrong):
    """The comparison above sees each of the mistakes one could make."""
    data = problem(3, 5, 2, 50, weighted=True)
    net, X, T, weight = data
    JTJ = gauss_newton(net, X, T, sample_weight=weight).JTJ
    _, _, reference = expected(data)
    assert max(block_errors(JTJ, reference, net.shape).values()) < BOUND
    first = problem(3, 5, 1, 50).network.shape.n_parameters
    if wrong == "twice":
        JTJ = 2 * JTJ
    elif wrong == "no bias":
        JTJ[-1] = JTJ[:, -1] = 0
    elif wrong == "no weights":
        JTJ = gauss_newton(net, X, T).JTJ
    elif wrong == "one output":
        JTJ[first:, first:] = 0
    else:
        JTJ = JTJ * weight.sum()
    assert max(block_errors(JTJ, reference, net.shape).values()) > 0.01


@pytest.mark.parametrize("engine", batchprop.ENGINES)
def test_twice_the_matrix_is_the_hessian_where_residuals_are_zero(engine):
    net, X, _, weight = problem(2, 4, 2, 30, weighted=True)
    T = net.predict(X)
    found = gauss_newton(net, X, T, engine=engine, sample_weight=weight)
    hessian = np.empty_like(found.JTJ)
    step = 1e-5
    for p in range(net.theta.size):
        sides = []
        for sign in (1, -1):
            theta = net.theta.copy()
            theta[p] += sign * step
            moved = batchprop.Network.from_theta(theta, net.shape, net.activation)
            sides.append(loss_and_gradient(moved, X, T, sample_weight=weight)[1].theta)
        hessian[p] = (sides[0] - sides[1]) / (2 * step)
    assert relative_error(2 * found.JTJ, hessian) < 1e-8


@pytest.mark.parametrize("engine", batchprop.ENGINES)
def test_what_is_returned(engine):
    net, X, T, _ = problem()
    before = net.theta.copy()
    found = gauss_newton(net, X, T, engine=engine)
    loss, gradient, JTJ = found
    assert isinstance(found, GaussNewton)
    assert type(loss) is float
    assert isinstance(gradient, Gradient)
    assert JTJ.shape == (net.theta.size, net.theta.size)
    np.testing.assert_array_equal(JTJ, JTJ.T)
    np.testing.assert_array_equal(net.theta, before)
    plain = loss_and_gradient(net, X, T, engine=engine)
    assert loss == pytest.approx(plain[0], rel=1e-14)
    assert relative_error(gradient.theta, plain[1].theta) < BOUND
    assert np.linalg.eigvalsh(JTJ).min() > -1e-12 * np.linalg.norm(JTJ)


@pytest.mark.parametrize("engine", batchprop.ENGINES)
def test_weights_are_repeated_and_missing_samples(engine):
    net, X, T, _ = problem(n_samples=12)
    weight = np.array([0, 1, 2] * 4)
    repeated = np.repeat(np.arange(12), weight)
    one = gauss_newton(net, X, T, engine=engine, sample_weight=weight)
    two = gauss_newton(net, X[:, repeated], T[:, repeated], engine=engine)
    assert relative_error(one.JTJ, two.JTJ) < BOUND


def test_both_memory_orders_and_strided_data_give_the_same_bits():
    net, X, T, weight = problem(11, 5, 3, 700, weighted=True)
    wide = np.zeros((22, 700))
    wide[::2] = X
    found = {
        gauss_newton(net, form, target, sample_weight=weight).JTJ.tobytes()
        for form in (X, np.asfortranarray(X), wide[::2])
        for target in (T, np.asfortranarray(T))
    }
    assert len(found) == 1


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"network": 3}, TypeError, "network"),
        ({"X": np.ones((2, 40))}, ValueError, "X must have shape"),
        ({"T": np.ones((2, 39))}, ValueError, "T must have shape"),
        ({"X": np.full((3, 40), np.nan)}, ValueError, "X must be finite"),
        ({"sample_weight": -np.ones(40)}, ValueError, "sample_weight must be non-negative"),
        ({"engine": "gpu"}, ValueError, "engine must be"),
        ({"n_threads": 0}, ValueError, "n_threads must be"),
    ],
)
def test_bad_arguments(change, error, match):
    net, X, T, _ = problem()
    given = {"network": net, "X": X, "T": T} | change
    with pytest.raises(error, match=match):
        gauss_newton(**given)


@pytest.mark.parametrize("rows", [1, 3, 26, 1000])
@pytest.mark.parametrize("weighted", [False, True])
def test_bands_of_the_vectorized_product(monkeypatch, rows, weighted):
    """Whatever is made between two looks at whether the run goes on, the matrix is the same."""
    net, X, T, weight = problem(e=3, m=5, s=2, n_samples=70, weighted=weighted, seed=2)
    matrix = gauss_newton(net, X, T, engine="naive", sample_weight=weight).JTJ
    monkeypatch.setattr(vectorized, "PRODUCT_ROWS", rows)
    form = net.shape, net.activation, net.dtype
    objective = vectorized.ArrayGaussNewtonObjective(X, T, weight, *form)
    asked = []
    objective.check = lambda: asked.append(1)
    flat, found = np.empty(net.theta.size), np.full(matrix.shape, np.nan)
    objective.gauss_newton(net.theta, flat, found)
    assert objective.product.size <= rows * flat.size
    assert len(asked) >= 4 * -(-flat.size // rows)  # emptied, two outputs, mirrored
    np.testing.assert_array_equal(found, found.T)
    np.testing.assert_allclose(found, matrix, rtol=1e-12, atol=1e-14 * np.abs(matrix).max())
