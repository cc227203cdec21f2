"""The three forms of the derivation agree, and sample weights mean repetition."""

from __future__ import annotations

import pytest

from batchprop.engines.naive import chain_rule, matrix, scalar
from batchprop.engines.naive.activation_formulas import ACTIVATIONS
from tests.engines.naive.naive_problems import matrix_problem, relative_error, scalar_problem

BLOCKS = ("loss", "W_h", "b_h", "W_y", "b_y")
TOLERANCE = 2e-14  # of the largest entry of a block: sums of some 50 terms in another order


def by_weight(problem, activation):
    loss, gradient = scalar.loss_and_gradient(**problem, activation=activation)
    return loss, *gradient


def by_factors(problem, activation):
    loss, gradient = chain_rule.loss_and_gradient(**problem, activation=activation)
    return loss, *gradient


def by_matrix(problem, activation, sample_weight=None):
    parameters = {name: problem[name] for name in ("W_h", "b_h", "W_y", "b_y")}
    loss, gradient = matrix.loss_and_gradient(
        **parameters,
        X=[problem["x"]],
        T=[problem["t"]],
        activation=activation,
        sample_weight=sample_weight,
    )
    return loss, *gradient


def assert_same(results, references, tolerance=TOLERANCE):
    for name, result, reference in zip(BLOCKS, results, references, strict=True):
        assert relative_error(result, reference) <= tolerance, name


@pytest.mark.parametrize("n_samples", [1, 2, 7, 50])
@pytest.mark.parametrize("m", [1, 4, 9])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("form", [by_factors, by_matrix])
def test_three_forms_agree(form, activation, m, n_samples):
    problem = scalar_problem(m, n_samples, seed=100 * m + n_samples)
    assert_same(form(problem, activation), by_weight(problem, activation))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("form", [by_factors, by_matrix])
def test_three_forms_agree_on_huge_preactivations(form, activation):
    problem = scalar_problem(5, 20, seed=3)
    problem["x"] = [1e4 * x for x in problem["x"]]
    assert_same(form(problem, activation), by_weight(problem, activation))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("form", [by_factors, by_matrix])
def test_three_forms_agree_on_subnormal_inputs(form, activation):
    problem = scalar_problem(3, 8, seed=4)
    problem["x"] = [1e-310 * x for x in problem["x"]]
    # dL/dW_h is subnormal itself: products keep some 14 bits of its 1e-310, and no more
    results, references = form(problem, activation), by_weight(problem, activation)
    assert relative_error(results[1], references[1]) <= 1e-11
    for name in (0, 2, 3, 4):
        assert relative_error(results[name], references[name]) <= TOLERANCE, BLOCKS[name]
    assert any(entry != 0.0 for entry in references[1])


def test_weight_two_is_a_repeated_sample_and_zero_a_missing_one():
    problem = scalar_problem(4, 6, seed=5)
    counts = [1, 2, 0, 1, 3, 0]
    repeated = dict(problem)
    for name in ("x", "t"):
        repeated[name] = [
            value for value, count in zip(problem[name], counts, strict=True) for _ in range(count)
        ]
    weighted = by_matrix(problem, "tanh", [float(count) for count in counts])
    for form in (by_weight, by_factors, by_matrix):
        assert_same(weighted, form(repeated, "tanh"), tolerance=1e-15 * 6)


def test_only_ratios_of_weights_matter():
    problem = scalar_problem(3, 5, seed=6)
    weight = [0.5, 2.0, 1.25, 0.0, 4.0]
    for factor in (1024.0, 2.0**-1000):  # powers of two: every rounding stays where it was
        scaled = [factor * w for w in weight]
        assert_same(by_matrix(problem, "logistic", scaled), by_matrix(problem, "logistic", weight))


@pytest.mark.parametrize("n_outputs", [1, 2, 3])
def test_loss_sums_over_outputs_and_averages_over_samples(n_outputs):
    problem = matrix_problem(2, 3, n_outputs, 4, seed=7)
    loss, _ = matrix.loss_and_gradient(**problem, activation="tanh")
    parameters = {name: problem[name] for name in ("W_h", "b_h", "W_y", "b_y", "X")}
    Y = matrix.predict(**parameters, activation="tanh")
    squares = [(Y[o][i] - problem["T"][o][i]) ** 2 for o in range(n_outputs) for i in range(4)]
    assert loss == pytest.approx(sum(squares) / 4, rel=1e-14, abs=0)


def test_outputs_share_only_the_hidden_layer():
    """An s-output loss is the sum of s one-output losses; so are the hidden gradients."""
    problem = matrix_problem(3, 4, 3, 6, seed=8)
    loss, gradient = matrix.loss_and_gradient(**problem, activation="softplus")
    singles = []
    for o in range(3):
        one = problem | {name: [problem[name][o]] for name in ("W_y", "b_y", "T")}
        singles.append(matrix.loss_and_gradient(**one, activation="softplus"))
    assert loss == pytest.approx(sum(single[0] for single in singles), rel=1e-14, abs=0)
    for o, (_, single) in enumerate(singles):
        assert relative_error(gradient.W_y[o], single.W_y[0]) <= 1e-14
        assert relative_error(gradient.b_y[o], single.b_y[0]) <= 1e-14
    total = [sum(single.b_h[k] for _, single in singles) for k in range(4)]
    assert relative_error(gradient.b_h, total) <= 1e-14


def test_lengths_that_do_not_fit_are_refused():
    problem = matrix_problem(2, 3, 1, 4, seed=9)
    with pytest.raises(ValueError, match="3 sample weights for 4 samples"):
        matrix.loss_and_gradient(**problem, activation="tanh", sample_weight=[1.0] * 3)
    with pytest.raises(ValueError, match="zip"):
        matrix.loss_and_gradient(**problem | {"X": problem["X"][:1]}, activation="tanh")
    with pytest.raises(ValueError, match="zip"):
        matrix.loss_and_gradient(
            **problem | {"X": [row[:3] for row in problem["X"]]}, activation="tanh"
        )
