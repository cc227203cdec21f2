"""Which client a call uses."""

from __future__ import annotations

import distributed
import pytest

from batchprop.dask.clients import client_of
from tests.dask.clusters import SECONDS


def test_the_client_that_was_passed_or_the_current_one(client):
    assert client_of(client) is client
    assert client_of(None) is client


def test_a_task_uses_its_own_cluster(client):
    def scheduler_of_a_task():
        return client_of(None).scheduler.address

    assert client.submit(scheduler_of_a_task).result(SECONDS) == client.scheduler.address


def test_without_a_client(no_client):
    with pytest.raises(ValueError, match=r"client must be .*got None and no client\. Start"):
        client_of(None)


def test_a_closed_client(client):
    other = distributed.Client(client.scheduler.address, set_as_default=False)
    other.close()
    with pytest.raises(ValueError, match="got a client that is closed"):
        client_of(other)


def test_something_else(client):
    with pytest.raises(TypeError, match=r"distributed\.Client .*got 'tcp://localhost:8786'"):
        client_of("tcp://localhost:8786")
