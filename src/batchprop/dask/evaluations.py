"""Evaluations on a cluster: one task for each group, whose sums the driver adds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any
from uuid import uuid4

import distributed
import numpy as np
import numpy.typing as npt

from batchprop.dask.balance import Balance
from batchprop.dask.groups import Groups
from batchprop.dask.resident_samples import Request, group_sums
from batchprop.dask.waiting import wait_for
from batchprop.segments import Node, SegmentTree
from batchprop.threads.cancellation import Cancellation

Array = npt.NDArray[Any]


class Evaluations:
    """Sums over all samples of a data set on a cluster.

    Parameters
    ----------
    groups : Groups
        The data set.
    request : Request
        What is summed.
    names : sequence of str
        What an evaluation is called on Dask's dashboard, by ``work``.
    cancellation : Cancellation or None
        Ends evaluations early.
    """

    def __init__(
        self,
        groups: Groups,
        request: Request,
        names: Callable[[int], str],
        cancellation: Cancellation | None = None,
    ) -> None:
        self._groups, self._request, self._names = groups, request, names
        self._cancellation = cancellation
        self._run, self._calls = uuid4().hex[:8], count()
        self._balance = Balance(groups)

    def sums(self, theta: Array, work: int) -> Array:
        """Return the sums over all samples at θ.

        Raises
        ------
        Cancelled
            The run was cancelled.
        ClusterError
            The cluster cannot evaluate.
        """
        tree: SegmentTree[Array] = SegmentTree(np.add)
        for nodes in self._nodes(theta, work):
            tree.extend(nodes)
        return tree.total()

    def _nodes(self, theta: Array, work: int) -> Sequence[list[Node[Array]]]:
        """Return the nodes of all groups, in the order of segments."""
        self._balance.look()
        client, groups = self._groups.client, list(self._groups.futures)
        # a name of its own for each evaluation: Dask spreads the tasks of larger families over all
        # workers, wherever their data are
        name = f"batchprop-{self._names(work)}-{self._run}{next(self._calls):06x}"
        futures = client.map(
            group_sums,
            groups,
            key=[(name, k) for k in range(len(groups))],
            pure=False,
            request=self._request,
            theta=theta,
            work=work,
        )
        check = None if self._cancellation is None else self._cancellation.check
        return wait_for(client, _gathered(client, futures), self._groups.timeout, check)


async def _gathered(client: distributed.Client, futures: list[distributed.Future]) -> Any:
    return await client.gather(futures, asynchronous=True)
