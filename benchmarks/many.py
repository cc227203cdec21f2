"""Many small networks: train_many, a loop over train, and a pool of processes.

    python -m benchmarks.many                          the whole table: some minutes
    python -m benchmarks.many --counts 8 64 --samples 500 --repeats 1

All three train the same networks, with seeds 0, 1, …; it is checked that their losses agree.  Each
is warmed up; its time is the median of several repeats, which alternate.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt

import batchprop
from benchmarks import machine, markdown

ROOT = Path(__file__).resolve().parent.parent
N_INPUTS, N_HIDDEN = 8, 20
WAYS = {
    "many": "`train_many`",
    "calls": "k × `train`",
    "one_thread": "k × `train`, 1 thread",
    "processes": "processes",
}
EXPLAINED = (
    f"Made by `python -m benchmarks.many`. Seconds to train k networks {N_INPUTS}-{N_HIDDEN}-1 in "
    "float64, of seeds 0 to k − 1, on the same N samples, with {given}: by one call of "
    "`train_many` on {threads} threads; by k calls of `train`, one after another, each free to use "
    "{threads} threads, or one thread each; by a `ProcessPoolExecutor` of {threads} fresh "
    "processes with one thread each, which counts their start and the import of batchprop. All "
    "come to the same networks. The gain over calls is that over the faster of the two."
)
Array = npt.NDArray[np.float64]


def samples(n_samples: int) -> tuple[Array, Array]:
    """Return a noisy table, X (e, N) and T (1, N)."""
    rng = np.random.default_rng(n_samples)
    X = rng.uniform(-1, 1, (N_INPUTS, n_samples))
    T = np.sin(3 * X[:1] * X[1:2]) + X[2:3] ** 2 + X[3:4] - 0.5 * X[4:5]
    return X, T + 0.1 * rng.standard_normal(T.shape)


def _train_one(X: Array, T: Array, seed: int, options: dict[str, Any]) -> float:
    return batchprop.train(X, T, seed=seed, **options).loss


_table: tuple[Array, Array] | None = None  # of a worker process


def _begin(n_samples: int) -> None:
    """Load a worker's data once, as an application would do."""
    global _table
    _table = samples(n_samples)


def _train_there(seed: int, options: dict[str, Any]) -> float:
    assert _table is not None
    return _train_one(*_table, seed, options)


def losses_of(
    way: str, n_samples: int, count: int, threads: int, options: dict[str, Any]
) -> tuple[list[float], float]:
    """Train all networks in one way; return their losses and the time."""
    X, T = samples(n_samples)
    began = time.perf_counter()
    if way == "many":
        seeds = [{"seed": seed} for seed in range(count)]
        results = batchprop.train_many(X, T, seeds, n_threads=threads, **options)
        losses = [result.loss for result in results]
    elif way == "processes":
        # new processes instead of forks: forking a process with threads is unsafe
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(threads, context, _begin, (n_samples,)) as pool:
            given = options | {"n_threads": 1}
            size = max(1, count // (4 * threads))
            losses = list(pool.map(_train_there, range(count), [given] * count, chunksize=size))
    else:
        n_threads = 1 if way == "one_thread" else threads
        losses = [
            _train_one(X, T, seed, options | {"n_threads": n_threads}) for seed in range(count)
        ]
    return losses, time.perf_counter() - began


def measured(
    n_samples: int,
    count: int,
    threads: int,
    repeats: int,
    options: dict[str, Any],
    report: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Time all ways on one problem, alternating, and check that their losses agree."""
    times: dict[str, list[float]] = {way: [] for way in WAYS}
    expected: list[float] | None = None
    for _ in range(repeats):
        for way in WAYS:
            losses, seconds = losses_of(way, n_samples, count, threads, options)
            expected = expected or losses
            if losses != expected:
                raise RuntimeError(f"{way} came to other networks than the first")
            times[way].append(seconds)
            report(f"N={n_samples} k={count} {way}: {markdown.duration(seconds)}")
    return {
        "n_samples": n_samples,
        "count": count,
        "threads": threads,
        "seconds": {way: median(seconds) for way, seconds in times.items()},
    }


def table(measurements: Sequence[dict[str, Any]]) -> str:
    """Return a table with one row per problem."""
    head = ["N", "k", *WAYS.values(), "gain over calls", "gain over processes"]
    body = []
    for one in measurements:
        seconds = one["seconds"]
        times = [seconds[way] for way in WAYS]
        calls = min(seconds["calls"], seconds["one_thread"])
        body.append(
            [
                f"{one['n_samples']:,}",
                str(one["count"]),
                *markdown.bold_least([markdown.duration(value) for value in times], times),
                markdown.ratio(calls / seconds["many"]),
                markdown.ratio(seconds["processes"] / seconds["many"]),
            ]
        )
    return markdown.table(head, body, left=0)


def document(
    measurements: Sequence[dict[str, Any]],
    options: dict[str, Any],
    described: dict[str, Any],
    date: str,
) -> str:
    """Return the report."""
    threads = measurements[0]["threads"]
    given = ", ".join(f"{name}={value!r}" for name, value in options.items()) or "the defaults"
    text = EXPLAINED.format(threads=threads, given=given)
    parts = [
        "# Many networks at once",
        text,
        table(measurements),
        machine.sentence(described, date),
    ]
    return "\n\n".join(parts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    cores = len(machine.cores())
    add = parser.add_argument
    add("--counts", nargs="+", type=int, default=[8, 64, 512], help="of networks")
    add("--samples", nargs="+", type=int, default=[500, 5000])
    add("--threads", type=int, default=cores, help=f"default: {cores}")
    add("--repeats", type=int, default=3)
    add("--max-epochs", type=int, default=50, help="of each network (default: 50)")
    add("--output", type=Path, default=ROOT / "build" / "bench", metavar="FOLDER")
    given = parser.parse_args()
    options: dict[str, Any] = {"hidden_size": N_HIDDEN, "max_epochs": given.max_epochs}
    for n_samples in given.samples:  # warm-up: load kernels, start threads
        losses_of("many", n_samples, 2, given.threads, options)
    measurements = [
        measured(n_samples, count, given.threads, given.repeats, options)
        for n_samples in given.samples
        for count in given.counts
    ]
    described, date = machine.describe(), time.strftime("%Y-%m-%d")
    text = document(measurements, options, described, date)
    given.output.mkdir(parents=True, exist_ok=True)
    (given.output / "many.md").write_text(text, "utf-8")
    figures = {"date": date, "machine": described, "options": options, "networks": measurements}
    (given.output / "many.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    print(text)
    print(f"Written: many.md and many.json in {given.output}")


if __name__ == "__main__":
    main()
