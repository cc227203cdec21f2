"""What solvers do between evaluations, on the driver, and how many evaluations they make."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np

import batchprop
from batchprop.compiler.jit import kernel
from batchprop.compiler.kernel_struct import KernelStruct
from batchprop.engines.fused.summed_objective import SummedObjective
from batchprop.engines.loss_scale import Scales
from batchprop.engines.vectorized import ArrayGaussNewtonObjective
from batchprop.solvers.lbfgs import directions
from batchprop.solvers.lbfgs.lbfgs_memory import (
    LbfgsSettings,
    default_history,
    memory,
    with_named_fields,
)
from batchprop.solvers.levenberg_marquardt import iteration, levenberg_marquardt_memory
from batchprop.solvers.levenberg_marquardt.levenberg_marquardt_memory import (
    LevenbergMarquardtSettings,
    work,
)
from benchmarks.scaling_out.kernels import times
from benchmarks.scaling_out.networks import SEGMENT, Evaluation


@kernel
def _find_direction(pairs):
    directions.find_direction(pairs)


@kernel
def _propose(settings, damping, buffers, theta):
    return iteration.propose(settings, damping, buffers, theta)


def lbfgs_seconds(evaluation: Evaluation, repetitions: int = 7) -> dict[str, Any]:
    """Return the time of a direction of L-BFGS from all of its pairs, and their size."""
    n_parameters = evaluation.shape.n_parameters
    n_pairs = default_history(n_parameters)
    rng = np.random.default_rng(0)
    pairs = with_named_fields(memory(LbfgsSettings(n_pairs), n_parameters))
    pairs.steps[:] = rng.standard_normal(pairs.steps.shape)
    pairs.changes[:] = pairs.steps * rng.uniform(0.5, 2.0, n_parameters)
    pairs.products[0] = 1.0 / np.einsum("ij,ij->i", pairs.steps, pairs.changes)
    pairs.counts.n_pairs[0], pairs.counts.newest[0] = n_pairs, n_pairs - 1
    pairs.gradient[:] = rng.standard_normal(n_parameters)
    seconds = min(times(lambda: _find_direction(pairs), repetitions))
    return {
        "evaluation": evaluation.name,
        "n_pairs": n_pairs,
        "n_bytes": pairs.steps.nbytes + pairs.changes.nbytes,
        "seconds": seconds,
    }


def lm_seconds(evaluation: Evaluation) -> dict[str, Any]:
    """Return the times of assembling JᵀJ from sums, and of solving for a step."""
    shape = evaluation.shape
    n_parameters = shape.n_parameters
    repetitions = 5 if n_parameters < 2000 else 1
    rng = np.random.default_rng(0)
    sums, theta = rng.random(evaluation.n_sums), rng.random(n_parameters)
    settings = LevenbergMarquardtSettings()
    damping, buffers = levenberg_marquardt_memory.memory(settings), work(n_parameters)
    objective = SummedObjective(lambda *_: sums, shape, "tanh", SEGMENT, Scales(1.0, 2.0))
    assemble = times(
        lambda: objective.gauss_newton(theta, buffers.gradient, buffers.matrix), repetitions
    )
    buffers.matrix[:] = 1.0
    buffers.matrix[np.diag_indices(n_parameters)] = n_parameters
    buffers.mean_diagonal[0] = n_parameters
    kernel_buffers = KernelStruct(buffers)
    step = times(lambda: _propose(settings, damping, kernel_buffers, theta), repetitions)
    return {"evaluation": evaluation.name, "assemble": min(assemble), "step": min(step)}


@contextmanager
def _counted(counts: dict[str, int]) -> Iterator[None]:
    """Count what a solver asks of the vectorized engine, by what is evaluated."""
    depth = 0  # an evaluation may call another one

    def counting(name: str) -> Callable[..., Any]:
        original = getattr(ArrayGaussNewtonObjective, name)

        def call(self: ArrayGaussNewtonObjective, *arguments: Any) -> Any:
            nonlocal depth
            counts[name] = counts.get(name, 0) + (depth == 0)
            depth += 1
            try:
                return original(self, *arguments)
            finally:
                depth -= 1

        return call

    names = ("loss", "loss_and_gradient", "gauss_newton", "curvature")
    with patch.multiple(ArrayGaussNewtonObjective, **{name: counting(name) for name in names}):
        yield


def evaluations_of_lm(max_epochs: int = 60) -> dict[str, float]:
    """Return how many evaluations of each kind Levenberg–Marquardt makes in an iteration."""
    X, T = _table(2000)
    counts: dict[str, int] = {}
    with _counted(counts):
        result = batchprop.train(
            X, T, hidden_size=20, solver="lm", engine="vectorized", alpha=0.0,
            max_epochs=max_epochs, tol=None,
        )  # fmt: skip
    return {name: count / result.n_epochs for name, count in sorted(counts.items()) if count}


def evaluations_of_lbfgs(max_epochs: int = 500) -> float:
    """Return how many evaluations of the gradient L-BFGS makes in an iteration."""
    X, T = _table(20_000)
    result = batchprop.train(
        X, T, hidden_size=50, solver="lbfgs", alpha=0.0, max_epochs=max_epochs, tol=None
    )
    return float(result.n_evaluations / result.n_epochs)


def _table(n_samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a smooth, noisy table with 8 inputs."""
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (8, n_samples))
    T = (
        np.sin(3 * X[:1] * X[1:2])
        + X[2:3] ** 2
        + X[3:4]
        + 0.1 * rng.standard_normal((1, n_samples))
    )
    return X, T
