"""The derivation itself: what calculus gives, and what the naive engine computes.

The loss is written down here once more, with sympy's matrices, and sympy differentiates it. The
naive engine then runs twice: on symbols, with a sigma nobody has defined, where its result has
to be the same expression; and on numbers, where it has to agree to rounding. The last part is
the worked example of the design, every product written out.
"""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
import sympy

import batchprop
from batchprop.engines import naive
from batchprop.engines.naive import activation_formulas, chain_rule, matrix, scalar
from batchprop.parameters import Shape, split
from tests.engines.naive.naive_problems import relative_error


class Sigma(sympy.Function):
    """Any activation: nothing is known of it but that its derivative is SigmaPrime."""

    def fdiff(self, argindex=1):
        return SigmaPrime(self.args[0])


class SigmaPrime(sympy.Function):
    pass


@pytest.fixture
def any_sigma(monkeypatch):
    monkeypatch.setitem(
        activation_formulas.ACTIVATIONS, "any", activation_formulas.Activation(Sigma, SigmaPrime)
    )
    return "any"


def symbols(e, m, s, n_samples):
    """W_h, b_h, W_y, b_y, X, T as sympy matrices of real symbols."""
    shapes = {"W": (m, e), "b": (m, 1), "V": (s, m), "c": (s, 1)}
    shapes |= {"x": (e, n_samples), "t": (s, n_samples)}
    return [
        sympy.Matrix(*shape, lambda r, c, name=name: sympy.Symbol(f"{name}{r}_{c}", real=True))
        for name, shape in shapes.items()
    ]


def derived_loss(W_h, b_h, W_y, b_y, X, T, weight, activation):
    """L = sum_i w_i |y_i - t_i|^2 / sum_i w_i, as on paper."""
    total = sympy.Integer(0)
    for i, w in enumerate(weight):
        h = (W_h * X[:, i] + b_h).applyfunc(activation)
        y = W_y * h + b_y
        total += w * (y - T[:, i]).dot(y - T[:, i])
    return total / sum(weight)


def is_zero(expression):
    """Expand to a sum of products: only an empty sum is zero whatever the symbols are."""
    return sympy.expand(expression) == 0


# weights whose sums are powers of two: the engine's divisions leave no rounding in coefficients
WEIGHTS = [[1, 1], [1, 3], [sympy.Rational(1, 2), 2, sympy.Rational(3, 2)], [1, 1, 1, 1]]


def scalar_arguments(W_h, b_h, W_y, b_y, X, T):
    return W_h.tolist(), list(b_h), W_y.tolist(), list(b_y), list(X), list(T)


@pytest.mark.parametrize("n_samples", [1, 2, 4])  # powers of two, for the same reason
@pytest.mark.parametrize("form", [scalar, chain_rule], ids=["scalar", "chain_rule"])
def test_scalar_forms_are_the_derivative_for_any_activation(form, n_samples, any_sigma):
    W_h, b_h, W_y, b_y, X, T = parts = symbols(1, 2, 1, n_samples)
    L = derived_loss(*parts, [1] * n_samples, Sigma)
    loss, gradient = form.loss_and_gradient(*scalar_arguments(*parts), any_sigma)
    assert is_zero(loss - L)
    for block, derivatives in zip((W_h, b_h, W_y, b_y), gradient, strict=True):
        for parameter, derivative in zip(block, sympy.flatten(derivatives), strict=True):
            assert is_zero(sympy.diff(L, parameter) - derivative), parameter


