"""``History``: the losses of all epochs, as bursts of them are evaluated."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class History:
    """Training and validation losses of all epochs so far.

    Each burst writes into curves that the history owns before the burst begins, so that an
    interruption loses no entry.

    Parameters
    ----------
    losses, validation_losses : ndarray, shape (n,), or None
        Both curves of a run that is resumed; None for a new run.
    """

    def __init__(self, losses: Array | None = None, validation_losses: Array | None = None) -> None:
        self._bursts: list[tuple[Array, Array]] = []
        if losses is not None and validation_losses is not None:
            self._bursts.append((losses, validation_losses))

    def new_burst(self, size: int) -> tuple[Array, Array]:
        """Return two curves of ``size`` entries for a burst to fill."""
        losses = np.empty((2, size))
        losses.fill(np.nan)
        self._bursts.append((losses[0], losses[1]))
        return self._bursts[-1]

    def truncate(self, size: int) -> None:
        """Forget all but the first ``size`` entries."""
        self._bursts = [self.curves(size)] if size else []

    def curves(self, size: int) -> tuple[Array, Array]:
        """Return the first ``size`` entries of both curves; one NaN each if ``size`` is 0."""
        if size == 0:  # the first burst may have written a loss that was not judged
            return np.full(1, np.nan), np.full(1, np.nan)
        end = np.full(size, np.nan)
        losses, validation_losses = zip(*self._bursts, (end, end), strict=True)
        return np.concatenate(losses)[:size], np.concatenate(validation_losses)[:size]
