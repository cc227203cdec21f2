"""Standardised columns inside, raw units outside: what training does to data of any scale.

``standardisation`` says by which numbers columns are standardised, ``moments`` finds them in one pass,
``folding`` carries a network between standardised data and raw units, ``advice`` tells the user
about columns that carry nothing or too little.
"""

from __future__ import annotations

from batchprop.scaling.advice import warn
from batchprop.scaling.folding import fold, start_of, unfold
from batchprop.scaling.standardisation import Scaling

__all__ = ["Scaling", "fold", "start_of", "unfold", "warn"]
