"""Instructions in a cycle: a plausible number, and one table of quantiles."""

from __future__ import annotations

import numpy as np

from benchmarks import core_share


def test_a_chain_waits_and_is_not_shortened():
    """Each link is a shift, an exclusive or and an addition, so the compiler cannot skip one."""
    x = 1
    for _ in range(50):
        x = ((x ^ (x >> 7)) + 1) % 2**64
    assert core_share.chain(50, np.uint64(1)) == x


def test_rounds_are_measured(capsys, monkeypatch):
    found = core_share.measure(seconds=0.0)
    assert len(found) >= 5
    assert (found > 0).all()
    monkeypatch.setattr(core_share, "measure", lambda: np.array([2.0, 3.0, 4.0, 5.0, 6.0]))
    core_share.main()
    assert "| 2.20 | 3.00 | 4.00 | 5.00 | 5.80 |" in capsys.readouterr().out
