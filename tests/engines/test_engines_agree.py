"""One meaning: every engine gives the naive engine's loss, gradient and predictions."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import batchprop
from batchprop import engines, loss_and_gradient
from batchprop.activations import ACTIVATIONS
from batchprop.engines.fused import blocking
from batchprop.engines.samples import Samples
from batchprop.parameters import Blocks, Shape
from tests.problems import problem, relative_error, relative_errors

FAST = [name for name in batchprop.ENGINES if name != "naive"]
DTYPES = ("float64", "float32")
# Relative error of a block: what the order of a sum and σ of another library may change.
RTOL = {"float64": 1e-12, "float32": 2e-5}
ORDERS = {"C": np.ascontiguousarray, "F": np.asfortranarray}


@cache
def reference(*arguments):
    """Return a problem and the naive engine's loss, gradient and predictions for it."""
    data = problem(*arguments)
    net, X, T, weight = data
    loss, gradient = loss_and_gradient(net, X, T, engine="naive", sample_weight=weight)
    return data, loss, gradient.theta, net.predict(X, engine="naive")


def assert_agrees(engine, data, loss, gradient, X=None, T=None, weight=None):
    """Compare an engine on X and T, which hold the data's numbers in whatever form."""
    net, dtype = data.network, str(data.network.dtype)
    given_loss, given = loss_and_gradient(
        net,
        data.X if X is None else X,
        data.T if T is None else T,
        engine=engine,
        sample_weight=data.weight if weight is None else weight,
    )
    assert isinstance(given_loss, float)
    assert given.dtype == net.dtype
    assert given_loss == pytest.approx(loss, rel=RTOL[dtype])
    errors = relative_errors(given.theta, gradient, net.shape)
    assert max(errors.values()) < RTOL[dtype], errors


@pytest.mark.parametrize("n_samples", [1, 2, 7, 64, 65, 1000])
@pytest.mark.parametrize("s", [1, 2, 3])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("engine", FAST)
def test_loss_gradient_and_predictions(engine, activation, dtype, s, n_samples):
    for weighted in (False, True):
        data, loss, gradient, Y = reference(3, 5, s, n_samples, activation, dtype, weighted)
        for order in ORDERS.values():
            assert_agrees(engine, data, loss, gradient, order(data.X), order(data.T))
            given = data.network.predict(order(data.X), engine=engine)
            assert given.dtype == data.network.dtype
            assert given.shape == Y.shape
            assert relative_error(given, Y) < RTOL[dtype]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("engine", "strips_from"), [("vectorized", 96), ("fused", 96), ("fused", 1)]
)
def test_sizes_around_every_block_and_vector(engine, strips_from, dtype, monkeypatch):
    """Odd sizes, single ones and multiples; the float64 vectorized engine is the reference."""
    monkeypatch.setattr(blocking, "STRIPS_FROM_UNITS", strips_from)
    for e in (1, 2, 5, 16, 17, 40):
        for m in (1, 3, 8, 17, 33, 64):
            for s in (1, 2, 4, 9):
                net, X, T, weight = problem(e, m, s, 3 * e + 2 * m + s, "tanh", dtype, s % 2 == 0)
                loss, gradient = loss_and_gradient(
                    net.astype("float64"), X, T, engine="vectorized", sample_weight=weight
                )
                data = net, X, T, weight
                given_loss, given = loss_and_gradient(
                    *data[:3], engine=engine, sample_weight=weight
                )
                errors = relative_errors(given.theta, gradient.theta, net.shape)
                assert given_loss == pytest.approx(loss, rel=RTOL[dtype]), net.shape
                assert max(errors.values()) < RTOL[dtype], (net.shape, errors)


