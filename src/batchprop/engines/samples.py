"""``Samples``: one data set as an engine gets it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy.typing as npt

from batchprop.scaling import Scaling

Array = npt.NDArray[Any]


class Samples(NamedTuple):
    """Data of one objective, in the user's units.

    Attributes
    ----------
    X, T : ndarray, shapes (e, N) and (s, N)
        Inputs and targets, checked.
    sample_weight : ndarray, shape (N,), or None
        w ≥ 0; None is 1 for each sample.
    scaling : Scaling or None
        How the engine standardises X and T; None leaves them as they are.
    """

    X: Array
    T: Array
    sample_weight: Array | None = None
    scaling: Scaling | None = None
