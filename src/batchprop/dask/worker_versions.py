"""A warning if the workers of a cluster compute with different versions or processors."""

from __future__ import annotations

import asyncio
import warnings
from typing import Any

import distributed

from batchprop.dask.cluster_error import ClusterError
from batchprop.dask.waiting import wait_for
from batchprop.version import __version__

_SECONDS = 10.0  # for the answers; a worker that does not answer has no part in the comparison


def facts() -> dict[str, str]:
    """Return what the bits of sums depend on, in this process."""
    import numba  # where it is needed: the driver may only plan
    import numpy as np
    from llvmlite import binding

    features = binding.get_host_cpu_features()
    return {
        "batchprop": __version__,
        "numba": numba.__version__,
        "NumPy": np.__version__,
        "processor": binding.get_host_cpu_name(),
        "instructions": " ".join(sorted(name for name, has in features.items() if has)),
    }


def warn_of_mixture(client: distributed.Client, timeout: float, stacklevel: int) -> None:
    """Warn if workers differ in versions or processors, or from this process in batchprop's.

    Raises
    ------
    ClusterError
        A worker has no batchprop.
    """
    by_worker = wait_for(client, _asked(client), timeout)
    for address, answer in by_worker.items():
        if isinstance(answer, ImportError):
            raise ClusterError(
                f"The worker {address} cannot import what it needs: {answer}. Install the same "
                f"versions of batchprop and its dependencies on every worker."
            )
    answers = {address: a for address, a in by_worker.items() if isinstance(a, dict)}
    differences = [
        _difference(name, {address: answer[name] for address, answer in answers.items()})
        for name in facts()
    ]
    others = {answer["batchprop"] for answer in answers.values()} - {__version__}
    if others:
        differences.insert(0, f"batchprop {', '.join(sorted(others))} there and {__version__} here")
    if any(differences):
        warnings.warn(
            f"The workers of the cluster differ: {'; '.join(filter(None, differences))}. Bits may "
            f"differ from those of one process, and from one run to the next if a worker dies. Use "
            f"the same environment and the same processors for all workers.",
            UserWarning,
            stacklevel=stacklevel + 1,
        )


def _difference(name: str, values: dict[str, str]) -> str:
    """Return a text about values of which not all are the same."""
    distinct = sorted(set(values.values()))
    if len(distinct) < 2:
        return ""
    if name == "instructions":
        sets = [set(value.split()) for value in distinct]
        first, *others = sets
        distinct = sorted(first.union(*others) - first.intersection(*others))
        return f"only some have the instructions {', '.join(distinct[:8])}"
    return f"{name} {' and '.join(distinct)}"


async def _asked(client: distributed.Client) -> dict[str, Any]:
    """Return worker -> its facts, or the exception that it raised."""
    try:
        answers = client.run(facts, on_error="return")
        return dict(await asyncio.wait_for(answers, _SECONDS))
    except (TimeoutError, OSError):
        return {}
