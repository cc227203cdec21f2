"""Workers that differ: one warning, because bits may differ."""

from __future__ import annotations

import warnings

import pytest

from batchprop.dask import worker_versions
from batchprop.dask.cluster_error import ClusterError
from batchprop.dask.worker_versions import facts, warn_of_mixture
from batchprop.version import __version__
from tests.dask.clusters import SECONDS


def answers(**changes):
    """Return what two workers say, of which the second differs."""

    async def asked(client):
        return {"tcp://a": facts(), "tcp://b": facts() | changes}

    return asked


def test_equal_workers_cause_no_warning(client):
    with warnings.catch_warnings(action="error"):
        warn_of_mixture(client, SECONDS, stacklevel=1)
    assert facts()["batchprop"] == __version__
    assert facts()["instructions"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"numba": "0.1"}, "numba 0.1 and"),
        ({"NumPy": "1.0"}, "NumPy 1.0 and"),
        ({"processor": "i386"}, "processor .*i386"),
        ({"instructions": "sse"}, "only some have the instructions"),
        ({"batchprop": "9.9"}, f"batchprop 9.9 there and {__version__} here"),
    ],
)
def test_each_difference_is_named_once(client, monkeypatch, changes, words):
    monkeypatch.setattr(worker_versions, "_asked", answers(**changes))
    with pytest.warns(UserWarning, match=words) as record:
        warn_of_mixture(client, SECONDS, stacklevel=1)
    assert len(record) == 1
    assert record[0].filename == __file__


def test_a_worker_without_batchprop_is_refused(client, monkeypatch):
    async def asked(client):
        return {"tcp://a": facts(), "tcp://b": ModuleNotFoundError("No module named 'batchprop'")}

    monkeypatch.setattr(worker_versions, "_asked", asked)
    with pytest.raises(ClusterError, match=r"The worker tcp://b cannot import.*batchprop"):
        warn_of_mixture(client, SECONDS, stacklevel=1)
