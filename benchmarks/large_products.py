"""Loss and gradient of large networks beside their two largest products in NumPy, on one thread.

    python -m benchmarks.large_products                       three networks: two minutes
    python -m benchmarks.large_products 300 700 2 5000 --dtype float64

The two take turns.  NumPy computes W_h X and δ_h Xᵀ into arrays that exist, and nothing else.
"""

from __future__ import annotations

import argparse
import time
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from batchprop.engines.fused.objective import Objective
from batchprop.engines.samples import Samples
from batchprop.parameters import Shape
from benchmarks import markdown
from benchmarks.cases import Case, add_net, case, chosen

ROUNDS = 40
CASES = [
    case(784, 1024, 10, 2_500, "relu", "float32"),
    case(400, 500, 3, 5_000, "relu", "float64"),
    case(300, 300, 2, 8_000, "relu", "float32"),
]


class Seconds(NamedTuple):
    """Times of each round."""

    ours: npt.NDArray[np.float64]  # loss and gradient
    products: npt.NDArray[np.float64]  # the two products in NumPy


def measure(one: Case, rounds: int = ROUNDS) -> Seconds:
    """Measure a case."""
    rng, dtype = np.random.default_rng(0), np.dtype(one.dtype)
    X, T, D = (
        rng.normal(size=(rows, one.n_samples)).astype(dtype) for rows in (one.e, one.s, one.m)
    )
    shape = Shape(one.e, one.m, one.s)
    theta = (rng.normal(size=shape.n_parameters) / np.sqrt(one.e)).astype(dtype)
    W_h, gradient = theta[: one.m * one.e].reshape(one.m, one.e), np.empty_like(theta)
    H, dW_h = np.empty((one.m, one.n_samples), dtype), np.empty((one.m, one.e), dtype)
    times = np.empty((1 + rounds, 2))
    with (
        Objective(Samples(X, T, None), shape, one.activation, dtype, 1) as objective,
        threadpool_limits(1, "blas"),
    ):
        for row in times:
            began = time.perf_counter()
            objective.loss_and_gradient(theta, gradient)
            between = time.perf_counter()
            np.matmul(W_h, X, out=H)
            np.matmul(D, X.T, out=dW_h)
            row[:] = between - began, time.perf_counter() - between
    return Seconds(*times[1:].T)  # without the round that compiles


def row(one: Case, seconds: Seconds) -> list[str]:
    """Return the row of one case."""
    ours, products = seconds
    return [
        one.net,
        f"{one.n_samples:,}",
        one.dtype,
        *(markdown.duration(of(times)) for times in seconds for of in (np.min, np.median)),
        markdown.number(ours.min() / products.min()),
        markdown.number(float(np.median(ours / products))),
        markdown.number(one.flops / ours.min() / 1e9),
        markdown.number(4 * one.e * one.m * one.n_samples / products.min() / 1e9),
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_net(parser)
    cases = chosen(parser, parser.parse_args(), CASES, "relu")
    head = (
        "net", "N", "dtype", "loss and gradient: least", "median", "two products: least", "median",
        "ratio of least", "of medians", "GFLOP/s, ours", "of the products",
    )  # fmt: skip
    print(markdown.table(head, [row(one, measure(one)) for one in cases]))


if __name__ == "__main__":
    main()
