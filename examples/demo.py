"""Train on a real table: with all three engines, and with the call that needs no settings.

Run it with ``make demo``; ``make demo ARGS="--csv mine.csv --target price"`` takes your own table.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import Any

import demo_console as console
import demo_data as data
import demo_plots as plots
import numpy as np

import batchprop
from batchprop.activations import ACTIVATIONS
from batchprop.training.result import TrainResult

HERE = Path(__file__).resolve().parent
TABLE, TARGET = HERE / "data" / "auto_mpg.csv", "mpg"
PLOTS = HERE.parent / "build" / "demo"
ENGINES = batchprop.ENGINES  # naive first: the others are compared with it
LEVEL = 0.9  # of the intervals
NAIVE_WORK = 40_000_000  # samples × weights × epochs for plain Python: about ten seconds


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    table = parser.add_mutually_exclusive_group()
    table.add_argument("--csv", type=Path, metavar="FILE", help="a table with a header line")
    table.add_argument("--npz", type=Path, metavar="FILE", help="arrays X (N, e) and y (N,)")
    parser.add_argument("--target", metavar="COLUMN", help="the column to predict (default: first)")
    parser.add_argument("--hidden", type=int, default=16, metavar="M", help="hidden units")
    parser.add_argument("--activation", default="tanh", choices=ACTIVATIONS, help="σ")
    parser.add_argument("--learning-rate", type=float, default=0.1, help="of gradient descent")
    parser.add_argument("--epochs", type=int, help="for the comparison of the engines")
    parser.add_argument(
        "--long-epochs", type=int, default=20_000, help="for the fused engine alone"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the start and of the split")
    parser.add_argument(
        "--output", type=Path, default=PLOTS, metavar="FOLDER", help="for the plots"
    )
    return parser.parse_args()


def read(options: argparse.Namespace) -> data.Table:
    try:
        if options.npz:
            return data.read_npz(options.npz)
        if options.csv:
            return data.read_csv(options.csv, options.target)
        return data.read_csv(TABLE, options.target or TARGET)
    except (OSError, ValueError) as error:
        raise SystemExit(f"{options.npz or options.csv}: {error}") from None


def load(run: dict[str, Any], parts: data.Split) -> None:
    """Train for one epoch, so that later timings exclude loading and compilation."""
    line = console.ProgressLine("loading", 1)
    line.note("numba; compiling, the first time here …")
    began = time.perf_counter()
    for engine in ("fused", "vectorized"):  # together these load everything that is compiled
        batchprop.train(**run | {"max_epochs": 1}, engine=engine)
    batchprop.train(*parts.raw_fitted, max_epochs=1)
    took = console.duration(time.perf_counter() - began)
    line.done(f"{took} for numba and compiled code, which is kept for the next time")


def compare(run: dict[str, Any]) -> dict[str, TrainResult]:
    """Train the same network with each engine and show that only the time differs."""
    results = {}
    for engine in ENGINES:
        line = console.ProgressLine(engine, run["max_epochs"])
        trainings = [batchprop.train(**run, engine=engine, callback=line)]
        while len(trainings) < 5 and trainings[0].seconds < 0.5:  # too short to time only once
            trainings.append(batchprop.train(**run, engine=engine))
        best = results[engine] = min(trainings, key=lambda result: result.seconds)
        looks = f", best of {len(trainings)}" if len(trainings) > 1 else ""
        line.done(f"{best.n_epochs:,} epochs in {console.duration(best.seconds)}{looks}")

    naive = results[ENGINES[0]]
    rows = []
    for engine, result in results.items():
        both = min(result.loss_curve.size, naive.loss_curve.size)  # differ only after divergence
        off = np.max(np.abs(result.loss_curve[:both] / naive.loss_curve[:both] - 1.0))
        ratio = naive.seconds / result.seconds
        rows.append(
            [
                engine,
                f"{result.loss_curve[-1]:.15f}",
                "–" if engine == ENGINES[0] else f"{off:.1e}",
                console.duration(result.seconds),
                console.duration(result.seconds / result.n_epochs),
                f"{ratio:,.0f} ×" if ratio > 1.5 else "1 ×",
            ]
        )
    print()
    console.table(["engine", "training loss L", "differs by", "training", "epoch", "speed"], rows)
    print("\n  differs by: largest relative difference from naive, over the whole loss curve")
    return results


def train_long(run: dict[str, Any], parts: data.Split) -> TrainResult:
    """Train with the fused engine until the validation loss stops improving."""
    X_val, T_val = parts.validation
    run = run | {
        "engine": "fused",
        "X_val": X_val,
        "T_val": T_val,
        "patience": 5_000,
        "max_seconds": 30,
    }
    line = console.ProgressLine("fused", run["max_epochs"])
    result = batchprop.train(**run, callback=line, callback_every=500)
    line.done(
        f"{result.n_epochs:,} epochs in {console.duration(result.seconds)}, stopped by "
        f"{result.stop_reason}; best on the validation rows: epoch {result.best_epoch:,}"
    )
    return result


def train_by_default(parts: data.Split) -> TrainResult:
    """Train on all rows but the held-out ones, as they are in the table, without settings."""
    X, T = parts.raw_fitted
    result = batchprop.train(X, T, uncertainty="laplace")
    for line in str(result).splitlines():
        print(f"  {line}")
    return result


def compare_expectations(
    result: TrainResult, parts: data.Split, judged: plots.Judged, target: str
) -> plots.Judged:
    """Show what the call expected of new rows beside what came; return it with its intervals."""
    X, T = parts.raw_held_out
    if result.predictive is None:
        return judged
    print(
        f"\n  error on new rows, as the call without settings estimated it: "
        f"{result.predictive.error_std[0]:.3f} {target}; on the held-out rows: {judged.rmse:.3f}"
    )
    lower, upper = result.predictive.interval(X, LEVEL)
    coverage = float(np.mean((lower <= T) & (T <= upper)))
    print(
        f"  {LEVEL:.0%} intervals, {float(np.mean(upper - lower)):.3g} {target} wide on average, "
        f"contain {coverage:.0%} of the held-out values"
    )
    return judged._replace(interval=(lower[0], upper[0]))


def judge(
    parts: data.Split,
    table: data.Table,
    same: TrainResult,
    best: TrainResult,
    default: TrainResult,
) -> list[plots.Judged]:
    """Compare the networks with two baselines on the held-out rows."""
    X, T = parts.held_out
    by_default = default.network.predict(parts.raw_held_out[0])
    predictions = {
        "mean of the training rows": np.zeros_like(T),
        "linear least squares": data.linear_least_squares(parts),
        f"plain descent, epoch {same.n_epochs:,}": same.last_network.predict(X),
        f"plain descent, epoch {best.best_epoch:,}": best.network.predict(X),
        "batchprop.train(X, T)": (by_default - parts.mean) / parts.scale,
    }
    judged = [
        plots.Judged(name, parts.mean + parts.scale * Y[0], *data.errors(parts, Y))
        for name, Y in predictions.items()
    ]
    console.table(
        ["predictor", f"RMSE ({table.target})", "R²"],
        [[predictor.name, f"{predictor.rmse:.3f}", f"{predictor.r2:.3f}"] for predictor in judged],
    )
    return judged


def main() -> None:
    options = arguments()
    table = read(options)
    parts = data.split(table, options.seed)
    (X, T), (X_val, _), (_, T_held_out) = parts.train, parts.validation, parts.held_out
    e, N = X.shape
    network = batchprop.Network.initialize(
        e, options.hidden, 1, activation=options.activation, seed=options.seed
    )
    work = N * network.theta.size
    epochs = options.epochs or int(np.clip(NAIVE_WORK // work, 2, 1000))
    run = {
        "X": X,
        "T": T,
        "network": network,
        "solver": "gd",
        "learning_rate": options.learning_rate,
        "gradient_tol": None,
        "tol": None,
    }

    console.heading(
        f"batchprop {batchprop.__version__}: one hidden layer, full batch, three engines"
    )
    console.facts(
        [
            ("table", f"{table.name}: {len(table.t):,} rows, {table.target} from {e} columns"),
            *(("", note) for note in table.notes),
            (
                "rows",
                f"{N:,} to train on, {X_val.shape[1]:,} to stop by, {T_held_out.size:,} to judge",
            ),
            (
                "network",
                f"{e}-{options.hidden}-1 {network.activation}, {network.theta.size:,} weights",
            ),
            (
                "parts 1, 2",
                f"plain gradient descent, learning rate {options.learning_rate:g}, {network.dtype}",
            ),
        ]
    )
    console.heading(f"1  The same {epochs:,} epochs with each engine, from the same start")
    load(run, parts)
    results = compare(run | {"max_epochs": epochs})

    console.heading(
        "2  As long as it helps: the fused engine alone, watched by the validation rows"
    )
    long = train_long(run | {"max_epochs": options.long_epochs}, parts)

    console.heading(
        "3  No settings: batchprop.train(X, T), with uncertainty='laplace' for intervals"
    )
    default = train_by_default(parts)

    console.heading("4  Error on the held-out rows")
    judged = judge(parts, table, results["fused"], long, default)
    judged[-1] = compare_expectations(default, parts, judged[-1], table.target)

    options.output.mkdir(parents=True, exist_ok=True)
    curves = [
        plots.Curve(name, r.loss_curve, r.seconds, console.duration(r.seconds))
        for name, r in results.items()
    ]
    pictures = [
        options.output / f"{name}.png" for name in ("learning_curve", "predicted_against_true")
    ]
    plots.learning_curve(pictures[0], curves, long)
    true = parts.mean + parts.scale * T_held_out[0]
    plots.predicted_against_true(pictures[1], true, judged[-2:], table.target)
    console.heading("Plots")
    for picture in pictures:
        here = picture.resolve().is_relative_to(Path.cwd())
        print(f"  {os.path.relpath(picture) if here else picture}")


if __name__ == "__main__":
    main()
