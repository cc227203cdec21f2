"""Training on columns of any scale: the same network as on standardised data, on raw units."""

from __future__ import annotations

import functools
import warnings

import numpy as np
import pytest

from batchprop import ENGINES, Network, train

N = 300
OPTIONS = {
    "alpha": 0.0,
    "hidden_size": 6,
    "solver": "adam",
    "learning_rate": 0.02,
    "max_epochs": 400,
    "tol": None,
}


@functools.cache
def standard(seed=0, n_outputs=1):
    """Return standardised columns and smooth targets with noise; samples are columns."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(4, N))
    T = np.array([np.sin(X[0]) + 0.5 * X[1] * X[2], np.cos(X[1]) + X[3]])[:n_outputs]
    T = T + 0.1 * rng.normal(size=T.shape)
    for table in (X, T):
        table -= table.mean(axis=1, keepdims=True)
        table /= table.std(axis=1, keepdims=True)
        table.flags.writeable = False
    return X, T


def column(*numbers):
    return np.array(numbers)[:, np.newaxis]


# What is done to the columns, and how far rounding may move R².
UNITS = {
    "as they are": (column(1, 1, 1, 1), column(0, 0, 0, 0), 1e-9),
    "huge and tiny": (column(1e8, 1e-8, 1.0, 1e-30), column(0, 0, 0, 0), 1e-9),
    "offsets": (column(1, 1, 1, 1), column(1e8, -1e8, 1e4, 0), 1e-5),
    "both": (column(1e8, 1e-8, 1e150, 1e-150), column(1e10, 1e-6, -1e151, 1e-151), 1e-5),
}


def r_squared(network, X, T, weight=None):
    """Return R² of predictions on raw units, the mean over outputs."""
    w = np.ones(X.shape[1]) if weight is None else weight
    Y = network.predict(X, engine="vectorized").astype("f8")
    mean = np.average(T, axis=1, weights=w)[:, np.newaxis]
    return float(np.mean(1 - ((T - Y) ** 2 @ w) / ((T - mean) ** 2 @ w)))


def quietly(X, T, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return train(X, T, **{"alpha": 0.0, **OPTIONS, **options})


@functools.cache
def reference(engine="fused", n_outputs=1):
    X, T = standard(n_outputs=n_outputs)
    result = train(X, T, **OPTIONS, engine=engine, scale=False)
    return r_squared(result.network, X, T), result.loss


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("units", UNITS.values(), ids=UNITS)
def test_units_of_inputs_do_not_matter(engine, units):
    scale, offset, most = units
    X, T = standard()
    raw = scale * X + offset
    options = {"max_epochs": 20} if engine == "naive" else {}
    expected = train(X, T, **{"alpha": 0.0, **OPTIONS, **options}, engine=engine, scale=False)
    result = train(raw, T, **{"alpha": 0.0, **OPTIONS, **options}, engine=engine)
    np.testing.assert_allclose(
        r_squared(result.network, raw, T), r_squared(expected.network, X, T), atol=most
    )
    np.testing.assert_allclose(result.loss_curve, expected.loss_curve, rtol=most)


def test_unscaled_columns_are_no_use_as_they_are():
    """The tests above would show it if nothing was scaled."""
    X, T = standard()
    scale, offset, _ = UNITS["huge and tiny"]
    result = train(scale * X + offset, T, **OPTIONS, scale=False)
    assert r_squared(result.network, scale * X + offset, T) < reference()[0] - 0.1


@pytest.mark.parametrize("engine", ["vectorized", "fused"])
@pytest.mark.parametrize(("unit", "offset"), [(1e8, 0), (1e-8, 1e-6), (2.5, 1e6), (1e-3, -70.0)])
def test_losses_are_in_units_of_the_targets(engine, unit, offset):
    X, T = standard(n_outputs=2)
    raw = T * column(unit, 3 * unit) + offset
    result = train(X, raw, **OPTIONS, engine=engine)
    R = result.network.predict(X) - raw
    np.testing.assert_allclose(result.loss, np.sum(R**2) / N, rtol=1e-6)
    np.testing.assert_allclose(
        r_squared(result.network, X, raw), reference(engine, 2)[0], atol=1e-6
    )


@pytest.mark.parametrize("engine", ["vectorized", "fused"])
def test_constant_columns_are_ignored(engine):
    X, T = standard()
    noise = np.random.default_rng(3).normal(size=N)
    table = np.vstack([X, np.full(N, 7.7), 3.0 + 1e-15 * noise, np.zeros(N)])
    with pytest.warns(UserWarning, match=r"rows 4, 5, 6 of X") as caught:
        result = train(table, T, **OPTIONS, engine=engine)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert not result.network.W_h[:, 4:].any()
    assert r_squared(result.network, table, T) > 0.85
    table[4:] = 1e6 * noise  # other values later do not matter
    assert r_squared(result.network, table, T) > 0.85


def test_a_start_on_a_constant_column_starts_as_good_as_it_is():
    X, T = standard()
    table = np.vstack([X, np.full(N, 7.7)])
    start = train(
        standard(1)[0], T, **{"alpha": 0.0, **OPTIONS, "max_epochs": 0}, scale=False
    ).network
    widened = type(start)(np.hstack([start.W_h, np.ones((6, 1))]), start.b_h, start.W_y, start.b_y)
    R = widened.predict(table) - T
    result = quietly(table, T, network=widened, hidden_size=6)
    np.testing.assert_allclose(result.loss_curve[0], np.mean(R**2), rtol=1e-10)
    assert result.loss < 0.5 * result.loss_curve[0]


@pytest.mark.parametrize("engine", ["vectorized", "fused"])
def test_constant_targets_are_predicted_exactly(engine):
    X, T = standard()
    targets = np.vstack([T, np.full(N, 0.1)])
    with pytest.warns(UserWarning, match=r"b_y alone: row 1 of T"):
        result = train(X, targets, **OPTIONS, engine=engine)
    np.testing.assert_array_equal(result.network.predict(X)[1], 0.1)
    R = result.network.predict(X) - targets
    np.testing.assert_allclose(result.loss, np.sum(R**2) / N, rtol=1e-8)


def test_a_start_beside_a_constant_target_is_returned_as_it_was_judged():
    X, T = standard()
    targets = np.vstack([T, np.full(N, 0.1)])
    given = Network.initialize(4, 6, 2)
    result = quietly(X, targets, network=given, hidden_size=6, max_epochs=0)
    R = result.network.predict(X) - targets
    np.testing.assert_allclose(result.loss, np.sum(R**2) / N, rtol=1e-10)
    np.testing.assert_allclose(result.network.predict(X)[0], given.predict(X)[0], rtol=1e-9)


def test_one_sample_is_learnt_by_the_bias():
    X, T = np.array([[1.0], [2.0]]), np.array([[5.5]])
    result = quietly(X, T)
    assert result.loss == 0
    assert result.network.predict(X).tolist() == [[5.5]]


@pytest.mark.parametrize("engine", ["vectorized", "fused"])
def test_repeated_and_dependent_columns_need_no_care(engine):
    X, T = standard()
    table = np.vstack([X, X[0], 1e6 * X[1] + 5, X.sum(axis=0)])
    result = train(table, T, **OPTIONS, engine=engine)  # a warning would be an error here
    assert r_squared(result.network, table, T) > 0.85


@pytest.mark.parametrize("engine", ["vectorized", "fused"])
@pytest.mark.parametrize("outlier", [1e30, 1e38])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_samples_of_weight_0_do_not_matter_at_all(engine, outlier, dtype):
    X, T = (np.array(1e-3 * table, dtype) for table in standard())
    weight = np.random.default_rng(4).integers(0, 3, N).astype(float)
    kept = train(X, T, **OPTIONS, engine=engine, sample_weight=weight)
    X[:, weight == 0] = outlier
    T[:, weight == 0] = -outlier
    result = train(X, T, **OPTIONS, engine=engine, sample_weight=weight)
    np.testing.assert_allclose(result.network.theta, kept.network.theta, rtol=1e-6)
    np.testing.assert_allclose(result.loss, kept.loss, rtol=1e-6)


def test_samples_of_weight_0_beyond_the_range_of_the_network():
    X, T = (1e-3 * table for table in standard())
    weight = np.ones(N)
    weight[7] = 0.0
    kept = train(X, T, **OPTIONS, dtype="float32", sample_weight=weight)
    X[:, 7] = 1e38  # 1e41 deviations
    result = train(X, T, **OPTIONS, dtype="float32", sample_weight=weight)
    np.testing.assert_allclose(result.loss, kept.loss, rtol=1e-5)


def test_weight_2_is_a_repeated_sample():
    X, T = (1e3 + 1e-2 * table for table in standard())
    weight = np.random.default_rng(4).integers(0, 3, N)
    result = train(X, T, **OPTIONS, sample_weight=weight)
    repeated = train(np.repeat(X, weight, axis=1), np.repeat(T, weight, axis=1), **OPTIONS)
    np.testing.assert_allclose(result.loss, repeated.loss, rtol=1e-6)
    np.testing.assert_allclose(result.network.W_h, repeated.network.W_h, rtol=1e-4)


@pytest.mark.parametrize("engine", ["vectorized", "fused"])
def test_validation_data_are_measured_in_the_same_units(engine):
    X, T = standard()
    X, T = 1e4 + 1e2 * X, 50 + 20 * T
    half = N // 2
    result = train(
        X[:, :half],
        T[:, :half],
        **OPTIONS,
        engine=engine,
        X_val=X[:, half:],
        T_val=T[:, half:],
    )
    R = result.network.predict(X[:, half:]) - T[:, half:]
    np.testing.assert_allclose(result.validation_loss, np.mean(R**2), rtol=1e-8)


@pytest.mark.parametrize("n_threads", [1, 3])
def test_memory_orders_give_the_same_bits(n_threads, tmp_path):
    X, T = (1e3 + 7 * table for table in standard())
    mapped = np.memmap(tmp_path / "X", "f8", "w+", shape=(N, 4))
    mapped[:] = X.T
    reference = train(X, T, **OPTIONS, n_threads=1).network.theta
    for table in (X, np.asfortranarray(X), mapped.T):
        theta = train(table, T, **OPTIONS, n_threads=n_threads).network.theta
        np.testing.assert_array_equal(theta, reference)


def test_float32_says_when_it_cannot_follow():
    X, T = standard()
    raw = X + column(1e8, 0, 0, 0)
    with pytest.warns(UserWarning, match=r'row 0 of X .* Use dtype="float64"') as caught:
        train(raw, T, **OPTIONS, dtype="float32")
    assert len(caught) == 1
    train(raw, T, **OPTIONS)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_float32_table_of_mixed_columns(dtype):
    X, T = standard()
    scale, offset, _ = UNITS["huge and tiny"]
    raw = (scale * X + offset).astype("f4")
    result = train(raw, T, **OPTIONS, dtype=dtype)
    assert result.network.dtype == dtype
    assert abs(r_squared(result.network, raw, T) - reference()[0]) < 2e-3


def test_whole_numbers_and_flags():
    X, T = standard()
    table = np.vstack([np.round(1e6 + 100 * X[:2]), X[2] > 0, X[3] > 2]).astype(int)
    raw = np.round(100 * T).astype(int)
    result = train(table, raw, **OPTIONS)
    assert r_squared(result.network, table, raw) > 0.5


def test_scale_must_be_a_flag():
    X, T = standard()
    with pytest.raises(TypeError, match="scale must be True or False"):
        train(X, T, scale="yes", alpha=0.0)


@pytest.mark.parametrize("solver", ["lm", "lbfgs", "adam"])
@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("units", [1e-44, 1e-41, 1e-38, 1e37])
def test_weights_beyond_float32_end_at_its_largest_number(solver, scale, units):
    """Levenberg–Marquardt moves float64 numbers, which may be beyond the network's."""
    X, T = standard()
    x, t = (X * units).astype("f4"), T.clip(-1.0, 1.0) * min(1 / units, 1e38)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        result = train(
            x,
            t,
            hidden_size=5,
            dtype="float32",
            solver=solver,
            scale=scale,
            max_epochs=20,
            alpha=0.0,
        )
    for network in (result.network, result.last_network):
        assert network.dtype == np.float32
        assert np.isfinite(network.theta).all()