@pytest.mark.parametrize("weight", WEIGHTS[:3], ids=str)
@pytest.mark.parametrize("shape", [(1, 2, 1), (2, 3, 2)], ids=str)
def test_matrix_form_is_the_derivative_for_any_activation(shape, weight, any_sigma):
    W_h, b_h, W_y, b_y, X, T = parts = symbols(*shape, len(weight))
    L = derived_loss(*parts, weight, Sigma)
    sample_weight = None if set(weight) == {1} else weight
    loss, gradient = matrix.loss_and_gradient(
        W_h.tolist(), list(b_h), W_y.tolist(), list(b_y), X.tolist(), T.tolist(),
        any_sigma, sample_weight,
    )  # fmt: skip
    assert is_zero(loss - L)
    for block, derivatives in zip((W_h, b_h, W_y, b_y), gradient, strict=True):
        for parameter, derivative in zip(block, sympy.flatten(derivatives), strict=True):
            assert is_zero(sympy.diff(L, parameter) - derivative), parameter


def test_symbolic_comparison_rejects_a_wrong_gradient(any_sigma):
    """Negative control: nothing passes without the factor 2, or one per cent off."""
    W_h, b_h, W_y, b_y, X, T = parts = symbols(1, 2, 1, 2)
    L = derived_loss(*parts, [1, 1], Sigma)
    _, gradient = scalar.loss_and_gradient(*scalar_arguments(*parts), any_sigma)
    for wrong in (sympy.Rational(1, 2), sympy.Rational(101, 100)):
        for block, derivatives in zip((W_h, b_h, W_y, b_y), gradient, strict=True):
            for parameter, derivative in zip(block, sympy.flatten(derivatives), strict=True):
                assert not is_zero(sympy.diff(L, parameter) - wrong * derivative)


FORMULAS = {  # the activations as sympy expressions, differentiated by sympy too
    "identity": lambda z: z,
    "logistic": lambda z: 1 / (1 + sympy.exp(-z)),
    "tanh": sympy.tanh,
    "relu": lambda z: sympy.Piecewise((z, z > 0), (0, True)),
    "softplus": lambda z: sympy.log(1 + sympy.exp(z)),
    "elu": lambda z: sympy.Piecewise((z, z > 0), (sympy.exp(z) - 1, True)),
    "softsign": lambda z: z / (1 + sympy.Abs(z)),
}


@pytest.mark.parametrize(("shape", "n_samples"), [((1, 2, 1), 3), ((2, 3, 2), 2)])
@pytest.mark.parametrize("activation", FORMULAS)
def test_numbers_are_those_of_sympys_derivative(activation, shape, n_samples):
    assert set(FORMULAS) == set(activation_formulas.ACTIVATIONS)
    W_h, b_h, W_y, b_y, X, T = parts = symbols(*shape, n_samples)
    weight = [sympy.Rational(1 + i, 3) for i in range(n_samples)]
    L = derived_loss(*parts, weight, FORMULAS[activation])
    parameters = [*W_h, *b_h, *W_y, *b_y]
    outcome = [L, *(sympy.diff(L, parameter) for parameter in parameters)]
    evaluate = sympy.lambdify([*parameters, *X, *T], outcome, modules="mpmath", cse=True)

    rng = np.random.default_rng([len(activation), *shape])
    numbers = rng.normal(size=len(parameters) + len(X) + len(T))
    with mpmath.workdps(40):
        derived_L, *derived = [
            float(value) for value in evaluate(*(mpmath.mpf(float(number)) for number in numbers))
        ]
    theta, x, t = np.split(numbers, np.cumsum([len(parameters), len(X)]))
    gradient = np.empty_like(theta)
    w = np.array([float(value) for value in weight])
    objective = naive.ArrayObjective(
        x.reshape(X.shape), t.reshape(T.shape), w, Shape(*shape), activation, np.float64
    )
    assert objective.loss_and_gradient(theta, gradient) == pytest.approx(derived_L, rel=1e-14)
    for block, expected in zip(
        split(gradient, Shape(*shape)), split(np.array(derived), Shape(*shape)), strict=True
    ):
        assert relative_error(block, expected) <= 1e-13


