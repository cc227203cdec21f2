"""``train`` for Dask collections, and for files that workers read."""

from __future__ import annotations

from typing import Any

from batchprop import validation
from batchprop.dask.clients import client_of
from batchprop.dask.cluster_samples import ClusterSamples
from batchprop.dask.sources import source_of
from batchprop.dask.waiting import TIMEOUT
from batchprop.dask.worker_versions import warn_of_mixture
from batchprop.training import limits
from batchprop.training.call import trained
from batchprop.training.external_dataset import ExternalDatasetBuilder
from batchprop.training.options import TRAIN_OPTIONS, TrainOptions
from batchprop.training.result import TrainResult
from batchprop.vocabulary import Words

ROWS = Words({}, rows_are_samples=True)
DATA = ("sample_weight", "X_val", "T_val", "sample_weight_val")


def train(
    X: Any,
    T: Any = None,
    *,
    client: Any = None,
    sample_weight: Any = None,
    X_val: Any = None,
    T_val: Any = None,
    sample_weight_val: Any = None,
    timeout: float = TIMEOUT,
    **options: Any,
) -> TrainResult:
    """Train a network on the samples of a Dask cluster, all of them at each step.

    The solver runs in this process.  For each evaluation it sends θ to the workers, and gets back
    sums over their samples.  The result has the same bits as ``batchprop.train`` has for the same
    data in memory, for any number of workers, threads and partitions, also if workers die.

    Parameters
    ----------
    X : dask array, shape (N, e), dask DataFrame, list of delayed tables, or Blocks
        Inputs, one sample a row.  Sizes of chunks may be unknown.  Each worker keeps its samples in
        memory; ``batchprop.Blocks`` are read in each pass instead, each block by one worker.
    T : dask array, shape (N, s) or (N,), dask DataFrame or Series, list of delayed tables, or None
        Targets, which may be cut differently; None where X is ``Blocks``.
    client : distributed.Client or None
        The cluster; None is the current client.
    sample_weight : dask array, shape (N,), dask Series, list of delayed arrays, or None
        Non-negative weights: 2 equals a repeated sample, 0 a missing one.
    X_val, T_val, sample_weight_val : like X, T and sample_weight, or arrays of this process
        Validation data.  The network with the lowest validation loss is returned.
    timeout : float
        Give up after so many seconds without a running worker or an answer of the scheduler.
    **options : object
        All further arguments of ``batchprop.train``, such as ``hidden_size``, ``solver``,
        ``alpha``, ``max_epochs``, ``checkpoint`` and ``resume``.  Checkpoints are files of this
        process; they can be resumed with arrays, blocks or collections of the same samples.
        ``n_threads`` is the largest number of threads on each worker.

    Returns
    -------
    TrainResult
        As ``batchprop.train`` returns it.

    Raises
    ------
    TypeError, ValueError
        An argument is wrong, X and T do not fit together, the workers' memory is too small, or
        there is no client.
    batchprop.dask.ClusterError
        The cluster cannot go on: no worker is left for ``timeout`` seconds, the scheduler is gone,
        partitions are lost that Dask cannot compute again, or a task kills every worker.  A file
        named by ``checkpoint`` has the run as it was after its last epoch.

    Warns
    -----
    UserWarning
        Workers differ in versions or processors; and what ``batchprop.train`` warns of.

    Notes
    -----
    The samples are cut into segments of 2¹⁷ = 131 072.  At most one worker for each segment has
    work.  ``alpha="cv"``, ``uncertainty`` and engines other than "fused" need all samples in one
    process and are refused.  https://batchprop.readthedocs.io/en/latest/dask.html describes what
    happens when workers die.

    Examples
    --------
    >>> import dask.array as da
    >>> import distributed
    >>> import numpy as np
    >>> from batchprop.dask import train
    >>> options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0"}
    >>> client = distributed.Client(processes=False, **options)
    >>> x = np.linspace(-3.0, 3.0, 200)
    >>> X, T = da.from_array(x[:, None], chunks=(50, 1)), da.from_array(np.sin(x), chunks=80)
    >>> result = train(X, T, client=client, hidden_size=5, target_loss=1e-6)
    >>> result.stop_reason, result.loss <= 1e-6
    ('target_loss', True)
    >>> client.close()
    """
    return train_on_cluster(
        (X, T, sample_weight),
        (X_val, T_val, sample_weight_val),
        client,
        timeout,
        options,
        ROWS,
        stacklevel=2,
    )[0]


def train_on_cluster(
    data: tuple[Any, Any, Any],
    data_val: tuple[Any, Any, Any],
    client: Any,
    timeout: float,
    options: dict[str, Any],
    words: Words,
    stacklevel: int,
) -> tuple[TrainResult, bool]:
    """Do what ``train`` does; return whether the targets have one dimension, too.

    Parameters
    ----------
    data, data_val : tuple of X, T and the weights
        Training and validation data, as the user passed them.
    client, timeout, options
        As for ``train``.
    words : Words
        What the user calls the tables.
    stacklevel : int
        For ``warnings.warn`` in the caller of this function, to point to the user's call.
    """
    for name in options:
        if name not in TRAIN_OPTIONS or name in DATA:
            validation.choice(
                "a further argument of train", name, [n for n in TRAIN_OPTIONS if n not in DATA]
            )
    train_options = TrainOptions(**options)
    timeout = validation.number("timeout", timeout, above=0)
    n_threads = validation.n_threads(train_options.n_threads)
    sources = [source_of(*data, words)]
    if any(value is not None for value in data_val):
        sources.append(source_of(*data_val, words, "_val", small=True))
    client = client_of(client)
    warn_of_mixture(client, timeout, stacklevel + 1)
    samples = [ClusterSamples(source, client, timeout, n_threads) for source in sources]
    builder = ExternalDatasetBuilder(samples[0], *samples[1:], words=words)
    result = trained(builder, train_options, stacklevel + 1, shows_long_calls=True)
    limits.warn(train_options, result, stacklevel + 1)
    return result, samples[0].flat
