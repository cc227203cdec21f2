"""Whether data are those that a run began with: a cheap fingerprint of each array."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_SAMPLE = 4096  # entries looked at, all of them in a smaller array


class Fingerprint(NamedTuple):
    """What is remembered of an array.

    Attributes
    ----------
    shape : tuple of int
        Its shape.
    checksum : int
        CRC-32 of up to 4096 of its values as float64, evenly spread; the memory order, the dtype
        and where the array lies do not matter.
    total : float
        The sum of a flat array (of weights, of which many may be equal), 0 for tables.
    """

    shape: tuple[int, ...]
    checksum: int
    total: float

    def agrees(self, other: Fingerprint) -> bool:
        """Tell whether both may be of the same array; processors round sums differently."""
        return self[:2] == other[:2] and math.isclose(self.total, other.total, rel_tol=1e-9)


def of(array: Array) -> Fingerprint:
    """Return the fingerprint of an array of one or two dimensions."""
    if array.size <= _SAMPLE:
        values = array.ravel()
    else:
        places = np.linspace(0, array.size - 1, _SAMPLE).round().astype(np.int64)
        values = array[np.unravel_index(places, array.shape)]
    checksum = zlib.crc32(values.astype("<f8").tobytes())
    return Fingerprint(array.shape, checksum, float(array.sum()) if array.ndim == 1 else 0.0)


def of_samples(samples: Any) -> dict[str, Fingerprint]:
    """Return name -> fingerprint of the arrays of a NamedTuple that are not None."""
    return {name: of(array) for name, array in samples._asdict().items() if array is not None}


def check_presence(given: Mapping[str, Any], expected: Mapping[str, Fingerprint]) -> None:
    """Refuse weights or validation data where a run had none, and the other way round.

    Parameters
    ----------
    given : mapping
        Arguments of the call, not checked yet.
    expected : mapping of str to Fingerprint
        What ``of_samples`` gave when the run began.

    Raises
    ------
    ValueError
        An array is missing or one too many.
    """
    for name in ("sample_weight", "X_val", "T_val"):
        if given[name] is None and name in expected:
            raise _refusal(name, "None")
        if given[name] is not None and name not in expected:
            raise _refusal(name, "an array where it had none")


def check(given: Mapping[str, Fingerprint], expected: Mapping[str, Fingerprint]) -> None:
    """Refuse data that are not those of a checkpoint.

    Parameters
    ----------
    given, expected : mapping of str to Fingerprint
        What ``of_samples`` gives now and when the run began, of arrays of the same names.

    Raises
    ------
    ValueError
        An array is another.
    """
    for name, mine in given.items():
        its = expected[name]
        if mine.shape != its.shape:
            raise _refusal(name, f"shape {mine.shape} where it had {its.shape}")
        if not mine.agrees(its):
            raise _refusal(name, "other values")


def _refusal(name: str, got: str) -> ValueError:
    return ValueError(
        f"{name} must be what the resumed run was trained with; got {got}. Pass the same data, or "
        f"begin a new run from its network: train(..., network=result.last_network)."
    )
