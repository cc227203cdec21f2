"""One full-batch step of each engine, L(θ) and ∂L/∂θ, without set-up."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop import engines
from batchprop.engines.samples import Samples
from batchprop.parameters import Shape, split
from benchmarks import data, suite


def step(benchmark, name, engine, threads):
    """Time loss and gradient of one engine on one case, check and label the result."""
    work = suite.CASES[name]
    X, T, _, theta = suite.problem(name)
    shape = Shape(work.e, work.m, work.s)
    gradient = np.empty_like(theta)
    form = shape, work.activation, np.dtype(work.dtype), suite.thread_count(threads)
    with (
        suite.blas_threads(threads),
        engines.load(engine).Objective(Samples(X, T), *form) as objective,
    ):
        loss = suite.timed(benchmark, engine, objective.loss_and_gradient, theta, gradient)
    suite.check(work, loss, data.Blocks(*split(gradient, shape)), suite.expected_step(name))
    suite.label(benchmark, work, engine, threads, loss=loss)


@pytest.mark.benchmark(group="step")
@pytest.mark.parametrize(("name", "engine", "threads"), suite.engine_runs(suite.STEPS))
def test_step(benchmark, name, engine, threads):
    step(benchmark, name, engine, threads)


@pytest.mark.benchmark(group="sweep")
@pytest.mark.parametrize(("name", "engine", "threads"), suite.engine_runs(suite.SWEEP))
def test_step_against_n(benchmark, name, engine, threads):
    step(benchmark, name, engine, threads)


def test_a_wrong_result_is_rejected():
    name = suite.STEPS[0].name
    work, (loss, right) = suite.CASES[name], suite.expected_step(name)
    suite.check(work, loss, right, (loss, right))
    for wrong_loss, wrong in (
        (loss * 1.01, right),
        (loss, data.Blocks(*(1.01 * block for block in right))),
        (loss, right._replace(b_y=0 * right.b_y)),
    ):
        with pytest.raises(AssertionError):
            suite.check(work, wrong_loss, wrong, (loss, right))
