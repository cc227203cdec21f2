"""The mean of networks is one network: its predictions are the mean of theirs."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop import ENGINES, Network, average, gauss_newton, loss_and_gradient
from batchprop.activations import ACTIVATIONS
from batchprop.scaling import Scaling, fold


def drawn(K, e=3, s=2, activation="tanh", dtype="float64"):
    """Return K networks of 1, 2, …, K hidden units and more."""
    return [
        Network.initialize(e, 3 + k, s, activation=activation, seed=k, dtype=dtype)
        for k in range(K)
    ]


def mean_of_predictions(networks, X, shares=None):
    """Return the mean, and a bound on its terms, both float64."""
    shares = np.full(len(networks), 1 / len(networks)) if shares is None else shares
    total, bound = 0.0, 0.0
    for network, share in zip(networks, shares, strict=True):
        blocks = network.astype("float64")
        total = total + share * network.predict(X).astype(np.float64)
        H = np.abs(blocks.W_h) @ np.abs(X) + np.abs(blocks.b_h)[:, None] + 1
        bound = bound + share * (np.abs(blocks.W_y) @ H + np.abs(blocks.b_y)[:, None])
    return total, bound


def assert_mean(mean, networks, X, shares=None):
    total, bound = mean_of_predictions(networks, X, shares)
    error = np.abs(mean.predict(X) - total)
    assert (error <= 8 * np.finfo(mean.dtype).eps * bound).all()


@pytest.mark.parametrize("K", [1, 2, 3, 7])
@pytest.mark.parametrize("s", [1, 3])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_it_predicts_the_mean(activation, dtype, s, K):
    networks = drawn(K, s=s, activation=activation, dtype=dtype)
    X = np.random.default_rng(K).normal(size=(3, 41)).astype(dtype)
    mean = average(networks)
    assert mean.shape == (3, sum(3 + k for k in range(K)), s)
    assert (mean.dtype, mean.activation) == (dtype, activation)
    assert_mean(mean, networks, X)


@pytest.mark.parametrize("engine", ENGINES)
def test_on_every_engine(engine):
    networks, X = drawn(4), np.random.default_rng(0).normal(size=(3, 20))
    total = sum(network.predict(X, engine=engine) for network in networks) / 4
    np.testing.assert_allclose(average(networks).predict(X, engine=engine), total, atol=1e-14)


@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_with_the_scaling_of_any_units_in_the_weights(unit, dtype):
    rng = np.random.default_rng(1)
    X = unit * rng.normal(size=(3, 60)) + 3 * unit
    T = rng.normal(size=(2, 60)) / unit - 5 / unit
    scaling = Scaling.of(X, T, None)
    networks = [
        Network.from_theta(fold(network.theta, network.shape, scaling, np.dtype(dtype)),
                           network.shape, network.activation)
        for network in drawn(5)
    ]  # fmt: skip
    assert_mean(average(networks), networks, X.astype(dtype))


def test_the_same_bits_for_any_number_of_threads():
    mean = average(drawn(6, activation="softplus"))
    X = np.random.default_rng(2).normal(size=(3, 50_000))
    np.testing.assert_array_equal(mean.predict(X, n_threads=1), mean.predict(X, n_threads=2))


def test_one_network_is_its_own_mean():
    (network,) = drawn(1)
    mean = average([network])
    np.testing.assert_array_equal(mean.theta, network.theta)
    mean.theta[:] = 0.0
    assert network.theta.any()  # a copy


def test_weights():
    networks, weights = drawn(3), [3.0, 0.0, 1.0]
    X = np.random.default_rng(3).normal(size=(3, 20))
    mean = average(networks, weights)
    assert mean.shape.n_hidden == 3 + 5  # the one of weight 0 is left out
    assert_mean(mean, networks, X, [0.75, 0.0, 0.25])
    for factor in (1e-300, 1e307):
        scaled = average(networks, np.array(weights) * factor)
        np.testing.assert_allclose(scaled.theta, mean.theta, rtol=1e-14)
    equal = average(networks, [2, 2, 2])
    np.testing.assert_allclose(equal.theta, average(networks).theta, rtol=1e-15)


def test_the_wider_dtype():
    networks = [drawn(1, dtype="float32")[0], drawn(2)[1]]
    X = np.random.default_rng(4).normal(size=(3, 20)).astype("float32").astype("float64")
    mean = average(networks)
    assert mean.dtype == "float64"
    total = sum(network.astype("float64").predict(X) for network in networks) / 2
    np.testing.assert_allclose(mean.predict(X), total, atol=1e-14)


def test_large_parameters_do_not_overflow():
    networks = [Network([[0.0]], [0.0], [[1e308]], [1e308]) for _ in range(4)]
    assert average(networks).b_y[0] == pytest.approx(1e308)


def test_whatever_takes_a_network_takes_the_mean(tmp_path):
    networks = drawn(3)
    mean = average(network for network in networks)
    mean.save(tmp_path / "mean.npz")
    np.testing.assert_array_equal(Network.load(tmp_path / "mean.npz").theta, mean.theta)
    rng = np.random.default_rng(5)
    X, T = rng.normal(size=(3, 30)), rng.normal(size=(2, 30))
    loss, gradient = loss_and_gradient(mean, X, T)
    R = sum(network.predict(X) for network in networks) / 3 - T
    assert loss == pytest.approx((R**2).sum() / 30)
    # the first network's part of ∂L/∂W_y is that of its units; b_y is everybody's
    np.testing.assert_allclose(gradient.b_y, 2 * R.mean(axis=1))
    H = np.tanh(networks[0].W_h @ X + networks[0].b_h[:, None])
    np.testing.assert_allclose(gradient.W_y[:, :3], 2 * R @ H.T / 30)
    assert gauss_newton(mean, X, T).loss == pytest.approx(loss)


def test_the_loss_is_at_most_the_mean_loss():
    rng = np.random.default_rng(6)
    X, T = rng.normal(size=(3, 30)), rng.normal(size=(2, 30))
    networks = drawn(5)
    losses = [loss_and_gradient(network, X, T)[0] for network in networks]
    assert loss_and_gradient(average(networks), X, T)[0] < np.mean(losses)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((3,), TypeError, r"networks must be a list of networks; got 3 of type int\. Pass, for"),
        ((drawn(1)[0],), TypeError, r"networks must be a list of networks; got Network\("),
        (([],), ValueError, "networks must hold at least one network; got none"),
        (([drawn(1)[0], 7],), TypeError, r"networks\[1\] must be a batchprop.Network; got 7"),
        (([*drawn(1), *drawn(1, e=2)],), ValueError, r"networks\[1\] must have 3 inputs, 2 outp"),
        (([*drawn(1), *drawn(1, s=1)],), ValueError, r"networks\[1\] must .*; got Network\(3-3-1"),
        (([*drawn(1), *drawn(1, activation="relu")],), ValueError, "activation 'tanh', as netw"),
        ((drawn(2), [1.0]), ValueError, r"weights must have shape \(2,\), one .*; got shape \(1"),
        ((drawn(2), [1.0, -1.0]), ValueError, r"weights must be non-neg.*; got -1.0 at weights\[1"),
        ((drawn(2), [0.0, 0.0]), ValueError, "weights must have a positive sum; got zeros only"),
        ((drawn(2), [np.nan, 1.0]), ValueError, r"weights must be finite; got nan at weights\[0"),
        ((drawn(2), ["a", "b"]), TypeError, "weights must"),
    ],
)  # fmt: skip
def test_what_cannot_be_averaged(arguments, error, message):
    with pytest.raises(error, match=f"^{message}" if message[0] in "nw" else message):
        average(*arguments)
