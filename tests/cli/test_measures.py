"""Errors, linear least squares, held-out rows, one-hot inputs and importance."""

from __future__ import annotations

import math

import numpy as np
import pytest

from batchprop import Network
from batchprop.cli import measures
from batchprop.cli.columns import Column
from batchprop.cli.importance import permutation_importance
from batchprop.cli.model import InputColumn
from batchprop.cli.one_hot import encoded

RNG = np.random.default_rng(0)


def test_errors_by_hand():
    T, Y = np.array([[1.0], [2.0], [3.0]]), np.array([[1.0], [2.0], [6.0]])
    (errors,) = measures.errors(T, Y)
    assert errors == pytest.approx((math.sqrt(3.0), 1.0, 1.0 - 9.0 / 2.0))
    (weighted,) = measures.errors(T, Y, np.array([1.0, 1.0, 0.0]))
    assert weighted == pytest.approx((0.0, 0.0, 1.0))
    (constant,) = measures.errors(np.ones((3, 1)), Y)
    assert math.isnan(constant.r2)


@pytest.mark.parametrize("n_rows", [30, 70_000])  # of one block, and of two
def test_linear_least_squares_is_numpys(n_rows):
    X = RNG.normal(size=(n_rows, 3)) * [1e6, 1.0, 1e-6] + [1e6, 0.0, 1.0]
    T = RNG.normal(size=(n_rows, 2)) + X[:, [0, 1]] * [1e-6, 1.0]
    weights = RNG.uniform(size=n_rows)
    model = measures.linear_least_squares(X, T, weights)
    Z = (X - X.mean(0)) / X.std(0)
    root = np.sqrt(weights)[:, np.newaxis]
    design = np.column_stack([Z, np.ones(n_rows)])
    expected = design @ np.linalg.lstsq(design * root, T * root)[0]
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-9, atol=1e-9)


def test_linear_least_squares_of_dependent_columns():
    kind = np.arange(40) % 2
    X = np.column_stack([kind, 1 - kind, np.full(40, 7.0)])
    T = (2.0 * kind)[:, np.newaxis] + 1.0
    np.testing.assert_allclose(measures.linear_least_squares(X, T).predict(X), T, atol=1e-12)


def test_held_out_rows():
    mask = measures.held_out_rows(100, 0.2, seed=0)
    assert mask.sum() == 20
    assert (mask == measures.held_out_rows(100, 0.2, seed=0)).all()
    assert (mask != measures.held_out_rows(100, 0.2, seed=1)).any()
    assert not mask[:20].all()


def test_one_hot():
    columns = [Column("a", 0), Column("k", 1, "input", True, ("u", "v", "w")), Column("b", 2)]
    values = np.array([[1.5, 2.0, 3.0], [2.5, 0.0, 4.0]])
    assert encoded(values, columns).tolist() == [[1.5, 0, 0, 1, 3.0], [2.5, 1, 0, 0, 4.0]]
    numbers = values[:, [0, 2]]
    assert encoded(numbers, [columns[0], columns[2]]) is numbers


def test_a_column_that_is_not_needed_has_no_importance():
    # y = 2 a + 3 [k = u], and b is not used: inputs a, k=u, k=v, b
    network = Network([[2.0, 3.0, 0.0, 0.0]], [0.0], [[1.0]], [0.0], activation="identity")
    columns = [InputColumn("a"), InputColumn("k", ("u", "v")), InputColumn("b")]
    kind = np.arange(3000) % 2
    X = np.column_stack([RNG.normal(size=3000), 1 - kind, kind, RNG.normal(size=3000)])
    T = network.predict(X.T).T
    growth = permutation_importance(network, columns, X, T)
    assert growth.shape == (3, 1)
    assert growth[2, 0] == 0.0
    # two draws of a differ by a variance of 2, times 2²
    np.testing.assert_allclose(growth[0, 0], math.sqrt(8.0), rtol=0.05)


def test_coverage_counts_rows_inside_their_interval_ends_included():
    T = np.array([[0.0, 1.0], [2.0, 5.0], [4.0, 9.0]])
    lower = np.array([[0.0, 2.0], [3.0, 4.0], [3.0, 8.0]])
    upper = np.array([[1.0, 3.0], [4.0, 6.0], [4.0, 9.0]])
    assert measures.coverage(T, lower, upper) == pytest.approx([2 / 3, 2 / 3])
    assert measures.coverage(T, lower, upper, np.array([1.0, 0.0, 3.0])) == [1.0, 0.75]
