"""The sizes of this processor's caches."""

from __future__ import annotations

import contextlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


class CacheSizes(NamedTuple):
    """Bytes of the first-level data cache and of the second-level cache of one core."""

    first: int = 32 << 10
    second: int = 512 << 10


@cache
def cache_sizes() -> CacheSizes:
    """Return what Linux reports; where it reports nothing, the sizes of a common processor."""
    sizes = CacheSizes()
    fields = {("1", "Data"): "first", ("2", "Unified"): "second"}
    for folder in CACHES.glob("index*"):
        with contextlib.suppress(OSError, ValueError, KeyError, IndexError):
            level, kind, size = (
                (folder / name).read_text().strip() for name in ("level", "type", "size")
            )
            n_bytes = int(size[:-1]) * UNITS[size[-1]]
            if n_bytes > 0:
                sizes = sizes._replace(**{fields[level, kind]: n_bytes})
    return sizes
