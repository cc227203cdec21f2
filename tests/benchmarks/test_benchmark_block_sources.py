"""The benchmark of sources of blocks: all read the same, and what its report says."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import block_sources
from benchmarks.block_sources import Times


def test_all_sources_hold_the_same_table(tmp_path, monkeypatch):
    for package in ("h5py", "pyarrow", "zarr"):
        pytest.importorskip(package)
    monkeypatch.chdir(tmp_path)
    table = np.random.default_rng(0).integers(0, 9, (100, 9)).astype(float)
    opened = block_sources.sources(table)
    assert len(opened) == 8
    for source in opened.values():
        assert block_sources.total(source) == table.sum()
        assert sum(float(part.sum()) for part in source.library()) == table.sum()


def test_the_report_compares_a_step_with_the_longer_of_reading_and_computing():
    times = {"slow": Times(2.0, 1.0, 3.0, 4.0), "fast": Times(0.1, 0.1, 0.6, 0.5)}
    text = block_sources.document(1000, (0.5, 0.25), times, "2026-01-01")
    assert "| slow | 2.00 s | 1.00 s | 3.00 s | 4.00 s | 1.50 |" in text
    assert "| fast | 100 ms | 100 ms | 600 ms | 500 ms | 1.20 |" in text
    assert "| in memory | – | – | 500 ms | 250 ms | 1.00 |" in text


def test_a_step_is_what_longer_trainings_take_longer(monkeypatch):
    seconds = iter([(1.0, 2.0), (9.0, 4.0)])
    monkeypatch.setattr(block_sources, "shortest", lambda call, repetitions: next(seconds))
    assert block_sources.step(None, repetitions=1) == (2.0, 0.5)
