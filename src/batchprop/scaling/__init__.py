"""Training on standardised columns, with data and networks in raw units outside.

- ``standardisation``: the means and factors that columns are standardised with.
- ``moments``: mean and standard deviation of every row of a table in memory, in one pass.
- ``row_moments``: the formulas; they add blocks of samples and merge segments.
- ``row_statistics``, ``block_buffer``: the same for samples that come in pieces.
- ``folding``: converts a network between standardised data and raw units.
- ``advice``: warns about columns that are constant or too coarse for the network's dtype.

Imports parameters, vocabulary and segments.
"""

from __future__ import annotations

from batchprop.scaling.advice import warn
from batchprop.scaling.folding import fold, start_of, unfold
from batchprop.scaling.standardisation import (
    Scaling,
    standard_deviations,
    standard_deviations_of,
)

__all__ = [
    "Scaling",
    "fold",
    "standard_deviations",
    "standard_deviations_of",
    "start_of",
    "unfold",
    "warn",
]
