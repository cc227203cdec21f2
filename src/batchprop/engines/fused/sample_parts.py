"""Parts of the samples that do not depend on each other, computed by several threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

MAX_PARTS = 256


def run_parts(
    part: Callable[[int, int], None], n_samples: int, chunk_samples: int, n_threads: int
) -> None:
    """Call ``part(start, stop)`` for all samples, a chunk or several of them at a time.

    ``n_threads`` calls run side by side; Ctrl-C is handled between two of them.
    """
    n_chunks = -(-n_samples // chunk_samples)
    part_samples = -(-n_chunks // MAX_PARTS) * chunk_samples
    parts = [
        (start, min(start + part_samples, n_samples)) for start in range(0, n_samples, part_samples)
    ]
    if n_threads == 1:
        for start, stop in parts:
            part(start, stop)
        return
    with ThreadPoolExecutor(n_threads) as pool:
        running = []
        try:
            for start, stop in parts:
                try:
                    running.append(pool.submit(part, start, stop))
                except RuntimeError:  # no thread can be started: compute it here
                    part(start, stop)
            for done in running:
                done.result()
        except BaseException:  # Ctrl-C: drop the parts that have not begun
            pool.shutdown(wait=False, cancel_futures=True)
            raise
