"""Cheap fingerprints of arrays, which tell whether a run resumes on the data that it began with."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

OPTIONAL = ("sample_weight", "X_val", "T_val", "sample_weight_val")
"""The arrays that a run may do without."""

_SAMPLE = 4096  # entries that are read; all of them in a smaller array


class Fingerprint(NamedTuple):
    """What a checkpoint keeps of an array of data.

    Attributes
    ----------
    shape : tuple of int
        Its shape.
    checksum : int
        CRC-32 of up to 4096 of its values as float64, evenly spread.  Memory order, dtype and
        strides do not matter.
    total : float
        The sum of a flat array (weights, of which many may be equal); 0 for tables.
    """

    shape: tuple[int, ...]
    checksum: int
    total: float

    def agrees(self, other: Fingerprint) -> bool:
        """Tell whether both can be of the same array.  CPUs round sums differently."""
        return self[:2] == other[:2] and math.isclose(self.total, other.total, rel_tol=1e-9)


def of(array: Array) -> Fingerprint:
    """Return the fingerprint of an array of one or two dimensions."""
    if array.size <= _SAMPLE:
        values = array.ravel()
    else:
        indices = np.linspace(0, array.size - 1, _SAMPLE).round().astype(np.int64)
        values = array[np.unravel_index(indices, array.shape)]
    checksum = zlib.crc32(values.astype("<f8").tobytes())
    return Fingerprint(array.shape, checksum, float(array.sum()) if array.ndim == 1 else 0.0)


def of_arrays(arrays: Mapping[str, Array | None]) -> dict[str, Fingerprint]:
    """Return name -> fingerprint of the arrays that are not None."""
    return {name: of(array) for name, array in arrays.items() if array is not None}


def check_presence(arrays: Mapping[str, object], expected: Mapping[str, Fingerprint]) -> None:
    """Refuse weights or validation data where a run had none, and the other way round.

    Parameters
    ----------
    arrays : mapping of str to array_like or None
        Those of ``OPTIONAL`` in the call, not checked yet.
    expected : mapping of str to Fingerprint
        Those of the checkpoint.

    Raises
    ------
    ValueError
        An array is missing or one too many.
    """
    for name in OPTIONAL:
        if arrays[name] is None and name in expected:
            raise _refusal(name, "None")
        if arrays[name] is not None and name not in expected:
            raise _refusal(name, "an array where it had none")


def check(fingerprints: Mapping[str, Fingerprint], expected: Mapping[str, Fingerprint]) -> None:
    """Refuse data that are not those of a checkpoint.

    Parameters
    ----------
    fingerprints : mapping of str to Fingerprint
        Those of the call's data.
    expected : mapping of str to Fingerprint
        Those of the checkpoint, of arrays of the same names.

    Raises
    ------
    ValueError
        An array differs.
    """
    for name, fingerprint in fingerprints.items():
        shape = expected[name].shape
        if fingerprint.shape != shape:
            raise _refusal(name, f"shape {fingerprint.shape} where it had {shape}")
        if not fingerprint.agrees(expected[name]):
            raise _refusal(name, "other values")


def _refusal(name: str, got: str) -> ValueError:
    return ValueError(
        f"{name} must be what the resumed run was trained with; got {got}. Pass the same data, or "
        f"begin a new run from its network: train(..., network=result.last_network)."
    )
