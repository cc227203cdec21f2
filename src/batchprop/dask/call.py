"""One call of ``train`` or of the estimator's ``fit`` on a cluster."""

from __future__ import annotations

from typing import Any, NamedTuple

from batchprop import validation
from batchprop.dask.clients import client_of, thread_of_the_pool_released
from batchprop.dask.cluster_samples import ClusterSamples
from batchprop.dask.sources import source_of
from batchprop.dask.worker_versions import warn_of_mixture
from batchprop.training.call import trained
from batchprop.training.external_dataset import ExternalDatasetBuilder
from batchprop.training.options import TrainOptions
from batchprop.training.result import TrainResult
from batchprop.vocabulary import Words


class ClusterData(NamedTuple):
    """The data of a call and their cluster, as the user passed them.

    Attributes
    ----------
    training, validation : tuple of X, T and the weights
        Collections, or Blocks and two times None; validation data may be arrays.
    client : distributed.Client or None
        Of the cluster; None is the current one.
    timeout : float
        Seconds without a worker after which to give up.
    """

    training: tuple[Any, Any, Any]
    validation: tuple[Any, Any, Any] = (None, None, None)
    client: Any = None
    timeout: Any = None


def trained_on_cluster(
    data: ClusterData,
    options: TrainOptions,
    words: Words,
    stacklevel: int,
    shows_long_calls: bool = False,
) -> tuple[TrainResult, bool]:
    """Return the result of a call, and whether the targets have one dimension.

    Parameters
    ----------
    data : ClusterData
        Not checked yet.
    options : TrainOptions
        Likewise, without data.
    words : Words
        What the user calls the tables.
    stacklevel, shows_long_calls
        As for ``training.call.trained``.
    """
    timeout = validation.number("timeout", data.timeout, above=0)
    n_threads = validation.n_threads(options.n_threads)
    sources = [source_of(*data.training, words)]
    if any(value is not None for value in data.validation):
        sources.append(source_of(*data.validation, words, "_val", small=True))
    client = client_of(data.client)
    training, *validating = (
        ClusterSamples(source, client, timeout, n_threads) for source in sources
    )
    builder = ExternalDatasetBuilder(training, validating[0] if validating else None, words)
    builder.check(options)
    with thread_of_the_pool_released():
        warn_of_mixture(client, timeout, stacklevel + 1)
        result = trained(builder, options, stacklevel + 1, shows_long_calls)
    return result, training.flat
