"""The price of a call of ``train`` beside its steps, and of the first call in an environment.

    python -m benchmarks.call_price            a minute or two
    python -m benchmarks.call_price --quick    small data, few repetitions

Times are the shortest of many calls, on one thread.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import batchprop
from benchmarks import machine, markdown

ROOT = Path(__file__).resolve().parent.parent
STEPS = 4  # by which the longer of two calls is longer

COLD = """
import sys, time
import numpy as np
import batchprop
x = np.linspace(-1.0, 1.0, 50)[np.newaxis]
options = dict(solver="gd", alpha=0.0, max_epochs=1) if sys.argv[1] == "gd" else {}
began = time.perf_counter()
batchprop.train(x, np.sin(3.0 * x), hidden_size=5, **options)
print(time.perf_counter() - began)
"""


class Large(NamedTuple):
    """A network and a number of samples at which a step takes much longer than a small call."""

    e: int
    m: int
    s: int
    n_samples: int

    def __str__(self) -> str:
        return f"{self.e}-{self.m}-{self.s}, N = {self.n_samples:,}"


LARGE = (Large(64, 256, 16, 100_000), Large(90, 100, 1, 463_715), Large(8, 50, 1, 1_000_000))


def shortest(call: Callable[[], object], repetitions: int) -> float:
    """Return the seconds of the shortest of some calls, after one that is not timed."""
    call()
    seconds = []
    for _ in range(repetitions):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def small_calls(repetitions: int) -> dict[str, float]:
    """Return the seconds of calls for 1-5-1 and N = 50, which hardly compute."""
    x = np.linspace(-1.0, 1.0, 50)[np.newaxis]
    t = np.sin(3.0 * x)
    one_step: dict[str, Any] = {"hidden_size": 5, "alpha": 0.0, "max_epochs": 1}
    network = batchprop.train(x, t, solver="gd", **one_step).network
    calls: dict[str, Callable[[], object]] = {
        f'train, solver="{solver}", alpha=0, max_epochs=1': (
            lambda solver=solver: batchprop.train(x, t, solver=solver, **one_step)
        )
        for solver in ("gd", "lbfgs", "lm")
    }
    calls |= {
        "the same, gd and scale=False": lambda: batchprop.train(
            x, t, solver="gd", scale=False, **one_step
        ),
        "train_many, 16 networks, gd, one thread": lambda: batchprop.train_many(
            x, t, [{"seed": seed} for seed in range(16)], solver="gd", n_threads=1, **one_step
        ),
        "loss_and_gradient": lambda: batchprop.loss_and_gradient(network, x, t),
        "predict, one sample": lambda: network.predict(x[:, :1]),
    }
    seconds = {name: shortest(call, repetitions) for name, call in calls.items()}
    whole = "train, all defaults, to the end"
    seconds[whole] = shortest(lambda: batchprop.train(x, t, hidden_size=5), repetitions // 20 + 1)
    return seconds


def one_step_ratio(case: Large, rows_are_samples: bool, repetitions: int) -> dict[str, float]:
    """Return the seconds of a step, of a call of one step, and of a call of none."""
    rng = np.random.default_rng(0)
    table = rng.standard_normal((case.n_samples, case.e), np.float32)
    X = table.T if rows_are_samples else np.ascontiguousarray(table.T)
    T = rng.standard_normal((case.s, case.n_samples), np.float32)

    def call(max_epochs: int) -> None:
        batchprop.train(
            X, T, hidden_size=case.m, solver="gd", engine="fused", scale=False, alpha=0.0,
            max_epochs=max_epochs, tol=None, n_threads=1,
        )  # fmt: skip

    none, one, many = (shortest(lambda k=k: call(k), repetitions) for k in (0, 1, 1 + STEPS))
    return {"none": none, "one": one, "step": (many - one) / STEPS}


def cold_start(solver: str) -> float:
    """Return the seconds of the first training in a fresh process, without any kernel."""
    with tempfile.TemporaryDirectory(prefix="batchprop-cold-") as folder:
        done = subprocess.run(
            [sys.executable, "-c", COLD, solver],
            env=os.environ | {"NUMBA_CACHE_DIR": folder, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            timeout=600,
            check=True,
        )
    return float(done.stdout)


def document(
    small: dict[str, float],
    large: dict[str, dict[str, float]],
    cold: dict[str, float],
    date: str,
) -> str:
    """Return the report."""
    parts = [
        "# The price of a call",
        "Made by `python -m benchmarks.call_price`: the shortest of many calls, on one thread.",
        "A 1-5-1 network on 50 samples, which is computed in a few microseconds:",
        markdown.table(
            ["call", "time"], [[name, markdown.duration(value)] for name, value in small.items()]
        ),
        "Plain gradient descent in float32 with `scale=False` and `alpha=0`. A call of no step "
        "evaluates the start; a call of one step evaluates the result as well.",
        markdown.table(
            ["net and memory order of X", "a step", "call of no step", "call of one step"],
            [
                [
                    name,
                    markdown.duration(times["step"]),
                    f"{times['none'] / times['step']:.2f} steps",
                    f"{times['one'] / times['step']:.2f} steps",
                ]
                for name, times in large.items()
            ],
        ),
        "The first training in a new environment, whose kernels are compiled and kept:",
        markdown.table(
            ["call", "time"], [[name, markdown.duration(value)] for name, value in cold.items()]
        ),
        machine.sentence(machine.describe(), date),
    ]
    return "\n\n".join(parts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "bench", metavar="FOLDER")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    cases = [case._replace(n_samples=5000) for case in LARGE] if options.quick else LARGE
    small = small_calls(20 if options.quick else 400)
    large = {
        f"{case}, {order}": one_step_ratio(case, order != "C", 2 if options.quick else 5)
        for case in cases
        for order in ("C", "the transpose of rows")
    }
    cold = {
        'train, solver="gd", alpha=0': cold_start("gd"),
        "train, all defaults": cold_start("auto"),
    }
    text = document(small, large, cold, time.strftime("%Y-%m-%d"))
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "call_price.md").write_text(text, "utf-8")
    figures = {"machine": machine.describe(), "small": small, "large": large, "cold": cold}
    (options.output / "call_price.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    print(text)
    print(f"Written: call_price.md and call_price.json in {options.output}")


if __name__ == "__main__":
    main()
