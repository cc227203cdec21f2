"""Saved networks: one .npz file of plain arrays with a format number.  Reading runs no code.

A file of format 1 holds a network.  One of format 2 has further members, which say what the network
is for; reading the network skips them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop import validation
from batchprop.files import atomic_file, npz_reader
from batchprop.parameters import Blocks

PLAIN, EXTENDED = FORMATS = (1, 2)  # one more when readers of the old ones could not read it
KIND = "batchprop network"

_DTYPES = np.dtype("f4"), np.dtype("f8")
_MAX_CHARACTERS = 100  # of a text member


def write(
    path: str | os.PathLike[str],
    blocks: Blocks,
    activation: str,
    members: Mapping[str, npt.NDArray[Any]] | None = None,
) -> None:
    """Write a network to a file, atomically.

    Parameters
    ----------
    path : str or path-like
        The file's name, used as it is; an existing file is replaced.
    blocks : Blocks
        Parameters, in the network's dtype.
    activation : str
        Name of the activation.
    members : mapping of str to ndarray, or None
        Further members, under names that the network's own members do not have.
    """
    version = EXTENDED if members else PLAIN
    labels = {"kind": KIND, "format": version, "activation": activation}
    arrays = {name: np.array(value) for name, value in labels.items()} | blocks._asdict()
    atomic_file.write_arrays(path, arrays | dict(members or {}))


def read(path: str | os.PathLike[str]) -> tuple[Blocks, str]:
    """Return the parameter blocks and the activation of a saved network.

    Parameters
    ----------
    path : str or path-like
        A file written by ``write``.

    Raises
    ------
    TypeError
        ``path`` is not a file name.
    OSError
        The file cannot be opened.
    ValueError
        The file is not a saved network, is damaged, or has a format that this version does not
        know.
    """
    remedy = "Save the network again, or look for another file."
    with npz_reader.opened(path, "name a file made by Network.save", remedy) as archive:
        version = archive.format_of(KIND)
        if version == PLAIN:
            archive.only(("kind", "format", "activation", *Blocks._fields))
        if version in FORMATS:
            return parameters(archive)
    raise ValueError(
        f"path must name a file of format {PLAIN} or {EXTENDED}; got {os.fspath(path)!r} of format "
        f"{version}. Load it with the version of batchprop that wrote it, or a newer one."
    )


def parameters(archive: npz_reader.Archive) -> tuple[Blocks, str]:
    """Return the checked blocks and the activation of the network in an open file."""
    activation = archive.text("activation", _MAX_CHARACTERS)
    forms = {name: archive.form(name) for name in Blocks._fields}
    for name, (_, dtype) in forms.items():
        if dtype.newbyteorder("=") not in _DTYPES or dtype != forms["W_h"][1]:
            raise npz_reader.Damaged(f"{name}: {dtype}; all are float32, or all float64")
    blocks = (archive.array(name, *form) for name, form in forms.items())
    try:
        block_arrays = validation.parameter_blocks(*blocks)
        return Blocks(*block_arrays), validation.activation(activation)
    except ValueError as error:
        raise npz_reader.Damaged(str(error)) from None