def worked_example_by_hand():
    """1-2-1, tanh, N = 2: results 1 to 4, term by term; here 2/N = 1.

    W_h = [[0.5], [-0.3]], b_h = [0.1, 0.2], W_y = [[0.7, -0.4]], b_y = [0.05].
    """
    # sample 1: x = 1, target 0.5
    h_11 = math.tanh(0.5 * 1 + 0.1)  # z = 0.6, h = 0.53705
    h_12 = math.tanh(-0.3 * 1 + 0.2)  # z = -0.1, h = -0.09967
    y_1 = 0.7 * h_11 - 0.4 * h_12 + 0.05  # 0.46580
    r_1 = y_1 - 0.5  # -0.03420
    # sample 2: x = -2, target -1
    h_21 = math.tanh(0.5 * -2 + 0.1)  # z = -0.9, h = -0.71630
    h_22 = math.tanh(-0.3 * -2 + 0.2)  # z = 0.8, h = 0.66404
    y_2 = 0.7 * h_21 - 0.4 * h_22 + 0.05  # -0.71702
    r_2 = y_2 + 1  # 0.28298

    L = (r_1**2 + r_2**2) / 2  # (0.0011695 + 0.0800759) / 2

    db_y = [r_1 + r_2]
    dW_y = [[r_1 * h_11 + r_2 * h_21, r_1 * h_12 + r_2 * h_22]]
    # tanh' = 1 - h^2: 0.71158, 0.99007 for sample 1; 0.48692, 0.55906 for sample 2
    dz_1 = r_1 * 0.7 * (1 - h_11**2) + r_2 * 0.7 * (1 - h_21**2)
    dz_2 = r_1 * -0.4 * (1 - h_12**2) + r_2 * -0.4 * (1 - h_22**2)
    db_h = [dz_1, dz_2]
    dW_h = [
        [r_1 * 0.7 * (1 - h_11**2) * 1 + r_2 * 0.7 * (1 - h_21**2) * -2],
        [r_1 * -0.4 * (1 - h_12**2) * 1 + r_2 * -0.4 * (1 - h_22**2) * -2],
    ]
    return L, dW_h, db_h, dW_y, db_y


# the same, by a calculator with 30 digits
WORKED_EXAMPLE = (
    0.040622684990165702,
    [[-0.20993505950809998], [0.14010306268539314]],
    [0.079416187973565995, -0.049736496610542373],
    [[-0.22106174441954894, 0.19131544545082916]],
    [0.24877867750215035],
)
EXAMPLE = {
    "W_h": [[0.5], [-0.3]],
    "b_h": [0.1, 0.2],
    "W_y": [[0.7, -0.4]],
    "b_y": [0.05],
    "X": [[1.0, -2.0]],
    "T": [[0.5, -1.0]],
}


def worked_example_by_scalar_form(form):
    data = {name: value for name, value in EXAMPLE.items() if name not in ("X", "T")}
    loss, gradient = form.loss_and_gradient(
        **data, x=EXAMPLE["X"][0], t=EXAMPLE["T"][0], activation="tanh"
    )
    return loss, *gradient


def worked_example_by_engine(engine):
    data = {name: np.array(value) for name, value in EXAMPLE.items()}
    X, T = data.pop("X"), data.pop("T")
    net = batchprop.Network(**data, activation="tanh")
    loss, gradient = batchprop.loss_and_gradient(net, X, T, engine=engine)
    return loss, gradient.W_h, gradient.b_h, gradient.W_y, gradient.b_y


@pytest.mark.parametrize(
    "compute",
    [
        worked_example_by_hand,
        lambda: worked_example_by_scalar_form(scalar),
        lambda: worked_example_by_scalar_form(chain_rule),
        *(lambda engine=engine: worked_example_by_engine(engine) for engine in batchprop.ENGINES),
    ],
    ids=["by hand", "scalar", "chain rule", *batchprop.ENGINES],
)
def test_worked_example(compute):
    for value, expected in zip(compute(), WORKED_EXAMPLE, strict=True):
        assert relative_error(value, expected) <= 1e-14
