"""How much memory a training run needs beyond its data, against N; Linux only.

    python -m benchmarks.memory                    up to 10⁷ samples: about a minute
    python -m benchmarks.memory --samples 1000 100000

Each measurement runs in a process of its own and is the increase of its peak memory during
``train``.  The last two train on a table on disk, and on blocks, that are larger than the process
may allocate.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import machine, markdown
from benchmarks.memory_process import EPOCHS, MIB, N_HIDDEN, N_INPUTS

ROOT = Path(__file__).resolve().parent.parent
VECTORIZED_SAMPLES = 1_000_000  # upper limit: its three (m, N) arrays take 600 MB
FILE_SAMPLES, SPARE_MIB = 40_000_000, 64
TIMES = 4.0  # bytes of blocks, as a multiple of the limit


def run_process(*words: object) -> dict[str, Any]:
    """Run ``memory_process`` with one BLAS thread, so that BLAS buffers do not count."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT))),
        "OPENBLAS_NUM_THREADS": "1",
    }
    command = [sys.executable, "-m", "benchmarks.memory_process", *map(str, words)]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=900, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")
    measurements: dict[str, Any] = json.loads(done.stdout)
    return measurements


def growth(engine: str, n_samples: int, threads: int) -> dict[str, Any]:
    return run_process("growth", engine, n_samples, threads)


def limited(folder: Path, n_samples: int, spare_mib: int) -> dict[str, Any]:
    return run_process("limit", folder, n_samples, spare_mib)


def limited_blocks(times: float, spare_mib: int) -> dict[str, Any]:
    return run_process("blocks", times, spare_mib)


def mib(size: float | None) -> str:
    return markdown.MISSING if size is None else f"{size / MIB:,.1f}"


def growth_table(measurements: Sequence[dict[str, Any]], cores: int) -> str:
    """Return a table with one row per N: the size of the data and what each engine adds."""
    columns = [("fused", 1), ("fused", cores), ("vectorized", 1)]
    known = {(one["n_samples"], one["engine"], one["threads"]): one for one in measurements}
    body = []
    for n_samples in sorted({one["n_samples"] for one in measurements}):
        row = [known.get((n_samples, *column)) for column in columns]
        data = next(one["data_bytes"] for one in row if one)
        grown = [mib(one["growth_bytes"] if one else None) for one in row]
        body.append([f"{n_samples:,}", mib(data), *grown])
    head = [
        "N",
        "data, MiB",
        "fused, 1 thread, MiB",
        f"fused, {cores} threads, MiB",
        "vectorized, MiB",
    ]
    return markdown.table(head, body, left=0)


def document(
    measurements: Sequence[dict[str, Any]],
    file: dict[str, Any],
    blocks: dict[str, Any],
    cores: int,
    date: str,
) -> str:
    """Return the report."""
    first, *_, last = file["losses"]
    parts = [
        "# Memory",
        f"Made by `python -m benchmarks.memory`. By how much the peak memory of a process grows "
        f"during `train`, {EPOCHS} epochs of a {N_INPUTS}-{N_HIDDEN}-1 network in float32, beyond "
        f"what it held before: its libraries, the data, and what a run on 20,000 samples left.",
        growth_table(measurements, cores),
        f"A table of {mib(file['file_bytes'])} MiB on disk, opened as a `numpy.memmap`, in a "
        f"process that may have {mib(file['limit_bytes'])} MiB of memory of its own (RLIMIT_DATA: "
        f"its libraries, and {SPARE_MIB} MiB): "
        + ("copying it is refused; " if file["copy_refused"] else "copying it is not refused; ")
        + f"training on it takes the loss from {first:.6g} to {last:.6g}.",
        f"`batchprop.Blocks` of {mib(blocks['source_bytes'])} MiB, each block a new array whenever "
        f"it is read, in a process that may have {mib(blocks['limit_bytes'])} MiB: training takes "
        f"the loss from {blocks['losses'][0]:.6g} to {blocks['losses'][-1]:.6g}.",
        machine.sentence(machine.describe(), date),
    ]
    return "\n\n".join(parts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--samples", nargs="+", type=int, default=[10**power for power in range(3, 8)]
    )
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "bench", metavar="FOLDER")
    options = parser.parse_args()
    cores = len(machine.cores())
    measurements = []
    for n_samples in options.samples:
        for threads in sorted({1, cores}):
            measurements.append(growth("fused", n_samples, threads))
        if n_samples <= VECTORIZED_SAMPLES:
            measurements.append(growth("vectorized", n_samples, 1))
    with tempfile.TemporaryDirectory(prefix="batchprop-memory-") as folder:
        file = limited(Path(folder), FILE_SAMPLES, SPARE_MIB)
    blocks = limited_blocks(TIMES, SPARE_MIB)
    text = document(measurements, file, blocks, cores, time.strftime("%Y-%m-%d"))
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "memory.md").write_text(text, "utf-8")
    figures = {
        "machine": machine.describe(),
        "growth": measurements,
        "limit": file,
        "blocks": blocks,
    }
    (options.output / "memory.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    print(text)
    print(f"Written: memory.md and memory.json in {options.output}")


if __name__ == "__main__":
    main()
