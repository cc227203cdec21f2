"""Seconds and CPU seconds of a step on the same data in memory, in files and on a cluster.

    python -m benchmarks.data_sources            2·10⁶ samples of 9 columns: some minutes
    python -m benchmarks.data_sources --quick    small data

A step is that of gradient descent for an 8-50-1 network in float64: the difference between runs of
one step and of several, the median of several pairs.  "read" is a pass over the blocks that does
nothing else.  All sources must give the same loss, to the last bit.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import batchprop
from batchprop import Blocks
from benchmarks import machine, markdown

ROOT = Path(__file__).resolve().parent.parent
N_INPUTS, N_HIDDEN = 8, 50
BLOCK = 1 << 17
OPTIONS = {"hidden_size": N_HIDDEN, "solver": "gd", "alpha": 0.0, "tol": None, "gradient_tol": None}
STEPS = 5  # by which the longer of two runs is longer
N_WORKERS = 2
START, STOP = "<!-- table of sources -->", "<!-- end of the table -->"


class Source(NamedTuple):
    """A way to hand over the data.

    Attributes
    ----------
    name : str
        For the table.
    blocks : Blocks or None
        What is read in each pass; None for arrays.
    run : callable
        ``run(max_epochs, n_threads)`` trains and returns the result.
    """

    name: str
    blocks: Blocks | None
    run: Callable[[int, int | None], batchprop.TrainResult]


def table_of(n_samples: int) -> np.ndarray:
    """Return the samples as rows."""
    rng = np.random.default_rng(0)
    table = rng.standard_normal((n_samples, N_INPUTS + 1))
    table[:, -1] = np.sin(table[:, 0]) + table[:, 1] * table[:, 2] + 0.1 * table[:, -1]
    return table


def write_files(table: np.ndarray, folder: Path) -> None:
    """Write the table in all formats."""
    import h5py
    import pyarrow
    import zarr
    from pyarrow import ipc, parquet

    np.save(folder / "table.npy", table)
    columns = pyarrow.table({f"c{j}": table[:, j] for j in range(table.shape[1])})
    parquet.write_table(columns, folder / "table.parquet", row_group_size=BLOCK)
    with ipc.new_file(str(folder / "table.arrow"), columns.schema) as writer:
        writer.write_table(columns, max_chunksize=BLOCK)
    chunks = (min(BLOCK // 2, len(table)), table.shape[1])
    with h5py.File(folder / "table.h5", "w") as file:
        file.create_dataset("table", data=table, chunks=chunks)
    zarr.create_array(str(folder / "table.zarr"), data=table, chunks=chunks)


def sources(table: np.ndarray, folder: Path) -> list[Source]:
    """Return all sources but the cluster."""

    def of_arrays(name: str, rows: np.ndarray) -> Source:
        X, T = rows[:, :-1].T, rows[:, -1:].T
        return Source(
            name,
            None,
            lambda epochs, threads: batchprop.train(
                X, T, max_epochs=epochs, n_threads=threads, **OPTIONS
            ),
        )

    def of_blocks(name: str, blocks: Blocks) -> Source:
        return Source(
            name,
            blocks,
            lambda epochs, threads: batchprop.train(
                blocks, max_epochs=epochs, n_threads=threads, **OPTIONS
            ),
        )

    def of_file(name: str, file: str, target: Any, **options: Any) -> Source:
        return of_blocks(name, Blocks.from_files(folder / file, targets=[target], **options))

    last = f"c{N_INPUTS}"
    return [
        of_arrays("arrays", table),
        of_arrays("memory map", np.load(folder / "table.npy", mmap_mode="r")),
        of_file("Blocks, .npy", "table.npy", N_INPUTS),
        of_file("Blocks, Arrow", "table.arrow", last),
        of_file("Blocks, Parquet", "table.parquet", last),
        of_file("Blocks, Parquet, cache", "table.parquet", last, cache=folder / "cache"),
        of_file("Blocks, HDF5", "table.h5", N_INPUTS),
        of_file("Blocks, Zarr, compressed", "table.zarr", N_INPUTS),
    ]


def cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system


def step(source: Source, n_threads: int | None, repetitions: int) -> dict[str, float]:
    """Return seconds and CPU seconds of a step in this process, and the loss."""
    seconds, cpu = [], []
    loss = source.run(1 + STEPS, n_threads).loss  # compiles, and fills caches
    for _ in range(repetitions):
        spent = []
        for epochs in (1, 1 + STEPS):
            began, cpu_began = time.perf_counter(), cpu_seconds()
            source.run(epochs, n_threads)
            spent.append((time.perf_counter() - began, cpu_seconds() - cpu_began))
        (short, cpu_short), (long, cpu_long) = spent
        seconds.append((long - short) / STEPS)
        cpu.append((cpu_long - cpu_short) / STEPS)
    return {"seconds": statistics.median(seconds), "cpu": statistics.median(cpu), "loss": loss}


def reading(blocks: Blocks | None, repetitions: int) -> float | None:
    """Return the seconds of a pass that only reads."""
    if blocks is None:
        return None
    spent = []
    for _ in range(repetitions):
        began = time.perf_counter()
        for _ in blocks.read():
            pass
        spent.append(time.perf_counter() - began)
    return statistics.median(spent)


def cluster_step(table: np.ndarray, repetitions: int) -> dict[str, Any]:
    """Return the same on a Dask cluster of worker processes with one thread each."""
    import batchprop.dask
    import dask.array
    import distributed

    with (
        distributed.LocalCluster(
            n_workers=N_WORKERS, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        rows = dask.array.from_array(table, chunks=(BLOCK, -1)).persist()
        distributed.wait(rows)

        def run(epochs: int, n_threads: int | None) -> batchprop.TrainResult:
            return batchprop.dask.train(
                rows[:, :-1], rows[:, -1], client=client, max_epochs=epochs, **OPTIONS
            )

        def workers_cpu() -> float:
            return float(sum(client.run(cpu_seconds).values()))

        found: dict[str, Any] = step(Source("cluster", None, run), None, repetitions)
        before = workers_cpu()
        run(1, None)
        middle = workers_cpu()
        run(1 + STEPS, None)
        found["workers_cpu"] = (workers_cpu() - middle - (middle - before)) / STEPS
        return found


def measure(n_samples: int, repetitions: int) -> dict[str, Any]:
    """Return all measurements."""
    table = table_of(n_samples)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="batchprop-sources-") as name:
        folder = Path(name)
        write_files(table, folder)
        for source in sources(table, folder):
            one, all_threads = (step(source, n_threads, repetitions) for n_threads in (1, None))
            read = reading(source.blocks, repetitions)
            rows.append({"name": source.name, "read": read, "one": one, "all": all_threads})
    cluster = cluster_step(table, repetitions)
    losses = {row[key]["loss"] for row in rows for key in ("one", "all")} | {cluster["loss"]}
    if len(losses) != 1:
        raise RuntimeError(f"the sources must give one loss; got {losses}")
    return {
        "n_samples": n_samples,
        "rows": rows,
        "cluster": cluster,
        "date": time.strftime("%Y-%m-%d"),
        "machine": machine.describe(),
        "cores": len(machine.cores()),
    }


def document(found: dict[str, Any]) -> str:
    """Return the table, and a sentence that says what was measured."""
    body = [
        [
            row["name"],
            markdown.duration(row["read"]),
            *(
                markdown.duration(row[key][what])
                for key in ("one", "all")
                for what in ("seconds", "cpu")
            ),
        ]
        for row in found["rows"]
    ]
    cluster, dash = found["cluster"], markdown.MISSING
    driver_and_workers = markdown.duration(cluster["cpu"] + cluster["workers_cpu"])
    of_cluster = [markdown.duration(cluster["seconds"]), driver_and_workers]
    body.append([f"Dask, {N_WORKERS} workers", dash, dash, dash, *of_cluster])
    head = ["data", "read", "1 thread", "CPU", f"{found['cores']} threads", "CPU"]
    return "\n\n".join(
        [
            f"Seconds of a step of an {N_INPUTS}-{N_HIDDEN}-1 network in float64 on "
            f"{found['n_samples']:,} samples, and CPU seconds of all processes; files are in the "
            f"system's cache (`python -m benchmarks.data_sources`).",
            markdown.table(head, body),
            machine.sentence(found["machine"], found["date"]),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="small data")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "bench", metavar="FOLDER")
    parser.add_argument("--page", type=Path, metavar="FILE", help="a page to put the table into")
    options = parser.parse_args()
    warnings.simplefilter("ignore", UserWarning)  # the runs are short
    found = measure(20_000 if options.quick else 2_000_000, 1 if options.quick else 5)
    options.output.mkdir(parents=True, exist_ok=True)
    path = options.output / "data_sources.json"
    path.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    text = document(found)
    if options.page is not None:
        before, _, rest = options.page.read_text("utf-8").partition(START)
        after = rest.partition(STOP)[2]
        options.page.write_text(f"{before}{START}\n\n{text}\n\n{STOP}{after}", "utf-8")
    print(text)
    print(f"Written: {path}")


if __name__ == "__main__":
    main()
