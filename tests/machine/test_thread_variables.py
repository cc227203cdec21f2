"""What the environment says about threads: each value that counts, and those that do not."""

from __future__ import annotations

import pytest

from batchprop.machine import thread_count

VARIABLES = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS")


@pytest.fixture
def many(monkeypatch):
    """A machine of many processors, all of them ours."""
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(thread_count, "quota", lambda: float("inf"))
    monkeypatch.setattr(
        thread_count.os, "sched_getaffinity", lambda process: set(range(12)), raising=False
    )
    assert thread_count.available() == 12
    return monkeypatch


@pytest.mark.parametrize("variable", VARIABLES)
@pytest.mark.parametrize(
    ("value", "expected"),
    [("1", 1), ("2", 2), ("11", 11), ("12", 12), ("13", 12), (" 3 ", 3), ("4,2", 4), ("0", 12),
     ("-1", 12), ("", 12), ("all", 12), ("1.5", 12)],
)  # fmt: skip
def test_a_variable_is_an_upper_limit(variable, value, expected, many):
    many.setenv(variable, value)
    assert thread_count.available() == expected


def test_the_least_of_them_counts(many):
    many.setenv(VARIABLES[0], "5")
    many.setenv(VARIABLES[1], "3")
    assert thread_count.available() == 3


@pytest.mark.parametrize(("quota", "expected"), [(0.5, 1), (1.0, 1), (1.01, 2), (3.5, 4), (40, 12)])
def test_a_quota_is_rounded_up(quota, expected, many):
    many.setattr(thread_count, "quota", lambda: quota)
    assert thread_count.available() == expected
