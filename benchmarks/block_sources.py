"""The time of reading blocks from files of each format, and of steps on them.

    python -m benchmarks.block_sources            three minutes, 1 GB on a disk
    python -m benchmarks.block_sources --quick    a small table, few repetitions

The files hold the same table of float64 and are in the system's cache.  "read" is a pass of
``Blocks.read`` that adds up all numbers; "library" is the same with the plain calls of the library
of the format; "step" is a step of gradient descent.  Times are the shortest of several.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import batchprop
from batchprop import Blocks
from benchmarks import machine, markdown

ROOT = Path(__file__).resolve().parent.parent
ROWS, INPUTS, UNITS = 2_000_000, 8, 50
BLOCK = 1 << 17  # rows of a row group, a record batch, a chunk
STEPS = 4  # by which the longer of two trainings is longer
NAMES = [*(f"x{j}" for j in range(INPUTS)), "y"]


class Source(NamedTuple):
    """A file of the table.

    Attributes
    ----------
    blocks : Blocks
        Its blocks.
    library : callable
        Returns an iterator over the arrays that the library of the format reads.
    """

    blocks: Blocks
    library: Callable[[], Iterator[Any]]


class Times(NamedTuple):
    """Seconds; the CPU seconds are those of all threads."""

    read: float
    library: float
    step: float
    step_cpu: float


def sources(table: np.ndarray) -> dict[str, Source]:
    """Write the table to the current folder in each format, and open the files."""
    import h5py
    import pyarrow as pa
    import pyarrow.feather
    import pyarrow.parquet
    import zarr

    np.save("table.npy", table)
    arrow = pa.table({name: table[:, k] for k, name in enumerate(NAMES)})
    pa.feather.write_feather(arrow, "plain.arrow", "uncompressed", chunksize=BLOCK)
    pa.feather.write_feather(arrow, "lz4.arrow", "lz4", chunksize=BLOCK)
    pa.parquet.write_table(arrow, "table.parquet", row_group_size=BLOCK)
    with h5py.File("table.h5", "w") as file:
        file["plain"] = table
        chunks = (min(BLOCK, len(table)), table.shape[1])
        file.create_dataset("lzf", data=table, chunks=chunks, compression="lzf")
    array = zarr.open("table.zarr", mode="w", shape=table.shape, chunks=chunks, dtype="f8")
    array[:] = table
    starts = range(0, len(table), BLOCK)

    def npy() -> Iterator[Any]:
        rows = np.load("table.npy", mmap_mode="r")
        yield from (rows[start : start + BLOCK] for start in starts)

    def ipc(name: str) -> Iterator[Any]:
        reader = pa.ipc.open_file(pa.memory_map(name))
        for k in range(reader.num_record_batches):
            yield from (column.to_numpy() for column in reader.get_batch(k).columns)

    def parquet() -> Iterator[Any]:
        file = pa.parquet.ParquetFile("table.parquet")
        for k in range(file.num_row_groups):
            yield from (column.to_numpy() for column in file.read_row_group(k).columns)

    def hdf5(name: str) -> Iterator[Any]:
        with h5py.File("table.h5") as file:
            yield from (file[name][start : start + BLOCK] for start in starts)

    def chunked() -> Iterator[Any]:
        rows = zarr.open("table.zarr", mode="r")
        yield from (rows[start : start + BLOCK] for start in starts)

    y: Any = {"targets": ["y"]}
    last: Any = {"targets": [-1]}
    copy = Blocks.from_parquet("table.parquet", cache="cache", **y)
    return {
        ".npy": Source(Blocks.from_npy("table.npy", **last), npy),
        "Arrow, not compressed": Source(
            Blocks.from_arrow("plain.arrow", **y), lambda: ipc("plain.arrow")
        ),
        "Arrow, lz4": Source(Blocks.from_arrow("lz4.arrow", **y), lambda: ipc("lz4.arrow")),
        "Parquet, snappy": Source(Blocks.from_parquet("table.parquet", **y), parquet),
        "the same with `cache`": Source(copy, parquet),
        "HDF5, one piece": Source(
            Blocks.from_hdf5("table.h5", dataset="plain", **last), lambda: hdf5("plain")
        ),
        "HDF5, lzf": Source(
            Blocks.from_hdf5("table.h5", dataset="lzf", **last), lambda: hdf5("lzf")
        ),
        "Zarr, zstd": Source(Blocks.from_zarr("table.zarr", **last), chunked),
    }


def shortest(call: Callable[[], object], repetitions: int) -> tuple[float, float]:
    """Return the seconds and the CPU seconds of the shortest of some calls, after one more."""
    call()
    times = []
    for _ in range(repetitions):
        began, cpu_began = time.perf_counter(), time.process_time()
        call()
        times.append((time.perf_counter() - began, time.process_time() - cpu_began))
    return min(times)


def step(*data: Any, repetitions: int) -> tuple[float, float]:
    """Return the seconds and the CPU seconds of a step on some data."""

    def training(max_epochs: int) -> Callable[[], object]:
        return lambda: batchprop.train(
            *data, hidden_size=UNITS, solver="gd", alpha=0.0, max_epochs=max_epochs, tol=None
        )

    short, long = (shortest(training(n), repetitions) for n in (1, 1 + STEPS))
    return (long[0] - short[0]) / STEPS, (long[1] - short[1]) / STEPS


def total(source: Source) -> float:
    """Read all blocks and add up their numbers."""
    return sum(float(block.X.sum() + block.T.sum()) for block in source.blocks.read())


def measured(source: Source, repetitions: int) -> Times:
    """Measure a source."""
    read = shortest(lambda: total(source), repetitions)[0]
    library = shortest(lambda: sum(float(part.sum()) for part in source.library()), repetitions)[0]
    return Times(read, library, *step(source.blocks, repetitions=repetitions))


def document(n_rows: int, memory: tuple[float, float], times: dict[str, Times], date: str) -> str:
    """Return the report; ``memory`` has the seconds and CPU seconds of a step in memory."""
    rows = [
        [
            name,
            *(markdown.duration(seconds) for seconds in each),
            f"{each.step / max(each.read, memory[0]):.2f}",
        ]
        for name, each in times.items()
    ]
    rows.append(
        ["in memory", markdown.MISSING, markdown.MISSING, *map(markdown.duration, memory), "1.00"]
    )
    head = ["format", "read", "library", "step", "CPU time of a step", "step / max(read, memory)"]
    parts = [
        "# Reading blocks",
        "Made by `python -m benchmarks.block_sources`: the shortest of several times.",
        f"A table of {n_rows:,} rows and {INPUTS + 1} columns of float64, in the system's cache of "
        f"files. *Read* is a pass of `Blocks.read` that adds up all numbers, *library* the same "
        f"with the plain calls of the library of the format. *Step* is a step of gradient descent "
        f"on a network {INPUTS}-{UNITS}-1; the last column compares it with the longer of reading "
        f"and of a step in memory.",
        markdown.table(head, rows),
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
    output, repetitions = options.output.resolve(), 2 if options.quick else 7
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(0)
    table = rng.standard_normal((20_000 if options.quick else ROWS, INPUTS + 1))
    with tempfile.TemporaryDirectory(prefix="batchprop-blocks-") as folder:
        os.chdir(folder)
        times = {name: measured(each, repetitions) for name, each in sources(table).items()}
        memory = step(table.T[:INPUTS], table.T[INPUTS:], repetitions=repetitions)
        os.chdir(ROOT)
    text = document(len(table), memory, times, time.strftime("%Y-%m-%d"))
    output.mkdir(parents=True, exist_ok=True)
    (output / "block_sources.md").write_text(text, "utf-8")
    figures = {"machine": machine.describe(), "memory": memory, "sources": times}
    (output / "block_sources.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    print(text)
    print(f"Written: block_sources.md and block_sources.json in {output}")


if __name__ == "__main__":
    main()
