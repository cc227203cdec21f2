"""``ClusterSamples``: samples on the workers of a Dask cluster, as training sees them."""

from __future__ import annotations

import copy
from itertools import chain
from typing import Any

import distributed
import numpy as np
import numpy.typing as npt

from batchprop.dask.evaluations import Evaluations, sums_request
from batchprop.dask.group_tasks import dtype_name, errors, rescaled_moments, summaries
from batchprop.dask.groups import Groups
from batchprop.dask.sources import Source
from batchprop.engines.fused.summed_objective import SummedObjective
from batchprop.engines.loss_scale import scales_of
from batchprop.network import Network
from batchprop.network_loss import losses_of, squares_exponent
from batchprop.parameters import Shape
from batchprop.scaling import Scaling
from batchprop.segments import total_of
from batchprop.threads.cancellation import Cancellation
from batchprop.training.data_summary import DataSummary, merged

Array = npt.NDArray[Any]


class ClusterSamples:
    """An ``ExternalSamples`` of a cluster.  Nothing is sent there before ``summarise``.

    Parameters
    ----------
    source : Source
        The samples.
    client : distributed.Client
        Of the cluster.
    timeout : float
        Seconds without a worker after which a call gives up.
    n_threads : int or None
        At most so many threads on each worker; None is the worker's own number.  The number that
        training passes is this process's.
    """

    def __init__(
        self, source: Source, client: distributed.Client, timeout: float, n_threads: int | None
    ) -> None:
        self._source, self._client = source, client
        self._timeout, self._n_threads = timeout, n_threads
        self._on_workers: Groups | None = None

    @property
    def is_weighted(self) -> bool:
        """Whether the samples have weights."""
        return self._source.is_weighted

    @property
    def flat(self) -> bool:
        """Whether the targets were passed with one dimension; known after ``summarise``."""
        return self._source.flat

    @property
    def _groups(self) -> Groups:
        if self._on_workers is None:
            self._on_workers = self._source.groups(self._client, self._timeout)
        return self._on_workers

    def summarise(self, names: tuple[str, str, str], dtype: np.dtype[Any] | None) -> DataSummary:
        """Put the samples on the workers, check them there, and return what is known of them."""
        groups = self._groups
        nodes = groups.map(
            summaries,
            "statistics",
            names=names,
            dtype=dtype_name(dtype),
            flat=self.flat,
        )
        # a copy: results of workers in this process are the workers' own
        summary = merged(copy.deepcopy([node for of_group in nodes for node in of_group]), names[2])
        if summary.rescaling is None:
            return summary
        moments = groups.map(rescaled_moments, "statistics", rescaling=summary.rescaling)
        return summary.rescaled_by([node for of_group in moments for node in of_group])

    def objective(
        self,
        summary: DataSummary,
        scaling: Scaling | None,
        shape: Shape,
        activation: str,
        dtype: np.dtype[Any],
        n_threads: int | None,
        cancellation: Cancellation | None,
        *,
        with_JTJ: bool,
    ) -> SummedObjective:
        """Open an objective: each evaluation is a task on each worker."""
        request = sums_request(with_JTJ, shape, activation, dtype, scaling, self._n_threads)
        return SummedObjective(
            Evaluations(self._groups, request, cancellation).sums,
            shape,
            activation,
            summary.n_samples,
            scales_of(summary.total_weight),
            scaling,
            summary.constant_loss(scaling),
            cancellation,
        )

    def output_losses(self, summary: DataSummary, network: Network, n_threads: int | None) -> Array:
        """Return the loss L of each output (s,) of a network in the user's units."""
        exponent = squares_exponent(summary.largest_target)
        sums = self._groups.map(
            errors,
            "errors",
            network=network,
            exponent=exponent,
            n_threads=self._n_threads,
        )
        total = total_of(chain.from_iterable(sums), np.add)
        return losses_of(total, scales_of(summary.total_weight).loss, exponent)
