"""The loss after a number of evaluations, beside SciPy's L-BFGS-B on the same function."""

from __future__ import annotations

import contextlib
import math
from functools import cache

import numpy as np
import pytest
import scipy.optimize
from threadpoolctl import threadpool_limits

from batchprop import Network
from tests.problems import Data
from tests.solvers.lbfgs.runs import minimised, prepared

EVALUATIONS = (100, 300, 1000)
STARTS = 4  # a geometric mean over them: from a single one, 24 times more or less is chance
WORST = np.array((2.0, 1.1, 1.1))  # on any problem
MEAN = 0.85  # over the table


def standardised(table):
    return (table - table.mean(axis=1, keepdims=True)) / table.std(axis=1, keepdims=True)


def sinc(X):
    return np.sinc(3 * X[:1])


def cubic(X):
    return X[:1] ** 3 - X[:1]


def friedman(X):
    x = X / 2 + 0.5
    return (10 * np.sin(np.pi * x[:1] * x[1:2]) + 20 * (x[2:3] - 0.5) ** 2 + 10 * x[3:4]) + 5 * x[
        4:5
    ]


def valley(X):
    return np.log(1 + 100 * (X[1:2] - X[:1] ** 2) ** 2 + (1 - X[:1]) ** 2)


def robot_arm(X):
    a, b = 2 * X[0], 2 * X[1]
    return np.vstack([np.cos(a) + 0.7 * np.cos(a + b), np.sin(a) + 0.7 * np.sin(a + b)])


# function, e, m, N, σ, noise as a share of the targets' deviation
TABLE = {
    "sinc, 5": (sinc, 1, 5, 100, "tanh", 0),
    "sinc, 10": (sinc, 1, 10, 500, "tanh", 0),
    "sinc, noisy": (sinc, 1, 10, 500, "logistic", 0.1),
    "cubic": (cubic, 1, 4, 50, "tanh", 0),
    "cubic, softsign": (cubic, 1, 8, 200, "softsign", 0),
    "friedman": (friedman, 5, 10, 1000, "tanh", 0),
    "friedman, noisy": (friedman, 5, 20, 1000, "logistic", 0.1),
    "friedman, ten inputs": (friedman, 10, 30, 500, "tanh", 0.3),
    "friedman, softplus": (friedman, 5, 15, 500, "softplus", 0.1),
    "friedman, relu": (friedman, 5, 15, 500, "relu", 0.1),
    "valley": (valley, 2, 20, 600, "tanh", 0),
    "valley, elu": (valley, 2, 15, 600, "elu", 0.05),
    "robot arm": (robot_arm, 2, 15, 800, "tanh", 0),
    "robot arm, noisy": (robot_arm, 2, 20, 800, "logistic", 0.02),
}


def case_of(name, start=0):
    f, e, m, n_samples, activation, noise = TABLE[name]
    rng = np.random.default_rng(len(name))
    X = rng.uniform(-1, 1, (e, n_samples))
    T = standardised(f(X))
    T = T + noise * rng.normal(size=T.shape)
    network = Network.initialize(e, m, len(T), activation=activation, seed=start)
    return Data(network, standardised(X), T, None)


class Enough(Exception):
    """All evaluations are used up."""


def scipys_losses(case, limit):
    """Return the loss at each of SciPy's evaluations."""
    losses = []

    def objective(theta):
        if len(losses) == limit:
            raise Enough
        gradient = np.empty_like(theta)
        losses.append(evaluated.loss_and_gradient(theta, gradient))
        return losses[-1], gradient

    options = {"maxiter": 10**6, "maxfun": 10**6, "ftol": 0, "gtol": 0}
    with prepared(case) as evaluated, threadpool_limits(1), contextlib.suppress(Enough):
        scipy.optimize.minimize(
            objective, case.network.theta, jac=True, method="L-BFGS-B", options=options
        )
    return losses


def ratios_from(name, start):
    """Return our lowest loss over SciPy's after each number of evaluations."""
    case = case_of(name, start)
    theirs = np.array(scipys_losses(case, max(EVALUATIONS)))
    ours = (
        minimised(case, epochs=limit, max_evaluations=limit).state.best_score[0]
        for limit in EVALUATIONS
    )
    return [mine / theirs[:limit].min() for mine, limit in zip(ours, EVALUATIONS, strict=True)]


@cache
def ratios(name):
    """Return the same as a geometric mean over several starts."""
    return np.exp(np.mean([np.log(ratios_from(name, start)) for start in range(STARTS)], axis=0))


@pytest.mark.parametrize("name", TABLE)
def test_about_the_same_loss_or_lower_on_every_problem(name):
    assert (ratios(name) < WORST).all()


def test_a_lower_loss_over_the_table():
    table = np.array([ratios(name) for name in TABLE])
    mean = np.exp(np.log(table).mean(axis=0))
    assert (mean < MEAN).all()
    assert (np.median(table, axis=0) < 1.0).all()


def test_few_evaluations_an_iteration():
    for name in TABLE:
        result = minimised(case_of(name), epochs=300)
        assert result.state.calls[0] < 1.35 * result.losses.size, name


def test_the_comparison_would_notice_a_poor_history():
    case = case_of("sinc, 10")
    theirs = min(scipys_losses(case, 1000))
    poor = minimised(case, epochs=1000, max_evaluations=1000, history_size=1)
    assert poor.state.best_score[0] > WORST[-1] * theirs
    assert math.isfinite(poor.state.best_score[0])
