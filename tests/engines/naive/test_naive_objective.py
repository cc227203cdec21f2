"""The naive engine behind the protocol all engines share: arrays in, arrays out."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop import engines
from batchprop.engines import naive
from batchprop.engines.naive import matrix
from batchprop.parameters import Shape, split
from tests.engines.naive.naive_problems import matrix_problem, relative_error

SHAPE = Shape(3, 4, 2)
N_SAMPLES = 7


def make_problem(dtype=np.float64, seed=21):
    """The same numbers as nested lists and as arrays."""
    lists = matrix_problem(*SHAPE, N_SAMPLES, seed)
    lists = {name: np.array(value, dtype).tolist() for name, value in lists.items()}
    theta = np.concatenate([np.ravel(lists[name]) for name in ("W_h", "b_h", "W_y", "b_y")])
    X, T = (np.array(lists[name], dtype) for name in ("X", "T"))
    return lists, theta.astype(dtype), X, T


def evaluate(theta, X, T, sample_weight=None, activation="tanh", dtype=None):
    gradient = np.full_like(theta, np.nan)
    arguments = SHAPE, activation, dtype or theta.dtype
    objective = naive.ArrayObjective(X, T, sample_weight, *arguments)
    loss = objective.loss_and_gradient(theta, gradient)
    assert objective.loss(theta) == loss
    assert type(loss) is float
    return loss, gradient


def test_engine_is_registered_under_its_name():
    assert engines.load("naive").formulas is naive


@pytest.mark.parametrize("weighted", [False, True])
def test_arrays_give_the_numbers_of_the_lists(weighted):
    lists, theta, X, T = make_problem()
    weight = np.linspace(0.0, 2.0, N_SAMPLES) if weighted else None
    loss, gradient = evaluate(theta, X, T, weight)
    reference_loss, reference = matrix.loss_and_gradient(
        **lists, activation="tanh", sample_weight=None if weight is None else weight.tolist()
    )
    assert loss == reference_loss
    for block, expected in zip(split(gradient, SHAPE), reference, strict=True):
        assert block.tolist() == expected
    assert naive.predict(theta, SHAPE, "tanh", X).tolist() == matrix.predict(
        **{name: value for name, value in lists.items() if name != "T"}, activation="tanh"
    )


def test_float32_is_computed_in_float64_and_rounded_once():
    _, theta, X, T = make_problem(np.float32)
    loss, gradient = evaluate(theta, X, T)
    double_loss, double = evaluate(theta.astype(np.float64), X, T)
    assert gradient.dtype == np.float32
    assert loss == double_loss
    np.testing.assert_array_equal(gradient, double.astype(np.float32))
    Y = naive.predict(theta, SHAPE, "tanh", X)
    assert Y.dtype == np.float32
    double_Y = naive.predict(theta.astype(np.float64), SHAPE, "tanh", X)
    np.testing.assert_array_equal(Y, double_Y.astype(np.float32))


def test_data_of_another_dtype_is_rounded_to_the_networks():
    _, theta, X, T = make_problem()
    theta = theta.astype(np.float32)
    loss, gradient = evaluate(theta, X, T)
    rounded_loss, rounded = evaluate(theta, X.astype(np.float32), T.astype(np.float32))
    assert loss == rounded_loss
    np.testing.assert_array_equal(gradient, rounded)


@pytest.mark.parametrize("form", ["fortran", "strided", "read-only", "memmap"])
def test_every_memory_layout_gives_the_same_bits(form, tmp_path):
    _, theta, X, T = make_problem()
    loss, gradient = evaluate(theta, X, T)

    def laid_out(A):
        if form == "fortran":
            return np.asfortranarray(A)
        if form == "strided":
            return np.repeat(A, 2, axis=1)[:, ::2]
        if form == "read-only":
            A.flags.writeable = False
            return A
        path = tmp_path / f"{A.shape[0]}-rows.npy"
        np.save(path, A)
        return np.load(path, mmap_mode="r")

    other_loss, other = evaluate(theta, laid_out(X), laid_out(T))
    assert other_loss == loss
    np.testing.assert_array_equal(other, gradient)


def test_inputs_are_left_as_they_were():
    _, theta, X, T = make_problem()
    weight = np.linspace(1.0, 2.0, N_SAMPLES)
    originals = [A.copy() for A in (theta, X, T, weight)]
    evaluate(theta, X, T, weight)
    for A, original in zip((theta, X, T, weight), originals, strict=True):
        np.testing.assert_array_equal(A, original)


@pytest.mark.parametrize("activation", ["identity", "relu", "softplus", "elu"])
def test_divergence_gives_inf_or_nan_and_no_exception(activation):
    _, theta, X, T = make_problem()
    gradient = np.empty_like(theta)
    objective = naive.ArrayObjective(X, T, None, SHAPE, activation, np.float64)
    assert not np.isfinite(objective.loss_and_gradient(1e200 * theta, gradient))
    assert not np.isfinite(gradient).all()


def test_gradient_beyond_float32_is_inf_without_a_warning():
    _, theta, X, T = make_problem(np.float32)
    loss, gradient = evaluate(np.float32(1e30) * theta, X, T, activation="identity")
    assert np.isfinite(loss)
    assert np.isinf(gradient).any()
    Y = naive.predict(np.float32(1e30) * theta, SHAPE, "identity", X)
    assert np.isinf(Y).any()


@pytest.mark.parametrize("activation", ["tanh", "logistic", "softsign"])
def test_saturated_units_give_a_finite_gradient(activation):
    _, theta, X, T = make_problem()
    split(theta, SHAPE).W_h[:] *= 1e4
    loss, gradient = evaluate(theta, X, T, activation=activation)
    assert np.isfinite(loss)
    assert np.isfinite(gradient).all()
    assert relative_error(split(gradient, SHAPE).b_y, 0 * gradient[:2]) > 0.0
