"""``DataSummary``: what one pass has found out about all samples."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop import segments, validation
from batchprop.scaling import Scaling, standard_deviations_of
from batchprop.scaling.row_statistics import Rescaling, RowStatistics
from batchprop.segments import Node, SegmentTree
from batchprop.training.candidates import Candidates
from batchprop.training.checkpoint import checksum
from batchprop.training.checkpoint.fingerprint import VERSIONS, Fingerprint
from batchprop.training.data_summary.second_pass import RescaledMoments
from batchprop.training.data_summary.segment_summary import SegmentSummary

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)  # arrays have no single truth value
class DataSummary:
    """Statistics of all samples.  Every number has the bits that the same data have in memory.

    Attributes
    ----------
    statistics : SegmentSummary
        Those of all segments.
    rescaled : RescaledMoments
        What the second pass has collected, where ``rescaling`` asks for one.
    """

    statistics: SegmentSummary
    rescaled: RescaledMoments = RescaledMoments(None, None)

    @property
    def n_samples(self) -> int:
        """N, missing samples (those of weight 0) included."""
        return self.statistics.n_samples

    @property
    def n_inputs(self) -> int:
        """The number of inputs, e."""
        return self._rows(self.statistics.x)

    @property
    def n_outputs(self) -> int:
        """The number of outputs, s."""
        return self._rows(self.statistics.t)

    @property
    def dtypes(self) -> tuple[np.dtype[Any], np.dtype[Any]]:
        """The dtypes of X and T, float32 or float64: the wider one where pieces differ."""
        return self.statistics.x.dtype, self.statistics.t.dtype

    @property
    def is_weighted(self) -> bool:
        """Whether the samples have weights."""
        return self.statistics.weights is not None

    @property
    def total_weight(self) -> float:
        """Σw; N without weights."""
        weights = self.statistics.weights
        return float(self.n_samples) if weights is None else weights.total

    @property
    def n_present(self) -> int:
        """Number of samples of positive weight."""
        weights = self.statistics.weights
        return self.n_samples if weights is None else weights.n_present

    @property
    def weight_unit(self) -> float:
        """The weight of one sample, see ``training.weight_statistics.weight_unit``."""
        weights = self.statistics.weights
        return 1.0 if weights is None else weights.unit

    @property
    def rescaling(self) -> tuple[Rescaling | None, Rescaling | None] | None:
        """What a ``SecondPass`` has to do with X and T; None if none is needed."""
        pair = self.statistics.x.rescaling, self.statistics.t.rescaling
        return None if pair == (None, None) else pair

    def rescaled_by(self, moments: Iterable[Node[RescaledMoments]]) -> DataSummary:
        """Return the summary with the moments of the second pass, of all its parts."""
        tree = SegmentTree(RescaledMoments.merged_with)
        tree.extend(sorted(moments, key=_first_segment))
        return replace(self, rescaled=tree.total())

    @cached_property
    def scaling(self) -> Scaling:
        """How the data are standardised; constant rows as ``scaling.Scaling.of`` has them."""
        self._check_second_pass()
        return Scaling.of_statistics(self.statistics.x, self.statistics.t, *self.rescaled)

    @cached_property
    def target_std(self) -> Array:
        """Standard deviation of each target (s,); 0 for a constant one."""
        self._check_second_pass()
        return standard_deviations_of(self.statistics.t, self.rescaled.t)

    def constant_loss(self, scaling: Scaling | None) -> float:
        """Return what targets that are constant in ``scaling`` contribute to L, see ``Scaling``."""
        if scaling is None:
            return 0.0
        self._check_second_pass()
        return scaling.constant_loss_of(self.statistics.t, self.rescaled.t)

    @property
    def largest_target(self) -> float:
        """The largest |t| of a sample of positive weight."""
        t = self.statistics.t
        return float(np.maximum(-t.smallest, t.largest).max())

    @property
    def has_one_value(self) -> Array:
        """Which rows of X (e,) have the same value in all samples of positive weight."""
        return np.asarray(self.statistics.x.smallest == self.statistics.x.largest)

    def fingerprints(self, suffix: str = "") -> dict[str, Fingerprint]:
        """Return name of each array -> its fingerprint, for which "_val" may follow the name."""
        x, t, weights = map(checksum.combined, self.statistics.checksums)
        shapes = {"X": (self.n_inputs, self.n_samples), "T": (self.n_outputs, self.n_samples)}
        version = VERSIONS[-1]
        fingerprints = {
            f"X{suffix}": Fingerprint(shapes["X"], x, 0.0, version),
            f"T{suffix}": Fingerprint(shapes["T"], t, 0.0, version),
        }
        if self.is_weighted:
            shape = (self.n_samples,)
            weighted = Fingerprint(shape, weights, self.total_weight, version)
            fingerprints[f"sample_weight{suffix}"] = weighted
        return fingerprints

    @cached_property
    def candidates(self) -> Candidates:
        """The samples that a choice of penalty may draw from, where they were asked for."""
        thinned = self.statistics.thinned
        assert thinned is not None, "SummaryBuilder was not to keep them"
        samples = thinned.samples()
        return Candidates(samples, np.arange(samples.X.shape[1]))

    def _check_second_pass(self) -> None:
        done = self.rescaling is None or self.rescaled != (None, None)
        assert done, "a second pass must scale some rows first"

    @staticmethod
    def _rows(statistics: RowStatistics) -> int:
        return int(statistics.smallest.size)


def merged(
    summaries: Iterable[Node[SegmentSummary]], weight_name: str = "sample_weight"
) -> DataSummary:
    """Merge the summaries of all segments, in any order, whoever has made them.

    The summaries are used up.

    Parameters
    ----------
    summaries : iterable of Node
        What ``SummaryBuilder.summaries`` has returned for each run of segments.
    weight_name : str
        What the user calls the sample weights.

    Raises
    ------
    ValueError
        There are no samples, or a segment is missing or incomplete; all weights are 0, or so large
        or small that they would have to be scaled.
    """
    nodes = sorted(summaries, key=_first_segment)
    if not nodes:
        raise ValueError("the data must have at least one sample; got none. Check where they are.")
    for node in nodes[:-1]:
        if node.value.n_samples != segments.SEGMENT_SAMPLES << node.level:
            raise ValueError(f"segments from {node.first} on must be complete before others follow")
    tree = SegmentTree(SegmentSummary.merged_with)
    tree.extend(nodes)
    statistics = tree.total()
    if statistics.weights is not None:
        validation.largest_of_unscaled_weights(weight_name, statistics.weights.largest)
    return DataSummary(statistics)


def _first_segment(node: Node[Any]) -> int:
    return node.first
