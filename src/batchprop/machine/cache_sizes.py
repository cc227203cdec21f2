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


def reported(folder: Path) -> dict[tuple[str, str], int]:
    """Return the bytes of each cache that Linux describes in a folder, by its level and type."""
    sizes = {}
    for index in sorted(folder.glob("index*")):
        with contextlib.suppress(OSError, ValueError, KeyError, IndexError):
            level, kind, size = (
                (index / name).read_text("ascii").strip() for name in ("level", "type", "size")
            )
            sizes[level, kind] = int(size[:-1]) * UNITS[size[-1]]
    return {cache_name: size for cache_name, size in sizes.items() if size > 0}


@cache
def cache_sizes() -> CacheSizes:
    """Return what Linux reports; where it reports nothing, the sizes of a common processor."""
    sizes, common = reported(CACHES), CacheSizes()
    return CacheSizes(
        sizes.get(("1", "Data"), common.first), sizes.get(("2", "Unified"), common.second)
    )
