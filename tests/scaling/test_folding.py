"""The folded network on raw units is the network on standardised data; unfold goes back."""

from __future__ import annotations

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from batchprop import Network
from batchprop.parameters import Shape, split
from batchprop.scaling import Scaling, fold, start_of, unfold

N = 500


def drawn(shape, seed=0):
    return np.random.default_rng((seed, *shape)).normal(size=shape.n_parameters)


def data(shape, seed=0, scale=1.0, offset=0.0):
    rng = np.random.default_rng((1, seed, *shape))
    X = offset + scale * rng.normal(size=(shape.n_inputs, N))
    return X, offset + scale * rng.normal(size=(shape.n_outputs, N))


def predictions(theta, shape, X, dtype="float64", activation="tanh"):
    network = Network.from_theta(theta.astype(dtype), shape, activation)
    return network.predict(X, engine="vectorized").astype("f8")


def error_of_fold(theta, shape, X, T, dtype="float64", scaling=None):
    """Return the largest difference between the two networks, in deviations of T."""
    scaling = scaling or Scaling.of(X, T)
    scaled_X, _ = scaling.apply(X, T, "float64")
    inside = predictions(theta, shape, scaled_X)
    outside = predictions(fold(theta, shape, scaling, dtype), shape, X, dtype)
    back = (outside - scaling.t_mean[:, np.newaxis]) * scaling.t_factor[:, np.newaxis]
    return np.abs(back - inside * (scaling.t_factor[:, np.newaxis] > 0)).max()


@pytest.mark.parametrize("shape", [Shape(1, 1, 1), Shape(3, 5, 2), Shape(7, 4, 1)], ids=str)
@pytest.mark.parametrize(
    ("scale", "offset", "most"),
    [
        (1.0, 0.0, 1e-14),
        (1e-8, 0.0, 1e-14),
        (1e8, 0.0, 1e-14),
        (1e-150, 0.0, 1e-14),
        (1e150, 0.0, 1e-14),
        (1.0, 1e8, 1e-6),  # rounding of z: 1e8 · 1e-16, times weights
        (1e-8, 1.0, 1e-6),
    ],
)
def test_the_fold_is_exact_to_rounding(shape, scale, offset, most):
    X, T = data(shape, scale=scale, offset=offset)
    assert error_of_fold(drawn(shape), shape, X, T) < most


def test_the_check_of_the_fold_notices_a_wrong_number():
    shape = Shape(3, 5, 2)
    X, T = data(shape, scale=1e-8, offset=1e-8)
    scaling = Scaling.of(X, T)
    for field in ("x_mean", "t_mean"):
        wrong = scaling._replace(**{field: getattr(scaling, field) * 1.001})
        theta = fold(drawn(shape), shape, wrong)
        inside = predictions(drawn(shape), shape, scaling.apply(X, T, "f8")[0])
        outside = (predictions(theta, shape, X) - scaling.t_mean[:, None]) * scaling.t_factor[
            :, None
        ]
        assert np.abs(inside - outside).max() > 1e-5


def test_columns_of_all_scales_beside_each_other():
    shape = Shape(6, 8, 2)
    X, T = data(shape)
    X *= np.array([[1e8], [1e-8], [1.0], [1e-30], [1.0], [1.0]])
    X[4], X[5] = 3.3, X[2]
    T[1] *= 1e-8
    theta = drawn(shape)
    assert error_of_fold(theta, shape, X, T) < 1e-13
    folded = split(fold(theta, shape, Scaling.of(X, T)), shape)
    assert not folded.W_h[:, 4].any()


def test_a_constant_target_is_predicted_exactly():
    shape = Shape(2, 4, 3)
    X, T = data(shape)
    T[1] = 0.1
    Y = predictions(fold(drawn(shape), shape, Scaling.of(X, T)), shape, X)
    np.testing.assert_array_equal(Y[1], T[1])
    assert np.ptp(Y[0]) > 0


@pytest.mark.parametrize(("ratio", "most"), [(1e0, 3e-6), (1e2, 1e-4), (1e4, 5e-3)])
def test_float32_loses_no_more_than_the_rounding_of_its_sums(ratio, most):
    shape = Shape(3, 5, 1)
    X, T = data(shape, offset=ratio)
    T -= T.mean()
    X = X.astype("f4").astype("f8")
    assert error_of_fold(drawn(shape), shape, X, T, "float32") < most


def test_the_bias_makes_up_for_the_rounding_of_the_weights():
    shape = Shape(3, 5, 1)
    X, T = data(shape, offset=1e4)
    X = X.astype("f4").astype("f8")
    scaling, theta = Scaling.of(X, T), drawn(shape)
    exact = split(fold(theta, shape, scaling), shape)
    rounded = split(fold(theta, shape, scaling, "float32"), shape)
    z = exact.W_h @ X + exact.b_h[:, np.newaxis]
    ours = rounded.W_h.astype("f8") @ X + rounded.b_h[:, np.newaxis].astype("f8")
    plain = exact.W_h.astype("f4").astype("f8") @ X + exact.b_h.astype("f4")[:, np.newaxis]
    assert np.abs(ours - z).max() < 0.5 * np.abs(plain - z).max()


