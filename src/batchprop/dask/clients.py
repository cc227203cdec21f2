"""The client of a call: the one that was passed, or the current one."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import distributed

from batchprop.validation.error_text import described, message

_REMEDY = "Start a cluster with client = distributed.Client() and pass client=client."


def client_of(client: Any) -> distributed.Client:
    """Return the client that a call uses.

    Parameters
    ----------
    client : distributed.Client or None
        None is the client of the task that makes the call, or the one created last.

    Raises
    ------
    TypeError
        It is no client, or one for coroutines.
    ValueError
        There is no client, or it is closed.
    """
    expected = "be a distributed.Client that is connected to a cluster"
    if client is None:
        try:
            client = distributed.get_client()
        except ValueError:
            raise ValueError(message("client", expected, "None and no client", _REMEDY)) from None
    if not isinstance(client, distributed.Client):
        raise TypeError(message("client", expected, described(client), _REMEDY))
    if client.asynchronous:
        remedy = "Make the call in a thread, with a client that was made without asynchronous=True."
        raise TypeError(message("client", expected, "an asynchronous client", remedy))
    if client.status != "running":
        raise ValueError(message("client", expected, f"a client that is {client.status}", _REMEDY))
    return client


@contextmanager
def thread_of_the_pool_released() -> Generator[None]:
    """Let other tasks use the worker's thread, if the caller is a task.

    The tasks of a call that waits may need this very thread.
    """
    try:
        distributed.get_worker()
    except ValueError:  # no task
        yield
        return
    distributed.secede()
    try:
        yield
    finally:
        distributed.rejoin()