@pytest.mark.parametrize("n_samples", [127, 128, 129, 1023, 4096, 4097, 20_000])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("engine", FAST)
def test_numbers_of_samples_around_every_chunk(engine, dtype, n_samples):
    net, X, T, weight = problem(4, 7, 2, n_samples, "softplus", dtype, weighted=True)
    loss, gradient = loss_and_gradient(
        net.astype("float64"), X, T, engine="vectorized", sample_weight=weight
    )
    given_loss, given = loss_and_gradient(net, X, T, engine=engine, sample_weight=weight)
    assert given_loss == pytest.approx(loss, rel=RTOL[dtype])
    errors = relative_errors(given.theta, gradient.theta, net.shape)
    assert max(errors.values()) < RTOL[dtype], errors


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("engine", batchprop.ENGINES)
def test_a_weight_of_two_is_a_repeated_sample_and_of_zero_a_missing_one(engine, dtype):
    net, X, T, _ = problem(dtype=dtype)
    counts = np.arange(X.shape[1]) % 3
    loss, gradient = loss_and_gradient(
        net, np.repeat(X, counts, axis=1), np.repeat(T, counts, axis=1), engine="naive"
    )
    for scale in (1, 0.125, 3e4, 1e-300, 1e300):  # only ratios count
        given_loss, given = loss_and_gradient(
            net, X, T, engine=engine, sample_weight=scale * counts
        )
        assert given_loss == pytest.approx(loss, rel=RTOL[dtype])
        errors = relative_errors(given.theta, gradient.theta, net.shape)
        assert max(errors.values()) < RTOL[dtype], (scale, errors)


def forms_of(X, tmp_path):
    """Return the same numbers in every form a user's table may have."""
    np.save(tmp_path / "rows.npy", X.T)
    np.save(tmp_path / "columns.npy", X)
    wide = np.full((2 * X.shape[0], 3 * X.shape[1]), np.nan, X.dtype)
    wide[::2, 1::3] = X
    read_only = X.copy()
    read_only.flags.writeable = False
    unaligned = np.frombuffer(b"-" + X.tobytes(), np.uint8)[1:].view(X.dtype).reshape(X.shape)
    return {
        "transposed rows": np.ascontiguousarray(X.T).T,
        "strided": wide[::2, 1::3],
        "reversed": X[::-1, ::-1].copy()[::-1, ::-1],
        "read-only": read_only,
        "unaligned": unaligned,
        "other byte order": X.astype(X.dtype.newbyteorder()),
        "list": X.tolist(),
        "masked, nothing masked": np.ma.masked_array(X),
        "mapped columns": np.load(tmp_path / "columns.npy", mmap_mode="r"),
        "mapped rows": np.load(tmp_path / "rows.npy", mmap_mode="r").T,
    }


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("engine", batchprop.ENGINES)
def test_every_form_of_table(engine, dtype, tmp_path):
    data, loss, gradient, Y = reference(3, 5, 2, 65, "tanh", dtype, True)
    for name, X in forms_of(data.X, tmp_path).items():
        assert_agrees(engine, data, loss, gradient, X)
        assert relative_error(data.network.predict(X, engine=engine), Y) < RTOL[dtype], name
    for T in forms_of(data.T, tmp_path).values():
        assert_agrees(engine, data, loss, gradient, T=T)
    strided = np.repeat(data.weight, 2)[::2]
    for weight in (strided, data.weight.tolist(), data.weight[::-1].copy()[::-1]):
        assert_agrees(engine, data, loss, gradient, weight=weight)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("network_dtype", DTYPES)
@pytest.mark.parametrize("engine", FAST)
def test_data_of_the_other_dtype(engine, network_dtype, order):
    """The network's dtype is the dtype of the computation."""
    data, loss, gradient, Y = reference(3, 5, 2, 65, "logistic", network_dtype, True)
    other = "float32" if network_dtype == "float64" else "float64"
    if other == "float32":  # numbers that both dtypes hold
        data = data._replace(X=np.float64(np.float32(data.X)), T=np.float64(np.float32(data.T)))
        net, X, T, weight = data
        loss, theta = loss_and_gradient(net, X, T, engine="naive", sample_weight=weight)
        gradient, Y = theta.theta, net.predict(X, engine="naive")
    X, T = (ORDERS[order](array.astype(other)) for array in (data.X, data.T))
    assert_agrees(engine, data, loss, gradient, X, T)
    assert relative_error(data.network.predict(X, engine=engine), Y) < RTOL[network_dtype]
    assert_agrees(engine, data, loss, gradient, X)
    assert_agrees(engine, data, loss, gradient, T=T)


