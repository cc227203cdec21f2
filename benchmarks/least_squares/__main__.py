"""Compare damping rules, geodesic acceleration and variable projection; writes two tables.

    python -m benchmarks.least_squares                      three starts of each problem: minutes
    python -m benchmarks.least_squares --starts 1 --iterations 40
    python -m benchmarks.least_squares --output docs/benchmarks

All methods are implemented in NumPy and run from the same start for the same number of iterations.
Losses are those of standardised data.  "Digits behind" is log₁₀ of the ratio of a loss to the best
method's on the same problem and start; losses below 10⁻²⁶ count as 10⁻²⁶.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

import batchprop
from benchmarks import machine, markdown
from benchmarks.least_squares.methods import Method, minimise
from benchmarks.least_squares.models import Network, Projected
from benchmarks.least_squares.problems import PROBLEMS

LEAST = 1e-26
CHOSEN = "Nielsen, mean, bent"
DAMPING = {
    f"×10 ÷10, {scaling}": Method("10", scaling, bend=0.0)
    for scaling in ("identity", "diagonal", "largest")
} | {
    f"×4 ÷5, {scaling}": Method("4", scaling, bend=0.0)
    for scaling in ("identity", "diagonal", "largest")
} | {
    f"Nielsen, {scaling}{', bent' if bend else ''}": Method("nielsen", scaling, bend)
    for bend in (0.0, 0.75)
    for scaling in ("identity", "mean", "diagonal", "largest")
}  # fmt: skip
PROJECTION = {
    "VarPro, mean": Method(bend=0.0, projected=True),
    "VarPro, largest": Method(scaling="largest", bend=0.0, projected=True),
    "VarPro, mean, bent": Method(projected=True),
    "VarPro, largest, bent": Method(scaling="largest", projected=True),
    "VarPro, largest, bent, ridge 1e-15": Method(scaling="largest", projected=True, ridge=1e-15),
}
METHODS = DAMPING | PROJECTION


class Outcome(NamedTuple):
    """Result of a method on a problem from one start."""

    problem: str
    start: int
    method: str
    n_parameters: int
    loss: float
    iterations: int
    seconds: float


def solve(index: int, start: int, iterations: int) -> list[Outcome]:
    """Run all methods on one problem from one start, single-threaded."""
    problem, outcomes = PROBLEMS[index], []
    network = Network(problem, start)
    theta = batchprop.Network.initialize(*network.shape, seed=start).theta
    n_hidden = problem.m * (network.shape.n_inputs + 1)
    with threadpool_limits(1), np.errstate(all="ignore"):
        for name, method in METHODS.items():
            began = time.perf_counter()
            if method.projected:
                model = Projected(network, method.ridge)
                losses = minimise(model, theta[:n_hidden], method, iterations)
            else:
                losses = minimise(network, theta, method, iterations)
            seconds = time.perf_counter() - began
            outcomes.append(
                Outcome(problem.name, start, name, theta.size, losses[-1], len(losses) - 1, seconds)
            )
    return outcomes


def behind(outcomes: Sequence[Outcome], names: Iterable[str]) -> dict[str, list[float]]:
    """Return each method's digits behind the best of ``names``, per problem and start."""
    logs = {(o.problem, o.start, o.method): np.log10(max(o.loss, LEAST)) for o in outcomes}
    runs = list(dict.fromkeys((o.problem, o.start) for o in outcomes))
    names = list(names)
    best = {run: min(logs[*run, name] for name in names) for run in runs}
    return {name: [float(logs[*run, name] - best[run]) for run in runs] for name in names}


def summary(outcomes: Sequence[Outcome], names: Iterable[str]) -> str:
    """Return one row per method: digits behind, share of first places, time per iteration."""
    rows = []
    for name, digits in behind(outcomes, names).items():
        subset = [o for o in outcomes if o.method == name]
        each = [1e3 * o.seconds / max(1, o.iterations) for o in subset]
        first = float(np.mean([value < 0.05 for value in digits]))
        rows.append(
            [name, f"{np.mean(digits):.2f}", f"{np.median(digits):.2f}", f"{100 * first:.0f} %",
             markdown.number(float(np.median(each)))]
        )  # fmt: skip
    head = ["method", "digits behind, mean", "median", "best or level", "ms an iteration (median)"]
    return markdown.table(head, rows)


def by_problem(outcomes: Sequence[Outcome], names: Sequence[str]) -> str:
    """Return one row per problem: each method's median loss over the starts."""
    rows = []
    for problem in PROBLEMS:
        subset = [o for o in outcomes if o.problem == problem.name]
        medians = [
            float(np.median([o.loss for o in subset if o.method == name])) for name in names
        ]  # fmt: skip
        cells = markdown.bold_least([f"{value:.1e}" for value in medians], medians)
        rows.append([problem.name, str(subset[0].n_parameters), *cells])
    return markdown.table(["problem", "P", *names], rows)


def report(outcomes: Sequence[Outcome], iterations: int) -> str:
    starts = len({o.start for o in outcomes})
    compared = ["Nielsen, mean", CHOSEN, *PROJECTION]
    return "\n\n".join(
        [
            "# Damping rules, bent steps and variable projection",
            f"Made by `python -m benchmarks.least_squares`: {len(PROBLEMS)} problems, {starts} "
            f"starts each, {iterations} iterations, NumPy on one thread.  {machine.processor()}.  "
            "What the methods are: `benchmarks/least_squares/methods.py` and `models.py`.",
            "## Levenberg–Marquardt with all weights free",
            "Names are damping rule, D and, where steps are bent by the curvature along them, "
            f'"bent".  `solver="lm"` is "{CHOSEN}".',
            summary(outcomes, DAMPING),
            "## Variable projection",
            "The output layer solved exactly at each trial by a QR factorisation (ridge 10⁻¹² on "
            "standardised data), Kaufman's Jacobian.",
            summary(outcomes, compared),
            "Losses, medians over the starts:",
            by_problem(outcomes, compared),
        ]
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--starts", type=int, default=3)
    parser.add_argument("--iterations", type=int, default=150)
    parser.add_argument("--workers", type=int, default=len(machine.cores()))
    parser.add_argument("--output", type=Path, default=Path("build/bench"))
    options = parser.parse_args()
    work = [(i, start) for start in range(options.starts) for i in range(len(PROBLEMS))]
    with ProcessPoolExecutor(options.workers) as pool:
        runs = [pool.submit(solve, *one, options.iterations) for one in work]
        outcomes = [outcome for run in runs for outcome in run.result()]
    options.output.mkdir(parents=True, exist_ok=True)
    text = report(outcomes, options.iterations)
    (options.output / "variable_projection.md").write_text(text + "\n", "utf-8")
    lines = ",\n".join(json.dumps(outcome) for outcome in outcomes)
    head = json.dumps({"iterations": options.iterations, "columns": Outcome._fields})
    (options.output / "variable_projection.json").write_text(
        f'{head[:-1]}, "outcomes": [\n{lines}\n]}}\n', "utf-8"
    )
    print(text)


if __name__ == "__main__":
    main()
