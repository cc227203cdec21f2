"""``SegmentSummary``: what is known of the samples of one segment or of several."""

from __future__ import annotations

from dataclasses import dataclass

from batchprop.scaling.row_statistics import RowStatistics
from batchprop.training.candidates import ThinnedSamples
from batchprop.training.weight_statistics import WeightStatistics


@dataclass
class SegmentSummary:
    """Statistics of the samples of a run of segments.  It can be pickled.

    Attributes
    ----------
    n_samples : int
        Number of samples.
    x, t : RowStatistics
        Of the rows of X and T.
    weights : WeightStatistics or None
        Of the sample weights, if there are any.
    checksums : tuple of list of int
        The checksums of the segments' X, T and weights, see ``training.checkpoint.checksum``.
    thinned : ThinnedSamples or None
        The candidates for a choice of penalty, if they were asked for.  Those of a whole run are
        in the summary of its first node.
    """

    n_samples: int
    x: RowStatistics
    t: RowStatistics
    weights: WeightStatistics | None
    checksums: tuple[list[int], list[int], list[int]]
    thinned: ThinnedSamples | None = None

    def merged_with(self, later: SegmentSummary) -> SegmentSummary:
        """Return the summary of these samples and of those that follow; changes ``self``."""
        self.n_samples += later.n_samples
        self.x, self.t = self.x.merged_with(later.x), self.t.merged_with(later.t)
        if self.weights is not None and later.weights is not None:
            self.weights = self.weights.merged_with(later.weights)
        for checksums, following in zip(self.checksums, later.checksums, strict=True):
            checksums += following
        if self.thinned is None:
            self.thinned = later.thinned
        elif later.thinned is not None:
            self.thinned = self.thinned.merged_with(later.thinned)
        return self