@pytest.mark.parametrize("dtype", [*DTYPES, "int64", "uint8", "bool", "float16", "longdouble"])
@pytest.mark.parametrize("engine", batchprop.ENGINES)
def test_other_numbers(engine, dtype):
    net, X, T, _ = problem()
    X, T = np.round(np.abs(X)).astype(dtype), np.round(np.abs(T)).astype(dtype)
    loss, gradient = loss_and_gradient(net, X.astype(float), T.astype(float), engine="naive")
    given_loss, given = loss_and_gradient(net, X, T, engine=engine)
    assert given_loss == pytest.approx(loss, rel=1e-12)
    assert max(relative_errors(given.theta, gradient.theta, net.shape).values()) < 1e-12


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("engine", batchprop.ENGINES)
def test_inputs_are_never_modified(engine, order, dtype):
    net, X, T, weight = problem(dtype=dtype, weighted=True)
    arrays = [net.theta, ORDERS[order](X), ORDERS[order](T), weight]
    before = [array.tobytes() for array in arrays]
    for array in arrays[1:]:
        array.flags.writeable = False
    loss_and_gradient(net, *arrays[1:3], engine=engine, sample_weight=weight)
    net.predict(arrays[1], engine=engine)
    assert [array.tobytes() for array in arrays] == before


@pytest.mark.parametrize("engine", batchprop.ENGINES)
def test_the_worked_example_by_hand(engine):
    """1-2-1, tanh, two samples; each number follows from the line above it."""
    shape = Shape(1, 2, 1)
    theta = np.array([0.5, -0.3, 0.1, 0.2, 0.7, -0.4, 0.05])
    X, T = np.array([[1.0, -2.0]]), np.array([[0.5, -1.0]])
    # z = W_h x + b_h: sample 1 (0.6, -0.1), sample 2 (-0.9, 0.8)
    h = np.tanh([[0.6, -0.9], [-0.1, 0.8]])
    # h_1 (0.5370495670, -0.7162978702), h_2 (-0.0996679946, 0.6640367703)
    # y = 0.7 h_1 - 0.4 h_2 + 0.05, r = y - t
    r = np.array([0.7 * h[0, i] - 0.4 * h[1, i] + 0.05 - T[0, i] for i in (0, 1)])
    np.testing.assert_allclose(r, [-0.034198105, 0.282976783], atol=1e-9)
    # δ_y = (2/N) r = r, δ_h = (1 - h²) W_y δ_y
    delta_h = [[(1 - h[k, i] ** 2) * w * r[i] for i in (0, 1)] for k, w in ((0, 0.7), (1, -0.4))]
    expected = {
        "W_h": [[d[0] * 1 + d[1] * -2] for d in delta_h],
        "b_h": [d[0] + d[1] for d in delta_h],
        "W_y": [[r[0] * h[k, 0] + r[1] * h[k, 1] for k in (0, 1)]],
        "b_y": [r[0] + r[1]],
    }
    gradient = np.empty_like(theta)
    module = engines.load(engine)
    with module.Objective(Samples(X, T), shape, "tanh", np.float64) as objective:
        loss = objective.loss_and_gradient(theta, gradient)
        assert objective.loss(theta) == pytest.approx(loss, rel=1e-15)
    assert loss == pytest.approx((r[0] ** 2 + r[1] ** 2) / 2, rel=1e-14)
    wanted = np.concatenate([np.ravel(expected[name]) for name in Blocks._fields])
    assert max(relative_errors(gradient, wanted, shape).values()) < 1e-14
