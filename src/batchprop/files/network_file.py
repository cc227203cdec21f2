"""Networks in files: one .npz of plain arrays and a format number; nothing in it is ever run."""

from __future__ import annotations

import os

import numpy as np

from batchprop import validation
from batchprop.files import atomic_file, npz_reader
from batchprop.parameters import Blocks

FORMAT = 1  # counts up when a reader of the old number could not read the new one
KIND = "batchprop network"

_DTYPES = np.dtype("f4"), np.dtype("f8")
_LONGEST = 100  # of its texts, in characters


def write(path: str | os.PathLike[str], blocks: Blocks, activation: str) -> None:
    """Write a network; the file appears whole or not at all.

    Parameters
    ----------
    path : str or path-like
        The file's name, taken as it is; an existing file is replaced.
    blocks : Blocks
        Parameters, in the dtype of the network.
    activation : str
        Name of σ.
    """
    labels = {"kind": KIND, "format": FORMAT, "activation": activation}
    arrays = {name: np.array(value) for name, value in labels.items()} | blocks._asdict()
    atomic_file.write_arrays(path, arrays)


def read(path: str | os.PathLike[str]) -> tuple[Blocks, str]:
    """Return the blocks and the activation of a network in a file.

    Parameters
    ----------
    path : str or path-like
        A file that ``write`` has made.

    Raises
    ------
    TypeError
        ``path`` is no name.
    OSError
        The file cannot be opened.
    ValueError
        It is something else, damaged, or of a format that this version does not know.
    """
    remedy = "Save the network again, or look for another file."
    with npz_reader.opened(path, "name a file made by Network.save", remedy) as archive:
        number = archive.format_of(KIND)
        if number == FORMAT:
            return _content(archive)
    raise ValueError(
        f"path must name a file of format {FORMAT}; got {os.fspath(path)!r} of format {number}. "
        f"Load it with the version of batchprop that wrote it, or a newer one."
    )


def _content(archive: npz_reader.Archive) -> tuple[Blocks, str]:
    archive.only(("kind", "format", "activation", *Blocks._fields))
    activation = archive.text("activation", _LONGEST)
    forms = {name: archive.form(name) for name in Blocks._fields}
    for name, (_, dtype) in forms.items():
        if dtype.newbyteorder("=") not in _DTYPES or dtype != forms["W_h"][1]:
            raise npz_reader.Damaged(f"{name}: {dtype}; all are float32, or all float64")
    blocks = (archive.array(name, *form) for name, form in forms.items())
    try:
        found = validation.parameter_blocks(*blocks)
        return Blocks(*found), validation.activation(activation)
    except ValueError as error:
        raise npz_reader.Damaged(str(error)) from None
