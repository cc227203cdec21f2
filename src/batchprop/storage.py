"""Networks in files: one .npz of plain arrays and a format number; nothing in it is ever run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop import files
from batchprop.parameters import Blocks

FORMAT = 1  # counts up when a reader of the old number could not read the new one
KIND = "batchprop network"


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
    files.write_arrays(path, arrays)


def read(path: str | os.PathLike[str]) -> tuple[Blocks, str]:
    """Return the blocks and the activation of a network in a file.

    Parameters
    ----------
    path : str or path-like
        A file that ``write`` has made.

    Raises
    ------
    OSError
        The file cannot be opened.
    ValueError
        It is something else, damaged, or of a format that this version does not know.
    """
    with open(Path(path), "rb") as file:
        try:
            with np.load(file, allow_pickle=False) as archive:
                if str(archive["kind"]) != KIND:
                    raise ValueError("of another kind")
                number = int(archive["format"])
                if number == FORMAT:
                    return _content(archive)
        except Exception:  # a file of anything else can fail to be read in any way
            raise ValueError(
                f"path must name a file made by Network.save; got {os.fspath(path)!r}, which is "
                f"something else or damaged. Save the network again, or look for another file."
            ) from None
    raise ValueError(
        f"path must name a file of format {FORMAT}; got {os.fspath(path)!r} of format {number}. "
        f"Load it with the version of batchprop that wrote it, or a newer one."
    )


def _content(archive: Any) -> tuple[Blocks, str]:
    blocks: list[npt.NDArray[Any]] = [archive[name] for name in Blocks._fields]
    return Blocks(*blocks), str(archive["activation"])
