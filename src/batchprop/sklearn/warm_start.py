"""Warm starts and ``partial_fit``: whether a fit continues the run of the previous one."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple, Self

import numpy as np

from batchprop.files import pytree
from batchprop.network import Network
from batchprop.sklearn.training_data import Samples
from batchprop.solvers.settings import FIRST_ORDER, RESUMABLE
from batchprop.training.checkpoint import fingerprint
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

    @classmethod
    def of(cls, parameters: Mapping[str, Any], checkpoint: Checkpoint) -> Self:
        """Return a fit; parameters are copied because the user may change a dict among them.

        A random generator is recognised by its identity and is not copied.
        """
        copied = {
            name: value if name == "random_state" else copy.deepcopy(value)
            for name, value in parameters.items()
        }
        return cls(copied, checkpoint)

    def is_continued_by(self, parameters: Mapping[str, Any], samples: Samples) -> bool:
        """Return whether a fit with these parameters and samples continues the same run."""
        arguments = self.checkpoint.arguments
        return (
            arguments["solver"] in RESUMABLE
            and arguments["dtype"] == samples.X.dtype.name
            and self._has(parameters)
            and samples.match(self.checkpoint.samples)
        )

    def on_batch(self, parameters: Mapping[str, Any], samples: Samples) -> Checkpoint | None:
        """Return the run as if it had been trained on this batch so far.

        The next step uses the gradient of the batch.  It keeps velocities, moments and scaling,
        which all batches share.  The best network is forgotten: its loss is that of other samples.

        Returns
        -------
        Checkpoint or None
            None if no such run can go on: its solver learns about one set of samples, parameters or
            sizes have changed, or it has become NaN or infinite.
        """
        checkpoint = self.checkpoint
        if (
            checkpoint.arguments["solver"] not in FIRST_ORDER
            or checkpoint.stop_reason == "non_finite"
            or not self._has(parameters)
            or checkpoint.shape[::2] != (samples.X.shape[0], samples.T.shape[0])
        ):
            return None
        state = pytree.copied(checkpoint.state)
        for unknown in (state.best_score, state.best_loss, state.reference):
            unknown[0] = np.finfo(np.float64).max  # any loss is lower
        state.reference_epoch[0] = checkpoint.n_epochs
        fingerprints = fingerprint.of_arrays(samples._asdict())
        return replace(checkpoint, samples=fingerprints, state=state)

    def _has(self, parameters: Mapping[str, Any]) -> bool:
        """Return whether that fit had these parameters, where they matter."""
        return all(
            name in _MAY_CHANGE or _equal(value, self.parameters[name])
            for name, value in parameters.items()
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
