"""Sizes of caches, as Linux reports them and where nothing is reported."""

from __future__ import annotations

import pytest

from batchprop.machine import cache_sizes as module
from batchprop.machine.cache_sizes import CacheSizes, cache_sizes


@pytest.fixture(autouse=True)
def _fresh(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "CACHES", tmp_path)
    cache_sizes.cache_clear()
    yield
    cache_sizes.cache_clear()


def report(folder, index, level, kind, size):
    """Write what Linux reports of one cache."""
    cache = folder / f"index{index}"
    cache.mkdir()
    for name, text in (("level", level), ("type", kind), ("size", size)):
        (cache / name).write_text(f"{text}\n")


def test_what_linux_reports(tmp_path):
    report(tmp_path, 0, "1", "Data", "48K")
    report(tmp_path, 1, "1", "Instruction", "64K")
    report(tmp_path, 2, "2", "Unified", "2M")
    report(tmp_path, 3, "3", "Unified", "300M")
    assert cache_sizes() == CacheSizes(48 << 10, 2 << 20)


@pytest.mark.parametrize("size", ["", "K", "12", "abcK", "12Q", "0K", "-4K"])
def test_where_nothing_useful_is_reported(tmp_path, size):
    report(tmp_path, 0, "1", "Data", size)
    assert cache_sizes() == CacheSizes(32 << 10, 512 << 10)
