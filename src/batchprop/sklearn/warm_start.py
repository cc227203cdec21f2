"""Warm starts: whether a fit continues the run of the previous one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from batchprop.network import Network
from batchprop.sklearn.training_data import Samples
from batchprop.solvers.settings import RESUMABLE
from batchprop.training.checkpoint.checkpoint import Checkpoint

# These parameters change how long, how fast and how verbosely a run trains, not its result.
_MAY_CHANGE = frozenset(
    {"max_iter", "max_seconds", "n_threads", "uncertainty", "verbose", "warm_start"}
)


class PreviousFit(NamedTuple):
    """The previous fit of an estimator.

    Attributes
    ----------
    parameters : dict
        The estimator's parameters in that fit.
    checkpoint : Checkpoint
        The state at the end of its run.
    """

    parameters: dict[str, Any]
    checkpoint: Checkpoint

    def is_continued_by(self, parameters: Mapping[str, Any], samples: Samples) -> bool:
        """Return whether a fit with these parameters and samples continues the same run."""
        arguments = self.checkpoint.arguments
        return (
            arguments["solver"] in RESUMABLE
            and arguments["dtype"] == samples.X.dtype.name
            and all(
                name in _MAY_CHANGE or _equal(value, self.parameters[name])
                for name, value in parameters.items()
            )
            and samples.match(self.checkpoint.samples)
        )


def previous_network(estimator: Any, n_inputs: int, n_outputs: int) -> Network | None:
    """Return the network of the previous fit if it has the same sizes and activation."""
    network: Network | None = getattr(estimator, "network_", None)
    if network is None or network.shape != (n_inputs, estimator.hidden_size, n_outputs):
        return None
    return network if network.activation == estimator.activation else None


def _equal(value: object, other: object) -> bool:
    """Compare two parameters; ``other`` was valid in a fit, so ``==`` is defined for its type."""
    return value is other or (type(value) is type(other) and bool(np.all(value == other)))
