"""What the choice of a penalty and the loss need to know of the sample weights, in one pass."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop import segments
from batchprop.engines.loss_scale import sum_of_weights

Array = npt.NDArray[Any]

_MAX_COUNT = 100.0  # a weight above is no count of repeated samples


class WeightStatistics(NamedTuple):
    """Statistics of the weights of some segments of samples.

    Attributes
    ----------
    total : float
        Σw, with the bits of ``engines.loss_scale.total_weight``.
    n_present : int
        Number of positive weights.
    largest : float
        The largest weight.
    are_whole : bool
        Whether all weights are whole numbers.
    """

    total: float
    n_present: int
    largest: float
    are_whole: bool

    @classmethod
    def of_segment(cls, weights: Array) -> WeightStatistics:
        """Return the statistics of the float64 weights of one segment, at least one."""
        return cls(
            total=sum_of_weights(weights),
            n_present=int(np.count_nonzero(weights)),
            largest=float(weights.max()),
            are_whole=np.array_equal(weights, np.floor(weights)),
        )

    def merged_with(self, later: WeightStatistics) -> WeightStatistics:
        """Return the statistics of these weights and of those that follow."""
        return WeightStatistics(
            self.total + later.total,
            self.n_present + later.n_present,
            max(self.largest, later.largest),
            self.are_whole and later.are_whole,
        )

    @property
    def unit(self) -> float:
        """The weight of one sample, see ``weight_unit``."""
        are_counts = self.are_whole and self.largest <= _MAX_COUNT
        return 1.0 if are_counts else self.total / self.n_present


def weight_unit(sample_weight: Array | None) -> float:
    """Return the weight of one sample, which is what a chosen α is proportional to.

    Whole numbers up to 100 are counts of repeated samples, and the unit is 1.  Other weights, such
    as inverse variances or the people that a sample stands for, are relative: their unit is the
    mean of the positive ones.  Then a choice does not depend on their scale.
    """
    if sample_weight is None:
        return 1.0
    weights = sample_weight
    return segments.tree_sum(
        weights.size,
        lambda samples: WeightStatistics.of_segment(weights[samples]),
        WeightStatistics.merged_with,
    ).unit
