"""Training on standardised columns, with data and networks in raw units outside.

- ``standardisation``: the means and factors that columns are standardised with.
- ``moments``: mean and standard deviation of every row, in one pass over the data.
- ``folding``: converts a network between standardised data and raw units.
- ``advice``: warns about columns that are constant or too coarse for the network's dtype.

Imports parameters and vocabulary.
"""

from __future__ import annotations

from batchprop.scaling.advice import warn
from batchprop.scaling.folding import fold, start_of, unfold
from batchprop.scaling.standardisation import Scaling, standard_deviations

__all__ = ["Scaling", "fold", "standard_deviations", "start_of", "unfold", "warn"]
