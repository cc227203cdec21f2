"""``FitErrors``: the errors of a network on training or validation data, output by output."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple


class FitErrors(NamedTuple):
    """How well a network predicts each output, in units of T.

    Attributes
    ----------
    rmse : tuple of float
        Root mean squared error of each output, weights counted; NaN if it was not measured.
    target_std : tuple of float
        Standard deviation of each target around its mean on the same data; 0 for a constant one.

    Examples
    --------
    >>> from batchprop.result import FitErrors
    >>> FitErrors(rmse=(0.5, 3.0), target_std=(1.0, 3.0)).r2_of_outputs
    (0.75, 0.0)
    """

    rmse: tuple[float, ...]
    target_std: tuple[float, ...]

    @property
    def r2_of_outputs(self) -> tuple[float, ...]:
        """R² = 1 − (rmse/target_std)² of each output.

        A constant target has no variance to explain.  As scikit-learn's ``r2_score`` has it, R² is
        then 1 if every prediction is exact, else 0.
        """
        return tuple(map(_r2, self.rmse, self.target_std))

    @property
    def r2(self) -> float:
        """R², mean over outputs."""
        return math.fsum(self.r2_of_outputs) / len(self.rmse)

    @property
    def are_known(self) -> bool:
        """Whether all outputs were measured, and none is infinite."""
        return all(map(math.isfinite, self.rmse))


def of_output_losses(output_losses: Iterable[float], target_std: Iterable[float]) -> FitErrors:
    """Return the errors of a network from its mean squared error of each output."""
    rmse = tuple(math.sqrt(loss) for loss in output_losses)
    return FitErrors(rmse, tuple(map(float, target_std)))


def _r2(rmse: float, target_std: float) -> float:
    if math.isnan(rmse):
        return math.nan
    if target_std == 0.0:
        return 1.0 if rmse == 0.0 else 0.0
    ratio = rmse / target_std
    return 1.0 - ratio * ratio  # a product: a power would raise OverflowError
