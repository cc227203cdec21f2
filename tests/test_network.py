"""Networks: how they are made, copied, started and asked for predictions."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import batchprop
from batchprop import Network
from batchprop.activations import ACTIVATIONS
from batchprop.parameters import Shape
from tests.problems import problem

BLOCKS = [[0.5, 1.0], [-0.3, 2.0], [0.1, 0.2]], [0.3, -0.1, 0.6], [[0.7, -0.4, 0.2]], [0.05]


def test_it_holds_its_blocks_in_one_vector():
    net = Network(*BLOCKS, activation="relu")
    assert net.shape == Shape(2, 3, 1) == (2, 3, 1)
    assert net.activation == "relu"
    assert net.dtype == np.float64
    assert net.theta.tolist() == [
        0.5,
        1.0,
        -0.3,
        2.0,
        0.1,
        0.2,
        0.3,
        -0.1,
        0.6,
        0.7,
        -0.4,
        0.2,
        0.05,
    ]
    net.W_h[1, 0] = 8
    assert net.theta[2] == 8
    assert repr(net) == "Network(2-3-1, activation='relu', dtype=float64)"


def test_the_blocks_are_copied():
    W_h = np.array(BLOCKS[0])
    net = Network(W_h, *BLOCKS[1:])
    W_h[:] = 0
    assert net.W_h[0, 0] == 0.5
    assert net.activation == "tanh"


@pytest.mark.parametrize(
    ("dtypes", "result"),
    [
        ("ffff", "float32"),
        ("dddd", "float64"),
        ("fffd", "float64"),
        ("dfff", "float64"),
        ("iiii", "float64"),
        ("eeee", "float32"),
    ],
)
def test_float32_only_if_all_blocks_are(dtypes, result):
    blocks = [np.asarray(block, dtype) for block, dtype in zip(BLOCKS, dtypes, strict=True)]
    assert Network(*blocks).dtype == result


def test_from_theta_and_back():
    net = problem().network
    again = Network.from_theta(net.theta, net.shape, net.activation)
    assert again.theta is not net.theta
    assert again.theta.tobytes() == net.theta.tobytes()
    assert Network.from_theta(np.arange(4.0, dtype=np.float32), (1, 1, 1)).dtype == np.float32


def test_copies_are_independent():
    net = problem(activation="elu").network
    for other in (net.copy(), copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert other.theta.tobytes() == net.theta.tobytes()
        assert (other.shape, other.activation) == (net.shape, net.activation)
        other.W_y[:] = 0
        assert net.W_y.all()


def test_astype():
    net = problem().network
    single = net.astype("float32")
    assert single.dtype == np.float32
    assert single.activation == net.activation
    np.testing.assert_array_equal(single.theta, net.theta.astype(np.float32))
    assert net.astype(np.float64).theta is not net.theta


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_same_seed_is_the_same_start(activation):
    first = Network.initialize(3, 5, 2, activation, seed=4)
    assert first.theta.tobytes() == Network.initialize(3, 5, 2, activation, seed=4).theta.tobytes()
    assert (first.theta != Network.initialize(3, 5, 2, activation, seed=5).theta).any()
    single = Network.initialize(3, 5, 2, activation, seed=4, dtype="float32")
    np.testing.assert_array_equal(single.theta, first.theta.astype(np.float32))


def test_a_start_is_the_same_in_every_version():
    """Published results name a seed."""
    theta = Network.initialize(1, 2, 1, "tanh", seed=0).theta
    expected = [0.474449, -0.797482, -0.918053, -0.966945, 0.767352, 1.011041, 0.0]
    np.testing.assert_allclose(theta, expected, atol=1e-6)


def test_no_seed_is_another_start_each_time():
    starts = [Network.initialize(3, 5, 2, seed=None).theta for _ in range(2)]
    assert (starts[0] != starts[1]).any()


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_start_suits_standardised_inputs(activation):
    """Pre-activations of variance g, outputs of order 1, nothing symmetric, no bias in y."""
    e, m = 30, 4000
    net = Network.initialize(e, m, 2, activation, seed=1)
    X = np.random.default_rng(0).normal(size=(e, 200))
    gain = 2 if activation == "relu" else 1
    assert (net.W_h @ X).var() == pytest.approx(gain, rel=0.05)
    assert np.abs(net.b_h).max() <= 1
    assert net.b_h.var() == pytest.approx(1 / 3, rel=0.05)
    assert net.W_y.var() * m == pytest.approx(1, rel=0.05)
    assert not net.b_y.any()
    assert np.unique(net.W_h).size == net.W_h.size


@pytest.mark.parametrize("engine", batchprop.ENGINES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_predictions_are_the_formula(engine, dtype):
    net, X, _, _ = problem(dtype=dtype)
    H = np.tanh(net.W_h @ X + net.b_h[:, np.newaxis])
    Y = net.predict(X, engine=engine)
    assert Y.shape == (2, 40)
    assert Y.dtype == dtype
    expected = net.W_y @ H + net.b_y[:, np.newaxis]
    np.testing.assert_allclose(Y, expected, rtol=1e-4 if dtype == "float32" else 1e-12)


def test_predictions_do_not_depend_on_the_threads():
    net, X, _, _ = problem(8, 20, 2, 5000)
    Y = [net.predict(X, n_threads=n) for n in (1, 2, 4, None)]
    assert len({y.tobytes() for y in Y}) == 1


@pytest.mark.parametrize("name", ["W_h", "b_h", "W_y", "b_y"])
def test_parameters_that_are_no_numbers_of_the_dtype(name):
    blocks = dict(zip(("W_h", "b_h", "W_y", "b_y"), map(np.array, BLOCKS), strict=True))
    blocks[name].flat[0] = 1e300
    with pytest.raises(ValueError, match=f"^{name} must stay within .* Keep the network float64"):
        Network(**blocks).astype("float32")
    blocks[name].flat[0] = np.nan
    with pytest.raises(ValueError, match=f"^{name} must be finite; .* Correct that parameter"):
        Network(**blocks)
