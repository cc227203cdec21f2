"""Sums over all samples on a cluster: workers sum their segments, the driver adds the nodes."""

from __future__ import annotations

from functools import partial
from itertools import chain
from typing import Any
from uuid import uuid4

import numpy as np
import numpy.typing as npt

from batchprop.dask.groups import Groups
from batchprop.dask.resident_samples import Request, SampleSource, Sums, group_sums
from batchprop.engines.portions import SegmentRange
from batchprop.parameters import Shape
from batchprop.scaling import Scaling
from batchprop.segments import total_of
from batchprop.threads.cancellation import Cancellation

Array = npt.NDArray[Any]

NAMES = ("gradient", "loss", "curvature")
"""What an evaluation is called on Dask's dashboard, by the work of ``SegmentSums.sums``."""


class Evaluations:
    """Evaluates sums over all samples of a data set on a cluster.

    Parameters
    ----------
    groups : Groups
        The data set.
    request : Request
        What is summed.
    cancellation : Cancellation or None
        Ends evaluations early.
    """

    def __init__(
        self, groups: Groups, request: Request, cancellation: Cancellation | None = None
    ) -> None:
        self._groups, self._request, self._cancellation = groups, request, cancellation

    def sums(self, theta: Array, work: int) -> Array:
        """Return the sums over all samples at θ, as ``SegmentSums.sums`` defines them.

        Raises
        ------
        Cancelled
            The run was cancelled.
        ClusterError
            The cluster cannot evaluate.
        """
        check = None if self._cancellation is None else self._cancellation.check
        arguments = {"request": self._request, "theta": theta, "work": work}
        sums = self._groups.map(group_sums, NAMES[work], check, **arguments)
        return total_of(chain.from_iterable(sums), np.add)


def sums_request(
    gauss_newton: bool,
    shape: Shape,
    activation: str,
    dtype: npt.DTypeLike,
    scaling: Scaling | None,
    n_threads: int | None,
) -> Request:
    """Return the request for the sums of L̃, of its gradient and, if asked for, of JᵀJ."""
    open_sums = partial(
        _open_sums,
        gauss_newton=gauss_newton,
        shape=shape,
        activation=activation,
        dtype=np.dtype(dtype).name,
        scaling=scaling,
    )
    return Request(uuid4().hex, open_sums, n_threads)


def _open_sums(
    samples: SampleSource,
    samples_range: SegmentRange,
    n_threads: int | None,
    *,
    gauss_newton: bool,
    shape: Shape,
    activation: str,
    dtype: str,
    scaling: Scaling | None,
) -> Sums:
    """Open what sums, on a worker; the kernels are compiled or loaded there."""
    from batchprop.engines.fused.gauss_newton.gauss_newton_objective import GAUSS_NEWTON_SUMS
    from batchprop.engines.fused.objective import GRADIENT_SUMS
    from batchprop.engines.fused.segment_sums import SegmentSums

    sums = GAUSS_NEWTON_SUMS if gauss_newton else GRADIENT_SUMS
    return SegmentSums(samples, samples_range, sums, shape, activation, dtype, scaling, n_threads)
