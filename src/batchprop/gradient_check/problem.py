"""The parameters and data of one gradient check, read in blocks of samples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop.parameters import Blocks, Shape, split

Array = npt.NDArray[Any]

BLOCKS = Blocks._fields  # "W_h", "b_h", "W_y", "b_y"

_ELEMENTS = 1 << 18  # upper limit for the largest array of one block of samples


class Samples(NamedTuple):
    """A block of B samples, in float64."""

    X: Array  # (e, B)
    T: Array  # (s, B)
    share: Array  # (B,), w_i / Σ_i w_i: the sample's weight in the mean


class Problem(NamedTuple):
    """Parameters and data.

    Attributes
    ----------
    theta : ndarray, shape (P,)
        Parameters in float64 (exact also for a float32 network).
    shape : Shape
        The network's sizes.
    activation : str
        Name of the activation.
    X, T : ndarray, shapes (e, N) and (s, N)
        Data, rounded to the network's dtype.
    weight : ndarray, shape (N,), or None
        Sample weights.
    rates : tuple of two floats
        Factors of ‖W_h‖² and ‖W_y‖² in F: α_h/Σw and α_y/Σw.
    """

    theta: Array
    shape: Shape
    activation: str
    X: Array
    T: Array
    weight: Array | None
    rates: tuple[float, float] = (0.0, 0.0)

    @property
    def n_samples(self) -> int:
        """N."""
        return int(self.X.shape[1])

    @property
    def blocks(self) -> Blocks:
        """W_h (m, e), b_h (m,), W_y (s, m), b_y (s,)."""
        return split(self.theta, self.shape)

    def section(self, block: str) -> slice:
        """Return the slice of a block in θ."""
        sizes = [part.size for part in self.blocks]
        start = sum(sizes[: BLOCKS.index(block)])
        return slice(start, start + sizes[BLOCKS.index(block)])

    @property
    def rate(self) -> Array:
        """Penalty factor of the square of each parameter (P,); 0 for biases."""
        rate = np.zeros_like(self.theta)
        for name, value in zip(("W_h", "W_y"), self.rates, strict=True):
            rate[self.section(name)] = value
        return rate

    def samples(self) -> Iterator[Samples]:
        """Yield blocks of samples; their size is limited, so that no array grows with N."""
        e, m, s = self.shape
        step = max(1, _ELEMENTS // max(e, s * m))
        total = self.n_samples if self.weight is None else self.weight.sum()
        for start in range(0, self.n_samples, step):
            part = slice(start, min(start + step, self.n_samples))
            X = self.X[:, part].astype(np.float64)
            T = self.T[:, part].astype(np.float64)
            weight = np.ones(X.shape[1]) if self.weight is None else self.weight[part]
            yield Samples(X, T, weight / total)
