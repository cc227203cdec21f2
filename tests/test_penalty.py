"""The penalty on weights: J = L + (1/Σw)(α_h ‖W_h‖² + α_y ‖W_y‖²), its gradient, its check."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop import ENGINES, check_gradient, loss_and_gradient, train
from batchprop.parameters import Blocks, Shape, split
from batchprop.penalty import add_penalty
from batchprop.solvers.penalty_kernel import penalise, penalty
from tests.problems import problem, relative_errors

BLOCKS = Blocks._fields
DTYPES = ("float64", "float32")
ALPHA = (0.7, 2.9)
WEIGHTS, BIASES = {"W_h", "W_y"}, {"b_h", "b_y"}
EVERY_ENGINE = pytest.mark.parametrize("engine", ENGINES)


def rates_of(data):
    total = data.X.shape[1] if data.weight is None else data.weight.sum()
    return ALPHA[0] / total, ALPHA[1] / total


@EVERY_ENGINE
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("weighted", [False, True])
def test_it_is_added_to_loss_and_gradient(engine, dtype, weighted):
    data = problem(dtype=dtype, weighted=weighted)
    options = {"engine": engine, "sample_weight": data.weight}
    loss, gradient = loss_and_gradient(*data[:3], **options)
    penalised, its_gradient = loss_and_gradient(*data[:3], alpha=ALPHA, **options)
    rates, net = dict(zip(("W_h", "W_y"), rates_of(data), strict=True)), data.network
    net = net.astype("float64")
    squares = sum(rates[name] * (getattr(net, name) ** 2).sum() for name in WEIGHTS)
    assert penalised - loss == pytest.approx(squares, rel=1e-12)
    expected = gradient.theta.astype(np.float64)
    for name in WEIGHTS:
        getattr(split(expected, net.shape), name)[...] += 2 * rates[name] * getattr(net, name)
    errors = relative_errors(its_gradient.theta, expected, net.shape)
    assert max(errors.values()) < (1e-15 if dtype == "float64" else 1e-7)
    assert its_gradient.theta.dtype == dtype


@pytest.mark.parametrize("with_gradient", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 13, 2), (7, 40, 3)])
def test_solvers_add_the_same(shape, dtype, with_gradient):
    shape, rng = Shape(*shape), np.random.default_rng(0)
    theta, gradient = rng.normal(size=(2, shape.n_parameters)).astype(dtype)
    expected_gradient = gradient.astype(float)
    rates = ALPHA[0] / 17.0, ALPHA[1] / 17.0
    expected = add_penalty(rates, theta.astype(float), shape, expected_gradient)
    if not with_gradient:
        expected_gradient = gradient.copy()
    added = penalise(penalty(ALPHA, 17.0, shape), theta, gradient, with_gradient)
    assert added == pytest.approx(expected, rel=1e-13)
    errors = relative_errors(gradient, expected_gradient, shape)
    assert max(errors.values()) < (1e-15 if dtype == "float64" else 1e-7)


def named(alpha):
    return " and ".join(f"{one:g}" for one in np.atleast_1d(alpha))


@EVERY_ENGINE
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("alpha", [1e-4, 1e4, (1.0, 0.0), (0.0, 1.0), (0.01, 50.0)])
def test_the_gradient_is_right(engine, dtype, alpha):
    for s, activation in ((1, "relu"), (2, "tanh"), (3, "logistic")):
        net, X, T, weight = problem(3, 4, s, 17, activation, dtype, s > 1)
        report = check_gradient(net, X, T, engine=engine, sample_weight=weight, alpha=alpha)
        assert report.passed, str(report)
        assert f"17 samples, alpha {named(alpha)}" in str(report)


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_the_solvers_add_is_the_same(dtype):
    data = problem(dtype=dtype, weighted=True)
    net, rates = data.network, rates_of(data)
    compiled, ours = np.zeros_like(net.theta), np.zeros_like(net.theta)
    by = penalty(ALPHA, data.weight.sum(), net.shape)
    value = penalise(by, net.theta, compiled, True)
    assert value == pytest.approx(add_penalty(rates, net.theta, net.shape, ours), rel=1e-13)
    np.testing.assert_allclose(ours, compiled, rtol=4 * np.finfo(dtype).eps)

    def solvers(network, X, T, weight):
        loss, gradient = loss_and_gradient(network, X, T, sample_weight=weight)
        return loss + penalise(by, network.theta, gradient.theta, True), gradient

    report = check_gradient(*data[:3], engine=solvers, sample_weight=data.weight, alpha=ALPHA)
    assert report.passed, str(report)


def changed(of_loss, of_weights, of_biases):
    """Return a function whose penalty is multiplied by wrong factors."""

    def wrong(network, X, T, weight):
        loss, gradient = loss_and_gradient(network, X, T, engine="vectorized", sample_weight=weight)
        rates = ALPHA[0] / weight.sum(), ALPHA[1] / weight.sum()
        added = 2 * network.theta
        value = add_penalty(rates, network.theta, network.shape)
        for name, block in zip(BLOCKS, split(added, network.shape), strict=True):
            rate = rates[name in {"W_y", "b_y"}]
            block *= rate * (of_weights if name in WEIGHTS else of_biases)
        return loss + of_loss * value, gradient.theta + added

    return wrong


CONTROLS = {
    "the penalty missing": (changed(0, 0, 0), {"loss", *WEIGHTS}),
    "missing in the gradient": (changed(1, 0, 0), WEIGHTS),
    "missing in the loss": (changed(0, 1, 0), {"loss", *WEIGHTS}),
    "biases penalised": (changed(1, 1, 1), BIASES),
    "times 1.01": (changed(1.01, 1.01, 0), {"loss", *WEIGHTS}),
    "its gradient times 1.01": (changed(1, 1.01, 0), WEIGHTS),
    "its gradient times 0.99": (changed(1, 0.99, 0), WEIGHTS),
    "2 missing": (changed(1, 0.5, 0), WEIGHTS),
    "half of it": (changed(0.5, 0.5, 0), {"loss", *WEIGHTS}),
    "a sum over samples": (changed(40, 40, 0), {"loss", *WEIGHTS}),
    "its sign": (changed(-1, -1, 0), {"loss", *WEIGHTS}),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("s", [1, 3])
@pytest.mark.parametrize("control", CONTROLS)
def test_a_wrong_penalty_is_rejected(control, s, dtype):
    engine, wrong = CONTROLS[control]
    net, X, T, weight = problem(3, 5, s, 40, "tanh", dtype, weighted=True)
    report = check_gradient(net, X, T, engine=engine, sample_weight=weight, alpha=ALPHA)
    verdicts = {name: report.verdict(name) for name in ("loss", *BLOCKS)}
    assert {name for name in verdicts if verdicts[name] == "WRONG"} == wrong, str(report)
    assert not report.passed
    right = check_gradient(net, X, T, engine=changed(1, 1, 0), sample_weight=weight, alpha=ALPHA)
    assert right.passed, str(right)


@pytest.mark.filterwarnings("ignore:Stopped by 'max_e")
def test_a_run_ends_where_this_gradient_is_0():
    case = problem(n_samples=60)
    options = {"alpha": ALPHA, "sample_weight": np.linspace(0.5, 2, 60)}
    for solver in ("lbfgs", "lm"):
        net = train(
            case.X,
            case.T,
            solver=solver,
            scale=False,
            tol=None,
            hidden_size=5,
            **{"alpha": 0.0} | options,
        ).network
        _, gradient = loss_and_gradient(net, case.X, case.T, **options)
        assert np.linalg.norm(gradient.theta) < 1e-6


@pytest.mark.parametrize("swapped", [False, True])
def test_the_two_rates_are_told_apart(swapped):
    case = problem(weighted=True)
    alpha = ALPHA[::-1] if swapped else ALPHA

    def engine(network, X, T, weight):
        return loss_and_gradient(network, X, T, sample_weight=weight, alpha=alpha)

    report = check_gradient(*case[:3], engine=engine, sample_weight=case.weight, alpha=ALPHA)
    assert report.passed is not swapped, str(report)


def test_a_number_is_a_pair_of_it():
    case = problem()
    expected = loss_and_gradient(*case[:3], alpha=(0.5, 0.5))
    for alpha in (0.5, [0.5, 0.5], np.array([0.5, 0.5]), np.float32(0.5)):
        loss, gradient = loss_and_gradient(*case[:3], alpha=alpha)
        assert loss == expected[0]
        np.testing.assert_array_equal(gradient.theta, expected[1].theta)


@pytest.mark.parametrize(
    "alpha", [-1.0, np.nan, "1", (1.0,), (1.0, -1.0), (1.0, "1"), [1, 2, 3], np.ones((2, 2)), None]
)
def test_bad_alphas(alpha):
    case = problem()
    for call in (loss_and_gradient, check_gradient):
        with pytest.raises((TypeError, ValueError), match="^alpha must "):
            call(*case[:3], alpha=alpha)
