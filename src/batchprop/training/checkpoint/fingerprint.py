"""Cheap fingerprints of arrays, which tell whether a run resumes on the data that it began with."""

from __future__ import annotations

import math
import zlib
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop.engines.loss_scale import total_weight
from batchprop.training.checkpoint import checksum

Array = npt.NDArray[Any]

OPTIONAL = ("sample_weight", "X_val", "T_val", "sample_weight_val")
"""The arrays that a run may do without."""

VERSIONS = (1, 2)
"""The rules by which values are read, the last one for new checkpoints.

Version 1 reads 4096 values evenly spread over the entries of an array, version 2 whole samples
(``checksum``), so that it needs neither N in advance nor the array in memory.
"""

_ENTRIES = 4096  # that version 1 reads; all of them in a smaller array


class Fingerprint(NamedTuple):
    """What a checkpoint keeps of an array of data.

    Attributes
    ----------
    shape : tuple of int
        Its shape.
    checksum : int
        CRC-32 of some of its values as float64.  Memory order, dtype and strides do not matter.
    total : float
        The sum of a flat array (weights, of which many may be equal); 0 for tables.
    version : int
        Which values the checksum is of: one of ``VERSIONS``.
    """

    shape: tuple[int, ...]
    checksum: int
    total: float
    version: int = 1  # checkpoints of version 1 do not say so

    def agrees(self, other: Fingerprint) -> bool:
        """Tell whether both can be of the same array.  CPUs round sums differently."""
        same = (self.shape, self.checksum, self.version) == (
            other.shape,
            other.checksum,
            other.version,
        )
        return same and math.isclose(self.total, other.total, rel_tol=1e-9)


def of(array: Array, version: int = VERSIONS[-1]) -> Fingerprint:
    """Return the fingerprint of an array of one or two dimensions."""
    total = total_weight(array.size, array) if array.ndim == 1 else 0.0
    values = _checksum_of_entries(array) if version == 1 else checksum.of_array(array)
    return Fingerprint(array.shape, values, total, version)


def _checksum_of_entries(array: Array) -> int:
    """Return the checksum of version 1."""
    if array.size <= _ENTRIES:
        values = array.ravel()
    else:
        indices = np.linspace(0, array.size - 1, _ENTRIES).round().astype(np.int64)
        values = array[np.unravel_index(indices, array.shape)]
    return zlib.crc32(values.astype("<f8").tobytes())


def of_arrays(arrays: Mapping[str, Array | None]) -> dict[str, Fingerprint]:
    """Return name -> fingerprint of the arrays that are not None."""
    return {name: of(array) for name, array in arrays.items() if array is not None}


def check_presence(present: Collection[str], expected: Mapping[str, Fingerprint]) -> None:
    """Refuse weights or validation data where a run had none, and the other way round.

    Parameters
    ----------
    present : collection of str
        Those of ``OPTIONAL`` that the call has.
    expected : mapping of str to Fingerprint
        Those of the checkpoint.

    Raises
    ------
    ValueError
        An array is missing or one too many.
    """
    for name in OPTIONAL:
        if name not in present and name in expected:
            raise _refusal(name, "None")
        if name in present and name not in expected:
            raise _refusal(name, "an array where it had none")


def check(
    fingerprints: Mapping[str, Fingerprint],
    expected: Mapping[str, Fingerprint],
    arrays: Mapping[str, Array | None],
) -> None:
    """Refuse data that are not those of a checkpoint.

    Parameters
    ----------
    fingerprints : mapping of str to Fingerprint
        Those of the call's data.
    expected : mapping of str to Fingerprint
        Those of the checkpoint, of arrays of the same names.
    arrays : mapping of str to ndarray or None
        The data that are in memory; without them, a checkpoint of version 1 cannot be compared.

    Raises
    ------
    ValueError
        An array differs.
    """
    for name, fingerprint in fingerprints.items():
        shape = expected[name].shape
        if fingerprint.shape != shape:
            raise _refusal(name, f"shape {fingerprint.shape} where it had {shape}")
        version = expected[name].version
        if fingerprint.version != version:
            array = arrays.get(name)
            if array is None:
                raise ValueError(
                    f"{name} must be in memory, because the checkpoint was written by a version of "
                    f"batchprop that recognises arrays only; got data in files or on a cluster. "
                    f"Resume it once with arrays, or begin a new run from its network: "
                    f"train(..., network=result.last_network)."
                )
            fingerprint = of(array, version)
        if not fingerprint.agrees(expected[name]):
            raise _refusal(name, "other values")


def _refusal(name: str, got: str) -> ValueError:
    return ValueError(
        f"{name} must be what the resumed run was trained with; got {got}. Pass the same data, or "
        f"begin a new run from its network: train(..., network=result.last_network)."
    )
