"""σ and σ′ side by side: right, in place, safe for any argument."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from batchprop.activations import ACTIVATIONS

EXACT = {
    "identity": (lambda z: z, lambda z: mpmath.mpf(1)),
    "logistic": (
        lambda z: 1 / (1 + mpmath.exp(-z)),
        lambda z: mpmath.exp(-z) / (1 + mpmath.exp(-z)) ** 2,
    ),
    "tanh": (mpmath.tanh, lambda z: mpmath.sech(z) ** 2),
    "relu": (lambda z: max(z, mpmath.mpf(0)), lambda z: mpmath.mpf(z > 0)),
    "softplus": (lambda z: mpmath.log1p(mpmath.exp(z)), lambda z: 1 / (1 + mpmath.exp(-z))),
    "elu": (
        lambda z: z if z > 0 else mpmath.expm1(z),
        lambda z: mpmath.mpf(1) if z > 0 else mpmath.exp(z),
    ),
    "softsign": (lambda z: z / (1 + abs(z)), lambda z: 1 / (1 + abs(z)) ** 2),
}
DTYPES = ("float64", "float32")


def values(dtype):
    rng = np.random.default_rng(0)
    drawn = np.concatenate([rng.normal(0, scale, 60) for scale in (1e-6, 0.1, 1, 10, 80)])
    return np.concatenate([drawn, [0.0, -0.0, 1.0, -1.0]]).astype(dtype)


def computed(name, Z):
    H, slopes = np.empty_like(Z), np.empty_like(Z)
    ACTIVATIONS[name].sigma(Z, H)
    ACTIVATIONS[name].sigma_prime(H, slopes)
    return H, slopes


def test_the_table_is_in_order():
    assert list(ACTIVATIONS) == list(EXACT)
    assert [activation.code for activation in ACTIVATIONS.values()] == list(range(7))
    assert all(name == activation.name for name, activation in ACTIVATIONS.items())
    analytic = [name for name, activation in ACTIVATIONS.items() if activation.analytic]
    assert analytic == ["identity", "logistic", "tanh", "softplus"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_values_and_slopes(name, dtype):
    """Within 4 ulp of the result, or of 1 where a form saturates: (1 + tanh)/2, 1 − h²."""
    Z = values(dtype)
    H, slopes = computed(name, Z)
    assert H.dtype == slopes.dtype == dtype
    eps = np.finfo(dtype).eps
    with mpmath.workdps(60):
        sigma, slope = EXACT[name]
        exact_H = np.array([float(sigma(mpmath.mpf(float(z)))) for z in Z])
        exact_slopes = np.array([float(slope(mpmath.mpf(float(z)))) for z in Z])
    least = 1.0 if name == "logistic" else np.finfo(dtype).tiny
    assert (np.abs(H - exact_H) <= 4 * eps * np.maximum(np.abs(exact_H), least)).all()
    assert (np.abs(slopes - exact_slopes) <= 4 * eps).all()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_slope_is_that_of_the_function(name):
    """Central differences, away from the kinks at 0."""
    Z = np.concatenate([np.linspace(-4, -0.1, 40), np.linspace(0.1, 4, 40)])
    step = 1e-5
    differences = (computed(name, Z + step)[0] - computed(name, Z - step)[0]) / (2 * step)
    np.testing.assert_allclose(computed(name, Z)[1], differences, rtol=1e-8)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_in_place_has_the_same_bits(name, dtype):
    Z = values(dtype).reshape(4, -1)
    H, _ = computed(name, Z)
    before = Z.copy()
    ACTIVATIONS[name].sigma(Z, Z)
    assert Z.tobytes() == H.tobytes()
    assert (before != Z).any() or name == "identity"


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_source_is_left_alone(name):
    Z = values("float64")
    before = Z.copy()
    H, _ = computed(name, Z)
    np.testing.assert_array_equal(Z, before)
    after = H.copy()
    ACTIVATIONS[name].sigma_prime(H, np.empty_like(H))
    np.testing.assert_array_equal(H, after)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_ends_of_the_range(name, dtype):
    """Huge arguments saturate without a warning (warnings are errors here); NaN stays NaN."""
    info = np.finfo(dtype)
    Z = np.array([-info.max, -1e30, -1e4, -info.tiny, info.tiny, 1e4, 1e30, info.max], dtype)
    H, slopes = computed(name, Z)
    assert (np.diff(H) >= 0).all()
    assert ((slopes >= 0) & (slopes <= 1)).all()
    if name != "identity":
        assert slopes[0] == 0
    limits = {"logistic": (0, 1), "tanh": (-1, 1), "softsign": (-1, 1), "elu": (-1, info.max),
              "relu": (0, info.max), "softplus": (0, info.max)}  # fmt: skip
    assert (H[0], H[-1]) == pytest.approx(limits.get(name, (-info.max, info.max)))
    with np.errstate(invalid="ignore"):
        assert np.isnan(computed(name, np.array([np.nan], dtype))[0]).all()


def test_the_slope_at_the_kink_of_relu_is_zero():
    _, slopes = computed("relu", np.array([-0.0, 0.0, 5e-324]))
    assert slopes.tolist() == [0, 0, 1]
