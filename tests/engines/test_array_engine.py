"""Standardised data for every engine: losses in users' units, weights, several outputs."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop import ENGINES, engines, loss_and_gradient, train
from batchprop.engines.naive import matrix
from batchprop.engines.samples import Samples
from batchprop.network_loss import output_losses
from batchprop.scaling import Scaling, fold
from tests.problems import problem, relative_error

UNITS = np.array([[100.0], [0.01], [1.0]])


def case_of(s, dtype="float64"):
    case = problem(3, 4, s, 50, "tanh", dtype, weighted=True)
    return case._replace(X=20 + 3 * case.X, T=UNITS[:s] * (5 + case.T))


def objective_of(engine, case, by):
    samples = Samples(case.X, case.T, case.weight, by)
    return engines.load(engine).Objective(samples, case.network.shape, "tanh", "float64", 1)


@pytest.mark.parametrize("s", [1, 2, 3])
@pytest.mark.parametrize("engine", ENGINES)
def test_the_reported_loss_is_that_of_the_folded_network(engine, s):
    case = case_of(s)
    by, net = Scaling.of(case.X, case.T, case.weight), case.network
    raw = type(net).from_theta(fold(net.theta, net.shape, by), net.shape)
    expected, _ = loss_and_gradient(raw, case.X, case.T, sample_weight=case.weight)
    with objective_of(engine, case, by) as objective:
        objective.loss(net.theta)
        assert objective.reported_loss == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("s", [1, 2])
@pytest.mark.parametrize("engine", ENGINES)
def test_it_stays_that_of_the_last_evaluation(engine, s):
    case = case_of(s)
    theta = case.network.theta.copy()
    with objective_of(engine, case, Scaling.of(case.X, case.T, case.weight)) as objective:
        objective.loss_and_gradient(theta, np.empty_like(theta))
        reported = objective.reported_loss
        theta += 1.0  # the caller's, who goes on
        assert objective.reported_loss == reported
        objective.loss(theta)
        assert objective.reported_loss != reported


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("solver", ["gd", "lbfgs", "lm", "scipy"])
def test_the_loss_of_a_run_with_weights_and_outputs_of_several_units(solver, engine):
    case = case_of(3)
    options = {"hidden_size": 4, "solver": solver, "engine": engine, "max_epochs": 3}
    result = train(case.X, case.T, sample_weight=case.weight, **{"alpha": 0.0} | options)
    rest = {"sample_weight": case.weight}
    expected, _ = loss_and_gradient(result.network, case.X, case.T, **rest)
    assert result.loss == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("network_dtype", ["float32", "float64"])
@pytest.mark.parametrize("e", [1, 3, 19])
def test_data_of_either_dtype_are_standardised_for_networks_of_either(e, network_dtype, dtype):
    case = problem(e, 4, 2, 77, "tanh", network_dtype)
    X, T = (20 + 3 * case.X).astype(dtype), (5 + case.T).astype(dtype)
    by, found = Scaling.of(X, T), []
    form, fused = (case.network.shape, "tanh"), engines.load("fused")
    for arrange in (np.ascontiguousarray, np.asfortranarray):
        gradient = np.empty_like(case.network.theta)
        samples = Samples(arrange(X), arrange(T), scaling=by)
        with fused.Objective(samples, *form, network_dtype, 1) as objective:
            objective.loss_and_gradient(case.network.theta, gradient)
        found.append(gradient)
    expected = np.empty(case.network.theta.size)
    samples = Samples(X, T, scaling=by)
    with engines.load("vectorized").Objective(samples, *form, "float64") as objective:
        objective.loss_and_gradient(case.network.theta.astype("f8"), expected)
    for gradient in found:
        assert relative_error(gradient, expected) < (1e-5 if network_dtype == "float32" else 1e-12)


@pytest.mark.parametrize("engine", ENGINES)
def test_gauss_newton_is_in_float64(engine):
    case = case_of(2, "float32")
    samples = Samples(*case[1:], Scaling.of(case.X, case.T, case.weight))
    form, module = (samples, case.network.shape, "tanh"), engines.load(engine)
    with pytest.raises(ValueError, match="float64; got float32"):
        module.GaussNewtonObjective(*form, "float32")
    theta = case.network.theta.astype("f8")
    gradient, JTJ = np.empty_like(theta), np.empty((theta.size, theta.size))
    with module.GaussNewtonObjective(*form, "float64") as objective:
        objective.gauss_newton(theta, gradient, JTJ)
        before = objective.reported_loss
        assert objective.loss(theta + 0.1) > 0
        assert objective.reported_loss != before
    np.testing.assert_allclose(JTJ, JTJ.T, rtol=1e-12)
    assert (np.linalg.eigvalsh(JTJ) > -1e-10).all()


@pytest.mark.parametrize("weight", [[1.0], [1.0, 1.0, 1.0]])
def test_the_definition_wants_one_weight_a_sample(weight):
    with pytest.raises(ValueError, match="sample weights for 2 samples"):
        matrix.loss_and_gradient(
            [[1.0]], [0.0], [[1.0]], [0.0], [[1.0, 2.0]], [[0.0, 1.0]], "tanh", weight
        )


@pytest.mark.parametrize("n_samples", [50, 1300])
@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_of_one_evaluation_is_left_for_the_next(engine, n_samples):
    """Sums begin at zero: for each chunk of samples, and each time."""
    case = problem(2, 3, 2, n_samples, weighted=True)
    module, theta = engines.load(engine), case.network.theta
    form = Samples(case.X, case.T, case.weight), case.network.shape, "tanh", "float64"
    points = np.stack([theta, theta + 0.1, theta - 0.1])
    with module.GaussNewtonObjective(*form) as objective:
        results = []
        for _ in range(2):
            gradient, JTJ, bend = np.empty(17), np.empty((17, 17)), np.empty(17)
            loss = objective.gauss_newton(theta, gradient, JTJ)
            objective.curvature(points, bend)
            results.append((loss, gradient, JTJ, bend, objective.loss(theta)))
            objective.gauss_newton(theta + 1.0, np.empty(17), np.empty((17, 17)))
    for first, second in zip(*results, strict=True):
        np.testing.assert_array_equal(first, second)
    J = [matrix_of(case, o) for o in range(2)]
    share = case.weight / case.weight.sum()
    expected = sum((Jo * share) @ Jo.T for Jo in J)
    np.testing.assert_allclose(results[0][2], expected, rtol=1e-9, atol=1e-12)


def matrix_of(case, o):
    """Return ∂y_o/∂θ (P, N), written down for tanh."""
    net = case.network
    H = np.tanh(net.W_h @ case.X + net.b_h[:, np.newaxis])
    slope = net.W_y[o][:, np.newaxis] * (1 - H * H)
    hidden = (slope[:, np.newaxis] * case.X).reshape(-1, case.X.shape[1])
    outputs = np.zeros((2, *H.shape))
    outputs[o] = H
    biases = np.zeros((2, H.shape[1]))
    biases[o] = 1.0
    return np.vstack([hidden, slope, outputs.reshape(-1, H.shape[1]), biases])


@pytest.mark.parametrize("s", [1, 2])
@pytest.mark.parametrize("engine", ENGINES)
def test_the_loss_of_a_target_that_was_constant_in_training(engine, s):
    """It drifts in the data that are held out: the loss there is that of the folded network."""
    case = case_of(s)
    flat = case.T.copy()
    flat[0] = 3.0
    by, net = Scaling.of(case.X, flat), case.network
    raw = type(net).from_theta(fold(net.theta, net.shape, by), net.shape)
    expected, _ = loss_and_gradient(raw, case.X, case.T, sample_weight=case.weight)
    with objective_of(engine, case, by) as objective:
        objective.loss(net.theta)
        assert objective.reported_loss == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("s", [1, 3])
@pytest.mark.parametrize("engine", ENGINES)
def test_losses_of_outputs_are_those_of_the_last_evaluation_or_unknown(engine, s):
    case = case_of(s)
    theta = case.network.theta.copy()
    with objective_of(engine, case, None) as objective:
        loss = objective.loss(theta)
        losses = objective.output_losses(theta)
        assert (losses is None) == (engine != "fused")
        if losses is not None:
            expected = output_losses(case.network, case.X, case.T, case.weight)
            np.testing.assert_allclose(losses, expected, rtol=1e-10)
            assert losses.sum() == pytest.approx(loss, rel=1e-12)
        assert objective.output_losses(theta + 1.0) is None
    with objective_of(engine, case, Scaling.of(case.X, case.T, case.weight)) as objective:
        objective.loss(theta)
        assert objective.output_losses(theta) is None
