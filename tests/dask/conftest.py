"""Clusters for tests: in this process where nothing dies, else of two worker processes."""

from __future__ import annotations

import distributed
import pytest

from batchprop import segments
from batchprop.dask import balance
from tests.dask.clusters import SIZE, local


@pytest.fixture(autouse=True)
def small_segments(monkeypatch):
    monkeypatch.setattr(segments, "SEGMENT_SAMPLES", SIZE)
    monkeypatch.setattr(balance, "SECONDS", 0.3)


@pytest.fixture(scope="module")
def threads_cluster():
    """A client of two workers with one and two threads, all in this process."""
    with local(processes=False) as client:
        yield client


@pytest.fixture
def client(threads_cluster):
    """The same, as the current client."""
    with threads_cluster.as_current():
        yield threads_cluster


@pytest.fixture
def processes():
    """A client of two worker processes, whose nannies start new ones."""
    with local(processes=True) as client:
        yield client


@pytest.fixture
def no_client(monkeypatch):
    """Make sure that there is no current client."""

    def get_client():
        raise ValueError("No global client found and no address provided")

    monkeypatch.setattr(distributed, "get_client", get_client)
