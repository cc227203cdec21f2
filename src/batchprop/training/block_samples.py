"""``BlockSamples``: samples that are read from files, or from any sequence, block by block."""

from __future__ import annotations

import re
from contextlib import closing
from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.blocks.block_sequence import BlockSequence
from batchprop.engines.fused.gauss_newton.gauss_newton_objective import GAUSS_NEWTON_SUMS
from batchprop.engines.fused.objective import GRADIENT_SUMS
from batchprop.engines.fused.segment_sums import SegmentSums, add_sums
from batchprop.engines.fused.summed_objective import SummedObjective
from batchprop.engines.loss_scale import scales_of
from batchprop.engines.portions import SegmentRange
from batchprop.network import Network
from batchprop.network_loss import losses_of, squared_errors, squares_exponent
from batchprop.parameters import Shape
from batchprop.scaling import Scaling
from batchprop.segments import total_of
from batchprop.threads.cancellation import Cancellation
from batchprop.training.data_summary import DataSummary, SecondPass, SummaryBuilder, merged

Array = npt.NDArray[Any]

_POSITION = re.compile(r"; got \S+ at \w+\[(\d+, )?(?P<sample>\d+)\]")  # of validation.finite


class BlockSamples:
    """An ``ExternalSamples`` of blocks that this process reads in each pass.

    Parameters
    ----------
    blocks : BlockSequence
        The blocks.
    """

    def __init__(self, blocks: BlockSequence) -> None:
        self._blocks = blocks

    @property
    def is_weighted(self) -> bool:
        """Whether the samples have weights."""
        return self._blocks.has_weights

    def summarise(self, names: tuple[str, str, str], dtype: np.dtype[Any] | None) -> DataSummary:
        """Read all samples once, check them, and return what is known of them."""
        builder = SummaryBuilder(0, names, dtype, thinned=True, n_samples=self._blocks.n_samples)
        try:
            with closing(self._blocks.read()) as blocks:
                for samples in blocks:
                    builder.add(samples)
            summary = merged(builder.summaries(), names[2])
        except ValueError as error:
            raise self._with_place(error) from None
        if summary.rescaling is None:
            return summary
        second = SecondPass(summary.rescaling)
        with closing(self._blocks.read()) as blocks:
            for samples in blocks:
                second.add(samples)
        return summary.rescaled_by(second.moments())

    def _with_place(self, error: ValueError) -> ValueError:
        """Return the error; if it names a sample, with the block and the file that have it."""
        position = _POSITION.search(str(error))
        if position is None:
            return error
        place = self._blocks.place_of_sample(int(position["sample"]))
        return ValueError(f"{error} It is in {place}.")

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
        """Open an objective: each evaluation reads all blocks."""
        members = SegmentSums(
            self._blocks,
            SegmentRange.whole(summary.n_samples),
            GAUSS_NEWTON_SUMS if with_JTJ else GRADIENT_SUMS,
            shape,
            activation,
            dtype,
            scaling,
            n_threads,
            cancellation,
        )

        def total(theta: Array, work: int) -> Array:
            return total_of(members.sums(theta, work), add_sums)

        return SummedObjective(
            total,
            shape,
            activation,
            summary.n_samples,
            scales_of(summary.total_weight),
            scaling,
            summary.constant_loss(scaling),
            cancellation,
            members.close,
        )

    def output_losses(self, summary: DataSummary, network: Network, n_threads: int | None) -> Array:
        """Return the loss L of each output (s,) of a network in the user's units."""
        exponent = squares_exponent(summary.largest_target)
        whole = SegmentRange.whole(summary.n_samples)
        nodes = squared_errors(network, self._blocks, whole, exponent, n_threads=n_threads)
        return losses_of(total_of(nodes, np.add), scales_of(summary.total_weight).loss, exponent)
