"""The rule of solver="auto": by the sizes, the dtype, and the penalty."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop import train
from batchprop.parameters import Shape
from batchprop.solvers.auto import MAX_ALPHA, MAX_COST, MAX_PARAMETERS, choose, cost

PLAIN = "float64", "tanh"
SMALL = Shape(3, 10, 1)


@pytest.mark.parametrize("n_samples", [300, 1000, 10**6])
@pytest.mark.parametrize("shape", [Shape(1, 3, 1), SMALL, Shape(2, 30, 2), Shape(6, 15, 1)])
def test_small_networks_are_trained_by_levenberg_marquardt(shape, n_samples):
    assert choose(shape, n_samples, *PLAIN) == "lm"


@pytest.mark.parametrize(
    ("shape", "n_samples"),
    [
        (Shape(100, 10, 1), 500),
        (Shape(100, 10, 1), 10**6),
        (Shape(8, 50, 1), 10**4),
        (Shape(1, 2000, 1), 100),
        (Shape(784, 1024, 10), 20_000),
    ],
)
def test_wide_ones_by_lbfgs(shape, n_samples):
    assert choose(shape, n_samples, *PLAIN) == "lbfgs"


def test_cost_grows_with_the_network_and_falls_with_samples_to_a_bound():
    assert cost(Shape(3, 20, 1), 100, "float64") > cost(SMALL, 100, "float64") > 1
    assert cost(SMALL, 100, "float64") > cost(SMALL, 1000, "float64")
    far = [cost(SMALL, n, "float64") for n in (10**8, 10**9)]
    assert far[0] == pytest.approx(far[1], rel=1e-6)


def test_float32_makes_lbfgs_cheaper():
    assert cost(SMALL, 100, np.float32) == 2 * cost(SMALL, 100, np.float64)


def test_kinks_are_for_lbfgs():
    chosen = [choose(SMALL, 1000, "float64", sigma) for sigma in ("tanh", "logistic", "relu")]
    assert chosen == ["lm", "lm", "lbfgs"]


def test_never_beyond_the_limits():
    """Levenberg–Marquardt's matrices stay small wherever it is chosen."""
    chosen = [
        shape.n_parameters
        for e in (1, 5, 30)
        for m in (1, 10, 100, 1000, 10**5)
        for s in (1, 10)
        for n in (10, 10**4, 10**7)
        for shape in [Shape(e, m, s)]
        if choose(shape, n, *PLAIN) == "lm"
    ]
    assert 0 < max(chosen) <= MAX_PARAMETERS
    assert MAX_COST > 1


def test_train_follows_the_rule():
    rng = np.random.default_rng(0)
    X, T = rng.normal(size=(100, 30)), rng.normal(size=(1, 30))
    assert train(X[:3], T, hidden_size=5, max_epochs=1, alpha=0.0).solver == "lm"
    assert train(X, T, hidden_size=50, max_epochs=1, alpha=0.0).solver == "lbfgs"
    assert train(X[:3], T, hidden_size=5, solver="lbfgs", max_epochs=1, alpha=0.0).solver == "lbfgs"


@pytest.mark.parametrize("n_samples", [50, 10**6])
def test_a_penalty_makes_it_easy_for_lbfgs(n_samples):
    for alpha, solver in (
        ((0.0, 0.0), "lm"),
        ((0.0, 1.0), "lm"),  # the weights of one layer are free
        ((MAX_ALPHA, 1.0), "lm"),
        ((2 * MAX_ALPHA, 3 * MAX_ALPHA), "lbfgs"),
        ((1.0, 1.0), "lbfgs"),
    ):
        assert choose(SMALL, n_samples, *PLAIN, alpha) == solver


def test_train_follows_the_penalty():
    rng = np.random.default_rng(0)
    X, T = rng.normal(size=(2, 30)), rng.normal(size=(1, 30))
    options = {"hidden_size": 5, "max_epochs": 1}
    for alpha, solver in ((0.0, "lm"), (1e-6, "lm"), (0.1, "lbfgs"), ((0.1, 0.2), "lbfgs")):
        result = train(X, T, alpha=alpha, **options)
        assert result.solver == result.checkpoint.arguments["solver"] == solver
    assert train(X, T, alpha=0.1, solver="lm", **options).solver == "lm"


def test_the_cost_by_hand():
    """Of 1-2-1 on ten samples: products 9 + 12 + 2 each, 7³/6, and 10 · 2 · 25 for a gradient."""
    assert cost(Shape(1, 2, 1), 10, "float64") == pytest.approx((230 + 343 / 6 + 500) / 500)
    # of 2-3-2: 36 + 36 + 4.5, 17³/6, and 10 · 3 · 30
    assert cost(Shape(2, 3, 2), 10, "float64") == pytest.approx((765 + 17**3 / 6 + 900) / 900)


def test_up_to_thirty_times_the_cost_is_worth_it():
    """The network that costs most among those chosen, and the least of those that are not."""
    assert (MAX_COST, MAX_PARAMETERS) == (30.0, 1000)
    small = [
        Shape(e, m, s)
        for e in range(1, 12)
        for m in range(1, 60)
        for s in (1, 2)
        if Shape(e, m, s).n_parameters <= 400
    ]
    for n_samples in (200, 2000):
        chosen, others = [], []
        for shape in small:
            solver = choose(shape, n_samples, *PLAIN)
            (chosen if solver == "lm" else others).append(cost(shape, n_samples, "float64"))
        assert 29.5 < max(chosen) <= 30.0 < min(others) < 30.5


def test_up_to_a_thousand_parameters():
    for shape, solver in ((Shape(1, 166, 4), "lm"), (Shape(1, 58, 15), "lbfgs")):
        assert shape.n_parameters in (1000, 1001)
        assert cost(shape, 10**7, "float64") < MAX_COST
        assert choose(shape, 10**7, *PLAIN) == solver
