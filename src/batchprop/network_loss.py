"""The loss of a network in the user's units: of its own predictions, in its own dtype.

Training computes with standardised data, and Levenberg–Marquardt in float64.  The network that it
returns differs slightly: its parameters are rounded to its dtype, and in raw units large means cost
digits.  These functions compute the loss of the returned network, segment by segment, so that it
has the same bits for samples in memory, in files and on several machines.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop import engines, segments
from batchprop.engines.loss_scale import scales
from batchprop.engines.portions import BlockSource, SegmentRange, portions, taken
from batchprop.engines.samples import Samples
from batchprop.network import Network
from batchprop.segments import Node, SegmentTree

Array = npt.NDArray[Any]

_ELEMENTS = 1 << 20  # elements of H that an engine may hold at a time


def network_loss(
    network: Network,
    X: Array,
    T: Array,
    sample_weight: Array | None = None,
    *,
    engine: str = "fused",
    n_threads: int | None = None,
) -> float:
    """Return L = Σ_i w_i ‖y_i − t_i‖² / Σ_i w_i, the sum of the losses of all outputs.

    Parameters
    ----------
    network, X, T, sample_weight, engine, n_threads
        As for ``output_losses``.
    """
    losses = output_losses(network, X, T, sample_weight, engine=engine, n_threads=n_threads)
    return float(losses.sum())


def output_losses(
    network: Network,
    X: Array,
    T: Array,
    sample_weight: Array | None = None,
    *,
    engine: str = "fused",
    n_threads: int | None = None,
) -> Array:
    """Return the loss of each output (s,), Σ_i w_i (y_oi − t_oi)² / Σ_i w_i.

    Parameters
    ----------
    network : Network
        The network, in the units of X and T.
    X : ndarray, shape (e, N)
        Checked inputs.
    T : ndarray, shape (s, N)
        Checked targets; residuals are computed in float64, whatever the dtype of the network.
    sample_weight : ndarray, shape (N,), or None
        Checked weights; predictions for samples of weight 0 are ignored.
    engine : str
        Name of the engine that predicts.
    n_threads : int or None
        Maximum number of threads; the result has the same bits for any number.
    """
    exponent = squares_exponent(_largest(T, sample_weight))
    samples, n_samples = Samples(X, T, sample_weight), X.shape[1]
    if n_samples <= min(_part_samples(network), segments.SEGMENT_SAMPLES):  # a single part
        totals = _squares_of_part(network, samples, exponent, engine, n_threads)
    else:
        whole, source = SegmentRange.whole(n_samples), _InMemory(samples)
        nodes = squared_errors(network, source, whole, exponent, engine, n_threads)
        totals = segments.total_of(nodes, np.add)
    return losses_of(totals, scales(n_samples, sample_weight).loss, exponent)


def squares_exponent(largest: float) -> int:
    """Return the exponent of the power of two by which residuals are divided.

    The division is exact and keeps squares within the range of float64.  ``largest`` is the largest
    |t| of a sample of positive weight.
    """
    return int(np.frexp(largest)[1])


def squared_errors(
    network: Network,
    blocks: BlockSource,
    samples_range: SegmentRange,
    exponent: int,
    engine: str = "fused",
    n_threads: int | None = None,
) -> list[Node[Array]]:
    """Return Σ w (y − t)² / 4^exponent for each output (s,), as nodes of the tree of segments.

    Parameters
    ----------
    network, engine, n_threads
        As for ``output_losses``.
    blocks : BlockSource
        The samples of a run of segments.
    samples_range : SegmentRange
        The run.
    exponent : int
        See ``squares_exponent``.
    """
    step = _part_samples(network)

    def bounds(segment: int) -> list[int]:
        size = segments.SEGMENT_SAMPLES
        stop = min((segment + 1) * size, samples_range.n_samples)
        return [*range(segment * size, stop, step), stop]

    tree: SegmentTree[Array] = SegmentTree(np.add)
    totals = np.zeros(network.shape.n_outputs)
    with closing(blocks.read()) as read:
        for portion in portions(read, bounds, samples_range):
            for first in range(0, portion.samples.X.shape[1], step):
                part = taken(portion.samples, first, first + step)
                totals += _squares_of_part(network, part, exponent, engine, n_threads)
            if portion.ends_segment:
                tree.append(Node(0, portion.segment, totals))
                totals = np.zeros(network.shape.n_outputs)
    return tree.nodes


def _part_samples(network: Network) -> int:
    """Return how many samples are predicted at a time."""
    return max(1, _ELEMENTS // sum(network.shape))


def _squares_of_part(
    network: Network, samples: Samples, exponent: int, engine: str, n_threads: int | None
) -> Array:
    """Return the sums of ``squared_errors`` over one part."""
    X, T, w, _ = samples
    predict = engines.load(engine).predict
    with np.errstate(over="ignore", invalid="ignore"):
        Y = predict(network.theta, network.shape, network.activation, X, n_threads)
        squares = np.ldexp(Y.astype(np.float64) - T, -exponent) ** 2
        if w is not None:
            squares = np.where(w > 0, squares * w, 0.0)
        return np.asarray(squares.sum(axis=1))


def losses_of(totals: Array, loss_scale: float, exponent: int) -> Array:
    """Return the losses (s,) of the sums of ``squared_errors`` over all segments."""
    with np.errstate(over="ignore", invalid="ignore"):
        losses: Array = np.ldexp(loss_scale * totals, 2 * exponent)
        return losses


class _InMemory:
    """Samples in memory as a single block."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples

    def read(self) -> Generator[Samples]:
        """Yield them."""
        yield self._samples


def _largest(T: Array, sample_weight: Array | None) -> float:
    """Return max |t| over the samples whose weight is positive."""
    largest, step = 0.0, max(1, _ELEMENTS // T.shape[0])
    for first in range(0, T.shape[1], step):
        sizes = np.abs(T[:, first : first + step])
        if sample_weight is not None:
            sizes = np.where(sample_weight[first : first + step] > 0, sizes, 0.0)
        largest = max(largest, float(sizes.max()))
    return largest
