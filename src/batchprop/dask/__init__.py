"""Training on a Dask cluster.  Here rows are samples; no other part imports Dask."""

from __future__ import annotations

try:
    import dask.array  # noqa: F401
    import distributed  # noqa: F401
except ImportError as error:
    raise ImportError(
        "batchprop.dask needs the packages dask and distributed, which are not installed here. "
        'Install them with: pip install "batchprop[dask]"'
    ) from error

from typing import TYPE_CHECKING

from batchprop.dask.cluster_error import ClusterError
from batchprop.dask.predict import predict
from batchprop.dask.train import train

if TYPE_CHECKING:
    from batchprop.dask.estimator import DaskBatchMLPRegressor

__all__ = ["ClusterError", "DaskBatchMLPRegressor", "predict", "train"]


def __getattr__(name: str) -> object:
    if name == "DaskBatchMLPRegressor":  # here, because it needs scikit-learn
        from batchprop.dask.estimator import DaskBatchMLPRegressor

        return DaskBatchMLPRegressor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
