"""Warm starts: a fit that goes on where the one before has ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from batchprop.sklearn.training_data import Samples
from batchprop.solvers.settings import RESUMABLE
from batchprop.training.checkpoint.checkpoint import Checkpoint

# May change from fit to fit: how long, how fast and how loud, not what.
_OF_THE_CALL = frozenset({"max_iter", "max_seconds", "n_threads", "verbose", "warm_start"})


class Before(NamedTuple):
    """The fit before.

    Attributes
    ----------
    parameters : dict
        The estimator's.
    checkpoint : Checkpoint
        Where its run stands.
    """

    parameters: dict[str, Any]
    checkpoint: Checkpoint

    def goes_on(self, parameters: Mapping[str, Any], samples: Samples) -> bool:
        """Tell whether a fit of these parameters and samples is the same run, continued."""
        kept = self.checkpoint.arguments
        return (
            kept["solver"] in RESUMABLE
            and kept["dtype"] == samples.X.dtype.name
            and all(
                name in _OF_THE_CALL or _same(value, self.parameters[name])
                for name, value in parameters.items()
            )
            and samples.agree(self.checkpoint.samples)
        )


def _same(value: object, other: object) -> bool:
    """Compare parameters; ``other`` was good enough to train with, so it compares with its like."""
    return value is other or (type(value) is type(other) and bool(np.all(value == other)))