def test_the_folded_network_has_the_dtype_asked_for():
    shape = Shape(2, 3, 1)
    theta, scaling = drawn(shape), Scaling.of(*data(shape))
    assert fold(theta, shape, scaling).dtype == "f8"
    assert fold(theta.astype("f4"), shape, scaling).dtype == "f4"
    assert fold(theta, shape, scaling, "float32").dtype == "f4"
    assert unfold(theta.astype("f4"), shape, scaling).dtype == "f8"


def test_theta_is_left_alone():
    shape = Shape(2, 3, 1)
    theta, scaling = drawn(shape), Scaling.of(*data(shape))
    before = theta.copy()
    for result in (fold(theta, shape, scaling), unfold(theta, shape, scaling)):
        assert not np.shares_memory(result, theta)
    np.testing.assert_array_equal(theta, before)


def test_what_float32_cannot_hold_becomes_its_largest_number():
    shape = Shape(1, 2, 1)
    X, T = data(shape, scale=1e-44)
    folded = fold(100 * drawn(shape), shape, Scaling.of(X, T), "float32")
    assert np.isfinite(folded).all()
    assert np.abs(split(folded, shape).W_h).max() == np.finfo("f4").max


def test_the_identity_folds_to_the_same_bits():
    shape = Shape(3, 5, 2)
    for dtype in ("float32", "float64"):
        theta, identity = drawn(shape).astype(dtype), Scaling.identity(3, 2)
        np.testing.assert_array_equal(fold(theta, shape, identity), theta)
        np.testing.assert_array_equal(unfold(theta, shape, identity), theta)


@pytest.mark.parametrize(("scale", "offset"), [(1.0, 0.0), (1e-8, 1e-6), (1e8, 1e9), (1.0, 1e4)])
def test_unfold_undoes_fold(scale, offset):
    shape = Shape(3, 5, 2)
    scaling, theta = Scaling.of(*data(shape, scale=scale, offset=offset)), drawn(shape)
    again = unfold(fold(theta, shape, scaling), shape, scaling)
    np.testing.assert_allclose(again, theta, rtol=1e-10, atol=1e-11)


def test_a_start_on_raw_units_computes_the_same_inside():
    """The share of a constant input is kept in the bias, that of a constant target is dropped."""
    shape = Shape(3, 5, 2)
    X, T = data(shape, offset=2.0)
    X[1], T[1] = 0.7, -3.0
    theta, scaling = drawn(shape), Scaling.of(X, T)
    inside = unfold(theta, shape, scaling)
    assert not split(inside, shape).W_h[:, 1].any()
    Y = predictions(theta, shape, X)
    Y_inside = predictions(inside, shape, scaling.apply(X, T, "f8")[0])
    expected = (Y[0] - T[0].mean()) / T[0].std()
    np.testing.assert_allclose(Y_inside[0], expected, rtol=1e-11, atol=1e-12)
    np.testing.assert_array_equal(Y_inside[1], 0.0)
    folded = predictions(fold(inside, shape, scaling), shape, X)
    np.testing.assert_allclose(folded[0], Y[0], rtol=1e-11, atol=1e-12)
    np.testing.assert_array_equal(folded[1], T[1])


@hypothesis.given(
    st.tuples(st.integers(1, 5), st.integers(1, 6), st.integers(1, 3)).map(lambda t: Shape(*t)),
    st.lists(st.floats(-30, 30), min_size=8, max_size=8),
    st.lists(st.floats(-3, 3), min_size=8, max_size=8),
    st.integers(0, 1000),
)
def test_any_scales_and_offsets(shape, exponents, offsets, seed):
    X, T = data(shape, seed)
    scales, shifts = 10.0 ** np.array(exponents)[:, None], np.array(offsets)[:, None]
    e, _, s = shape
    X, T = scales[:e] * (X + shifts[:e]), scales[5 : 5 + s] * (T + shifts[5 : 5 + s])
    assert error_of_fold(drawn(shape, seed), shape, X, T) < 1e-13


def test_a_start_has_nothing_at_constant_targets():
    shape = Shape(2, 3, 2)
    scaling = Scaling.identity(2, 2)._replace(
        t_factor=np.array([1.0, 0.0]), t_scale=np.array([1.0, 0.0])
    )
    theta = np.arange(1.0, shape.n_parameters + 1)
    begun = start_of(theta, shape, scaling)
    assert (theta > 0).all()  # left alone
    blocks, given = split(begun, shape), split(theta, shape)
    assert not blocks.W_y[1].any()
    assert blocks.b_y[1] == 0.0
    np.testing.assert_array_equal(blocks.W_y[0], given.W_y[0])
    assert blocks.b_y[0] == given.b_y[0]
    np.testing.assert_array_equal(blocks.W_h, given.W_h)
