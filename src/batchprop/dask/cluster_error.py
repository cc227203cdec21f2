"""``ClusterError``: what happened to a cluster, and what to do about it."""

from __future__ import annotations

import concurrent.futures

from distributed.scheduler import KilledWorker

_RECOMPUTABLE = (
    "Build the collection from what every worker can read or compute, such as files or "
    "dask.array.from_array: Dask computes such partitions again"
)
_MEMORY = (
    "Use more workers, give them more memory (memory_limit), or pass files as batchprop.Blocks, "
    "which workers read block by block"
)


class ClusterError(RuntimeError):
    """The cluster cannot finish a computation.

    If the call writes checkpoints, the file has the run as it was after its last epoch.
    """


def explained(error: BaseException) -> BaseException:
    """Return what to raise for an error of Dask: one that names the remedy, if one is known.

    Errors of the tasks themselves, such as those of unreadable files, are returned as they are.
    """
    if isinstance(error, KilledWorker):
        return ClusterError(
            f"Workers died {error.allowed_failures + 1} times while they computed {error.task!r}; "
            f"the last was {error.last_worker.address}. The usual cause is too little memory for "
            f"a worker's share of the samples. {_MEMORY}. If workers die for other reasons, such "
            f"as machines that are taken away, raise distributed.scheduler.allowed-failures."
        )
    if isinstance(error, MemoryError):
        return ClusterError(f"A worker has run out of memory. {_MEMORY}.")
    if isinstance(error, concurrent.futures.CancelledError):
        return ClusterError(_cancelled(error))
    if isinstance(error, ModuleNotFoundError) and (error.name or "").startswith("batchprop"):
        return ClusterError(
            "A worker cannot import batchprop. Install the same version of batchprop on every "
            "worker."
        )
    if isinstance(error, OSError) and type(error).__module__.startswith("distributed"):
        return ClusterError(scheduler_lost(str(error)))
    return error


def scheduler_lost(detail: str = "") -> str:
    """Return the message about a scheduler that does not answer."""
    detail = f" ({detail})" if detail else ""
    return (
        f"The scheduler of the Dask cluster does not answer{detail}. Start a cluster and a "
        f"Client, and call again; a run with checkpoint=file goes on with resume=file."
    )


def _cancelled(error: BaseException) -> str:
    """Return the message about tasks that were cancelled, by the reason that Dask gives."""
    text = str(error)
    if "scheduler-connection-lost" in text:
        return scheduler_lost("the connection was lost")
    if "lost dependencies" in text or "already forgotten" in text:
        return (
            f"Partitions were lost with a worker, and Dask cannot compute them again: data from "
            f"client.scatter, or futures whose results were released. {_RECOMPUTABLE}."
        )
    return (
        f"The tasks of this run were cancelled from outside ({text or 'no reason is known'}): the "
        f"cluster was restarted, or partitions from client.scatter were lost with their worker. "
        f"{_RECOMPUTABLE}. Call again; a run with checkpoint=file goes on with resume=file."
    )
