"""``train`` for Dask collections, and for files that workers read."""

from __future__ import annotations

from typing import Any

from batchprop import validation
from batchprop.dask.call import ClusterData, trained_on_cluster
from batchprop.dask.waiting import TIMEOUT
from batchprop.training import limits
from batchprop.training.options import TRAIN_OPTIONS, TrainOptions
from batchprop.training.result import TrainResult
from batchprop.vocabulary import Words

ROWS = Words({}, rows_are_samples=True)
DATA = ("sample_weight", "X_val", "T_val", "sample_weight_val")


def train(
    X: Any,
    T: Any = None,
    client: Any = None,
    *,
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
    >>> X = da.from_array(x[:, None], chunks=(50, 1))
    >>> T = da.from_array(np.sin(x), chunks=80)
    >>> settings = {"hidden_size": 5, "solver": "lm", "alpha": 0.0}
    >>> result = train(X, T, client=client, **settings, target_loss=0.01)
    >>> result.stop_reason, result.loss <= 0.01
    ('target_loss', True)
    >>> client.close()
    """
    for name in options:
        if name not in TRAIN_OPTIONS or name in DATA:
            allowed = [option for option in TRAIN_OPTIONS if option not in DATA]
            validation.choice("a further argument of train", name, allowed)
    train_options = TrainOptions(**options)
    data = ClusterData((X, T, sample_weight), (X_val, T_val, sample_weight_val), client, timeout)
    result, _ = trained_on_cluster(data, train_options, ROWS, stacklevel=2, shows_long_calls=True)
    limits.warn(train_options, result, stacklevel=2)
    return result
