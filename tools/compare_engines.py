"""Compare the fused engine with the vectorized one, and its results on 1, 2 and 3 threads.

Needs no pytest: for processors on which the tests are too slow or cannot run, such as the one that
``tools/emulate_aarch64.sh`` emulates.

    PYTHONPATH=src:. python tools/compare_engines.py
"""

from __future__ import annotations

import platform
import sys

import batchprop
from batchprop.compiler.target import TARGET
from tests.problems import problem, relative_error

CASES = ((1, 4, 1, 100), (3, 5, 2, 65), (8, 20, 1, 3001), (40, 7, 3, 130))
TOLERANCE = {"float32": 1e-5, "float64": 1e-13}
THREADS = (1, 2, 3)


def error_of(case: tuple[int, ...], activation: str, dtype: str) -> float:
    """Return the largest relative error of loss, gradient and outputs, relative to float64."""
    net, X, T, weight = problem(*case, activation, dtype, weighted=case[-1] % 2 == 0)
    exact = net.astype("float64")
    fused_loss, fused_gradient = batchprop.loss_and_gradient(net, X, T, sample_weight=weight)
    loss, gradient = batchprop.loss_and_gradient(
        exact, X, T, sample_weight=weight, engine="vectorized"
    )
    return max(
        abs(fused_loss - loss) / loss,
        relative_error(fused_gradient.theta, gradient.theta),
        relative_error(net.predict(X), exact.predict(X, engine="vectorized")),
    )


def error_of_matrix(case: tuple[int, ...]) -> float:
    """Return the relative error of JᵀJ."""
    net, X, T, _ = problem(*case)
    JTJ = batchprop.gauss_newton(net, X, T).JTJ
    return relative_error(JTJ, batchprop.gauss_newton(net, X, T, engine="vectorized").JTJ)


def distinct_results(solver: str) -> int:
    """Return the number of distinct results of one training on several numbers of threads: 1."""
    _, X, T, _ = problem(8, 20, 1, 9001)
    options = {"hidden_size": 20, "solver": solver, "max_epochs": 5, "tol": None}
    thetas = [batchprop.train(X, T, n_threads=n, **options).network.theta for n in THREADS]
    return len({theta.tobytes() for theta in thetas})


def main() -> int:
    """Print the comparisons; return 0 if all are within the tolerances."""
    print(f"{platform.machine()}, compiled for {TARGET}")
    right = True
    for dtype, tolerance in TOLERANCE.items():
        worst = max(error_of(case, name, dtype) for case in CASES for name in ("tanh", "softplus"))
        right &= worst < tolerance
        print(f"{dtype}: fused = vectorized to {worst:.1e}, {tolerance:.0e} allowed", flush=True)
    worst = max(error_of_matrix(case) for case in CASES)
    right &= worst < TOLERANCE["float64"]
    print(f"JᵀJ: fused = vectorized to {worst:.1e}", flush=True)
    for solver in ("gd", "lbfgs", "lm"):
        count = distinct_results(solver)
        right &= count == 1
        print(f"{solver}: {count} result(s) on {THREADS} threads", flush=True)
    print("right" if right else "WRONG")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
