"""Directions: the two loops against the matrix of BFGS, and what the memory keeps."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop.compiler.jit import kernel
from batchprop.solvers.lbfgs import directions
from batchprop.solvers.lbfgs.lbfgs_memory import (
    LbfgsSettings,
    default_history,
    memory,
    with_named_fields,
)
from tests.problems import relative_error


@kernel
def add_pair(memory, theta, previous, gradient):
    directions.add_pair(memory, theta, previous, gradient)


@kernel
def find(memory):
    directions.find_direction(memory)


def filled(n, n_pairs, history_size, seed=0):
    """A memory after so many pairs of a quadratic, and the pairs."""
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(n, n))
    hessian = root @ root.T + np.eye(n)
    kept = with_named_fields(memory(LbfgsSettings(history_size), n))
    pairs, theta = [], rng.normal(size=n)
    for _ in range(n_pairs):
        step = rng.normal(size=n)
        kept.gradient[:] = hessian @ theta
        add_pair(kept, theta + step, theta, hessian @ (theta + step))
        theta = theta + step
        pairs.append((step, hessian @ step))
    kept.gradient[:] = rng.normal(size=n)
    return kept, pairs


def bfgs_matrix(pairs, inverse):
    """B⁻¹ after updates by BFGS's formula, as a matrix."""
    for step, change in pairs:  # Δθ and Δg
        product = step @ change
        V = np.eye(step.size) - np.outer(change, step) / product
        inverse = V.T @ inverse @ V + np.outer(step, step) / product
    return inverse


def diagonal_after(pairs):
    """D by Gilbert and Lemaréchal's formula, written with its matrices."""
    D = np.eye(pairs[0][0].size)
    for step, change in pairs:
        D = D * (step @ change) / (change @ D @ change)
        B = np.linalg.inv(D)
        B = (
            B
            + np.outer(change, change) / (change @ step)
            - B @ np.outer(step, step) @ B / (step @ B @ step)
        )
        D = np.diag(1.0 / np.diag(B))
    return D


@pytest.mark.parametrize(("n_pairs", "history_size"), [(1, 5), (4, 5), (5, 5), (13, 5), (29, 29)])
def test_the_two_loops_are_the_matrix_of_bfgs(n_pairs, history_size):
    kept, pairs = filled(9, n_pairs, history_size)
    step, change = pairs[-1]
    gamma = (step @ change) / (change @ change)
    inverse = bfgs_matrix(pairs[-history_size:], gamma * np.eye(9))
    find(kept)
    assert relative_error(kept.direction, -inverse @ kept.gradient) < 1e-9


@pytest.mark.parametrize(("n_pairs", "history_size"), [(30, 40), (57, 35)])
def test_many_pairs_start_from_the_diagonal(n_pairs, history_size):
    kept, pairs = filled(40, n_pairs, history_size)
    D = diagonal_after(pairs)
    assert relative_error(kept.diagonal, np.diag(D)) < 1e-8
    find(kept)
    expected = -bfgs_matrix(pairs[-history_size:], D) @ kept.gradient
    assert relative_error(kept.direction, expected) < 1e-7


def test_without_pairs_it_is_steepest_descent():
    kept, _ = filled(6, 0, 5)
    find(kept)
    np.testing.assert_array_equal(kept.direction, -kept.gradient)


def test_a_pair_without_curvature_is_left_out():
    kept, _ = filled(6, 3, 5)
    theta = np.ones(6)
    kept.gradient[:] = theta
    add_pair(kept, 2 * theta, theta, kept.gradient - 1.0)  # the gradient falls along the step
    assert kept.counts.n_pairs[0] == 3
    full, _ = filled(6, 9, 5)
    full.gradient[:] = theta
    add_pair(full, 2 * theta, theta, full.gradient.copy())
    assert full.counts.n_pairs[0] == 4  # its place was that of the oldest


def test_history_shrinks_for_many_parameters():
    sizes = [default_history(n) for n in (13, 10**4, 10**5, 10**6, 10**8)]
    assert sizes == sorted(sizes, reverse=True)
    assert (sizes[0], sizes[-1]) == (80, 10)
