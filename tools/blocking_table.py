"""Print how the fused engine cuts common problems on this processor and its caches.

    python tools/blocking_table.py                       the table of docs/performance.md
    python tools/blocking_table.py --net 20 300 2 5000   a problem of your own: e, m, s, N

``NUMBA_CPU_NAME`` and ``NUMBA_CPU_FEATURES`` choose another processor than this one.
"""

from __future__ import annotations

import argparse

import numpy as np

from batchprop.engines.fused.blocking import Blocking, choose_blocking
from batchprop.machine.cache_sizes import cache_sizes
from batchprop.parameters import Shape
from batchprop.simd.register_tiles import BROAD, TILE_ROWS
from batchprop.simd.vectors import REGISTER_BITS, WIDE

PROBLEMS = [
    ((1, 4, 1, 100), "float64"),
    ((8, 50, 1, 9_568), "float32"),
    ((8, 50, 1, 9_568), "float64"),
    ((64, 256, 16, 100_000), "float32"),
    ((90, 100, 1, 463_715), "float32"),
    ((400, 500, 3, 20_000), "float64"),
    ((784, 1024, 10, 20_000), "float32"),
]
COLUMNS = (
    "net", "N", "dtype", "chunks", "block", "panel", "dW_h", "W_h in L2", "X in L1",
    "panels at a time", "W_h",
)  # fmt: skip


def row(sizes: tuple[int, int, int, int], dtype: str, cut: Blocking) -> str:
    """Return the row of one problem."""
    e, m, s, n_samples = sizes
    cells = [
        f"{e}-{m}-{s}",
        f"{n_samples:,}",
        dtype,
        f"{cut.n_chunks} × {-(-sizes[3] // cut.n_chunks):,}",
        f"{cut.block_samples}",
        f"{cut.width}",
        "inputs along vectors" if cut.sums_in_strips else "samples along vectors",
        f"{min(cut.cache_rows, m)} × {cut.cache_columns}",
        f"{cut.cache_columns} × {cut.width}",
        f"{cut.cache_panels}",
        "packed" if cut.packed_size else "as it is",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--net", type=int, nargs=4, metavar=("E", "M", "S", "N"))
    options = parser.parse_args()
    problems = PROBLEMS
    if options.net:
        problems = [(tuple(options.net), dtype) for dtype in ("float32", "float64")]
    caches = cache_sizes()
    print(
        f"{REGISTER_BITS}-bit vectors: W X in tiles of {TILE_ROWS} rows × {WIDE} vectors, A Bᵀ in "
        f"tiles of {TILE_ROWS} × {len(BROAD)} rows; L1d {caches.first >> 10} KiB, "
        f"L2 {caches.second >> 10} KiB\n"
    )
    print(f"| {' | '.join(COLUMNS)} |")
    print("| :-- | --: | :-- | --: | --: | --: | :-- | --: | --: | --: | :-- |")
    for sizes, dtype in problems:
        cut = choose_blocking(Shape(*sizes[:3]), sizes[3], np.dtype(dtype))
        print(row(sizes, dtype, cut))


if __name__ == "__main__":
    main()
