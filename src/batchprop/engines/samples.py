"""The samples an engine evaluates on, and how they are standardised."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy.typing as npt

from batchprop.scaling import Scaling

Array = npt.NDArray[Any]


class Samples(NamedTuple):
    """Checked samples, in the user's units, and how an engine is to standardise them.

    Attributes
    ----------
    X : ndarray, shape (e, N)
        Inputs, float32 or float64, in any memory order.
    T : ndarray, shape (s, N)
        Targets, likewise.
    sample_weight : ndarray, shape (N,), or None
        Non-negative weights.
    scaling : Scaling or None
        How X and T are standardised; None leaves them as they are.
    """

    X: Array
    T: Array
    sample_weight: Array | None = None
    scaling: Scaling | None = None
