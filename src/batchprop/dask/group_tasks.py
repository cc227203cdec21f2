"""What workers do with a group, beside the sums of an evaluation: statistics and losses."""

from __future__ import annotations

import re
from contextlib import closing
from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.blocks.block_sequence import BlockSequence
from batchprop.dask.resident_samples import ResidentSamples, worker_threads
from batchprop.network import Network
from batchprop.network_loss import squared_errors
from batchprop.scaling.row_statistics import Rescaling
from batchprop.segments import Node
from batchprop.training.data_summary import SecondPass, SegmentSummary, SummaryBuilder
from batchprop.training.data_summary.second_pass import RescaledMoments

Array = npt.NDArray[Any]


def summaries(
    group: ResidentSamples, names: tuple[str, str, str], dtype: str | None, flat: bool
) -> list[Node[SegmentSummary]]:
    """Return the summaries of a group's segments, and check its samples.

    Parameters
    ----------
    group : ResidentSamples
        The samples.
    names : tuple of str
        What the user calls X, T and the sample weights.
    dtype : str or None
        The network's dtype; None means that of X.
    flat : bool
        Whether the user's targets have one dimension.

    Raises
    ------
    ValueError
        A number is not finite or out of range, or a weight is negative.
    """
    n_samples, first, _ = group.samples_range
    builder = SummaryBuilder(first, names, dtype, thinned=True, n_samples=n_samples)
    with closing(group.samples.read()) as read:
        for samples in read:
            try:
                builder.add(samples)
            except ValueError as error:
                raise ValueError(_in_rows(str(error), names, flat)) from None
    return builder.summaries()


def rescaled_moments(
    group: ResidentSamples, rescaling: tuple[Rescaling | None, Rescaling | None]
) -> list[Node[RescaledMoments]]:
    """Return the moments of rows with huge or tiny numbers, over a group's segments."""
    second = SecondPass(rescaling, group.samples_range.first)
    with closing(group.samples.read()) as read:
        for samples in read:
            second.add(samples)
    return second.moments()


def errors(
    group: ResidentSamples, network: Network, exponent: int, n_threads: int | None
) -> list[Node[Array]]:
    """Return the sums of squared errors of a network over a group's segments."""
    return squared_errors(
        network,
        group.samples,
        group.samples_range,
        exponent,
        n_threads=worker_threads(n_threads),
    )


def samples_in_blocks(indices: range, blocks: BlockSequence) -> list[int]:
    """Return how many samples some blocks have: the task of a worker, which reads them."""
    return [blocks[i].X.shape[1] for i in indices]


def _in_rows(text: str, names: tuple[str, str, str], flat: bool) -> str:
    """Return a message about an entry with its indices as the user's tables have them."""
    for name in names[:2]:
        swapped = r"\2]" if flat and name == names[1] else r"\2, \1]"
        text = re.sub(rf"(?<=\b{re.escape(name)}\[)(\d+), (\d+)\]", swapped, text)
    return text


def dtype_name(dtype: np.dtype[Any] | None) -> str | None:
    """Return the name of a dtype, which is sent to workers."""
    return None if dtype is None else np.dtype(dtype).name
