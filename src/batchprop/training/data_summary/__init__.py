"""Everything that training needs to know of its data before the first step, from one pass.

Samples come in pieces of any size, and may lie in several places: each place summarises a run of
segments, and the summaries are merged.  All numbers have the bits that they have for the same data
in memory.

- ``summary_builder``: takes samples, checks them, returns summaries of the segments.
- ``segment_summary``: what is known of some segments.
- ``summary``: what is known of all samples; scaling, fingerprints, candidates.
- ``second_pass``: the moments of rows with huge or tiny numbers, which are scaled first.
"""

from __future__ import annotations

from batchprop.training.data_summary.second_pass import SecondPass
from batchprop.training.data_summary.segment_summary import SegmentSummary
from batchprop.training.data_summary.summary import DataSummary, merged
from batchprop.training.data_summary.summary_builder import SummaryBuilder

__all__ = ["DataSummary", "SecondPass", "SegmentSummary", "SummaryBuilder", "merged"]
