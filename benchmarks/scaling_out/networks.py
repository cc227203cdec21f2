"""The networks that are measured, and the sizes of their sums."""

from __future__ import annotations

from typing import NamedTuple

from batchprop.engines.fused.gauss_newton.row_product_layout import n_row_product_sums
from batchprop.parameters import Shape


class Evaluation(NamedTuple):
    """An evaluation of the sums over all samples.

    Attributes
    ----------
    e, m, s : int
        The sizes of the network.
    gauss_newton : bool
        Whether JᵀJ is summed, not only the gradient.
    dtype : str
        Of X, T and θ.  Sums are float64 in any case.
    n_samples : int
        So many are evaluated for the measurement.
    """

    e: int
    m: int
    s: int
    gauss_newton: bool
    dtype: str
    n_samples: int

    @property
    def shape(self) -> Shape:
        """The sizes."""
        return Shape(self.e, self.m, self.s)

    @property
    def name(self) -> str:
        """The network and what is summed."""
        return f"{self.e}-{self.m}-{self.s}, {'JᵀJ' if self.gauss_newton else 'gradient'}"

    @property
    def n_sums(self) -> int:
        """How many sums a node has."""
        products = n_row_product_sums(self.shape) if self.gauss_newton else 0
        return self.shape.n_parameters + self.s + products

    @property
    def theta_bytes(self) -> int:
        """The size of θ."""
        return self.shape.n_parameters * (4 if self.dtype == "float32" else 8)


SEGMENT = 1 << 17
EVALUATIONS = (
    Evaluation(8, 50, 1, False, "float32", SEGMENT),
    Evaluation(90, 100, 1, False, "float32", SEGMENT),
    Evaluation(784, 1024, 10, False, "float32", SEGMENT // 4),
    Evaluation(8, 50, 1, True, "float64", SEGMENT),
    Evaluation(90, 100, 1, True, "float64", SEGMENT // 32),
)
