"""Train on a Dask cluster on this machine, kill a worker, and compare the bits with one process.

Run it with ``make demo-cluster``; ``make demo-cluster ARGS="--samples 2000000"`` has more to do.
"""

from __future__ import annotations

import argparse
import os
import signal
import time
from pathlib import Path
from typing import Any

import dask.array as da
import distributed
import numpy as np

import batchprop
from batchprop.dask import train
from batchprop.result import Progress

TABLE = Path(__file__).resolve().parent / "data" / "auto_mpg.csv"
CHUNK = 100_000  # rows of a partition


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=500_000, metavar="N", help="rows to make")
    parser.add_argument("--workers", type=int, default=2, help="worker processes")
    parser.add_argument("--hidden", type=int, default=16, metavar="M", help="hidden units")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0, help="of the rows and of the start")
    return parser.parse_args()


def table(n_samples: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return inputs (N, 7) and targets (N,): cars of the table, each with small changes."""
    cars = np.loadtxt(TABLE, delimiter=",", skiprows=1, dtype=np.float32)
    rng = np.random.default_rng(seed)
    rows = cars[rng.integers(len(cars), size=n_samples)]
    rows += 0.05 * cars.std(axis=0) * rng.standard_normal(rows.shape, dtype=np.float32)
    return np.ascontiguousarray(rows[:, 1:]), np.ascontiguousarray(rows[:, 0])


class Killer:
    """A callback that kills a worker in the middle of a run.

    Parameters
    ----------
    client : distributed.Client
        Of the cluster.
    epoch : int
        When.
    """

    def __init__(self, client: distributed.Client, epoch: int) -> None:
        self.client, self.epoch, self.times = client, epoch, {}

    def __call__(self, progress: Progress) -> None:
        self.times[progress.epoch] = time.perf_counter()
        if progress.epoch == self.epoch:
            address, pid = sorted(self.client.run(os.getpid).items())[0]
            print(f"epoch {progress.epoch}: killing the worker {address} (process {pid})")
            os.kill(pid, signal.SIGKILL)
        if progress.epoch == self.epoch + 1:
            seconds = self.times[progress.epoch] - self.times[self.epoch]
            print(f"epoch {progress.epoch}: done {seconds:.2f} s later; the run goes on")


def one_process(X: np.ndarray, y: np.ndarray, settings: dict[str, Any]) -> batchprop.TrainResult:
    result = batchprop.train(X.T, y[np.newaxis], **settings)
    print(f"one process: loss {result.loss:.6g} after {result.n_epochs} epochs")
    return result


def main() -> None:
    options = arguments()
    X, y = table(options.samples, options.seed)
    print(f"{X.shape[0]} rows of {X.shape[1]} inputs, made from {TABLE.name}")
    settings = {
        "hidden_size": options.hidden,
        "solver": "lbfgs",
        "alpha": 0.0,
        "max_epochs": options.epochs,
        "tol": None,
        "seed": options.seed,
        "progress": False,
    }
    alone = one_process(X, y, settings)
    with (
        distributed.LocalCluster(
            n_workers=options.workers,
            threads_per_worker=1,
            dashboard_address=":0",
            silence_logs="ERROR",
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        print(f"cluster: {options.workers} workers at {client.scheduler.address}")
        rows = da.from_array(X, chunks=(CHUNK, X.shape[1]))
        targets = da.from_array(y, chunks=CHUNK)
        killer = Killer(client, options.epochs // 2)
        result = train(rows, targets, client=client, callback=killer, **settings)
    print(f"cluster: loss {result.loss:.6g} after {result.n_epochs} epochs")
    same = result.network.theta.tobytes() == alone.network.theta.tobytes()
    print(f"the networks have {'the same bits' if same else 'other bits'}")
    raise SystemExit(0 if same else 1)


if __name__ == "__main__":
    main()
