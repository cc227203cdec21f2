"""Every test of a plot starts without figures, and with matplotlib's own settings."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pytest


@pytest.fixture(autouse=True)
def _figures(monkeypatch):
    def shown(*args, **kwargs):
        raise AssertionError("a plot must not open a window")

    monkeypatch.setattr(plt, "show", shown)
    before = plt.rcParams.copy()
    yield
    plt.close("all")
    assert dict(plt.rcParams) == dict(before)
