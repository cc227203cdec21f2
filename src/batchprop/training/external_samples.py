"""``ExternalSamples``: samples outside this process's memory, in files or on other machines."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from batchprop.engines.protocol import GaussNewtonObjective
from batchprop.network import Network
from batchprop.parameters import Shape
from batchprop.scaling import Scaling
from batchprop.threads.cancellation import Cancellation
from batchprop.training.data_summary import DataSummary

Array = npt.NDArray[Any]


class ExternalSamples(Protocol):
    """Samples that training reaches by what is summed over them."""

    @property
    def is_weighted(self) -> bool:
        """Whether the samples have weights."""
        ...

    def summarise(self, names: tuple[str, str, str], dtype: np.dtype[Any] | None) -> DataSummary:
        """Read all samples once, check them, and return what is known of them.

        Parameters
        ----------
        names : tuple of str
            What the user calls X, T and the sample weights.
        dtype : dtype or None
            The network's dtype, whose range X and T must not exceed; None means that of X.
        """
        ...

    def objective(
        self,
        summary: DataSummary,
        scaling: Scaling | None,
        shape: Shape,
        activation: str,
        dtype: np.dtype[Any],
        n_threads: int | None,
        cancellation: Cancellation | None,
        *,
        with_JTJ: bool,
    ) -> GaussNewtonObjective:
        """Open an objective.

        Parameters
        ----------
        summary : DataSummary
            What ``summarise`` has returned.
        scaling : Scaling or None
            How the samples are standardised.
        shape, activation, dtype, n_threads, cancellation
            As in ``engines.protocol.OpenObjective``.
        with_JTJ : bool
            Whether the objective has to know JᵀJ; if not, only L̃ and its gradient.
        """
        ...

    def output_losses(self, summary: DataSummary, network: Network, n_threads: int | None) -> Array:
        """Return the loss L of each output (s,) of a network in the user's units."""
        ...
